/** A worker that opens the images of a site and reads a file of one, in place. */

import { opfsImageStore } from '../src/browser/index.ts'
import { Images } from '../src/index.ts'
import { readFile } from './fixtures.ts'

interface Asked {
  readonly store: string
  readonly image: string
  readonly path: string
}

const scope = globalThis as unknown as {
  onmessage: ((event: MessageEvent<Asked>) => void) | null
  postMessage(message: unknown): void
}

scope.onmessage = async ({ data: { store, image, path } }) => {
  try {
    const images = new Images({ store: await opfsImageStore(await navigator.storage.getDirectory(), store) })
    using root = await (await images.find(image)).root()
    scope.postMessage([readFile(root.layers[0]!, path), 'FileReaderSync' in globalThis])
  } catch (error) {
    scope.postMessage(String(error))
  }
}
