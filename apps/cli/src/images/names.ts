/** `vmexit tag` and `rmi`: what images are called. */
import { isVmexitError } from '@vmexit/core'
import { familiarName, parseReference } from '@vmexit/image'
import { interruptible } from './interruptible.ts'
import { openImages } from './store.ts'

/** `vmexit tag`. */
export async function tag(word: string, name: string): Promise<void> {
  await interruptible((options) => openImages().tag(word, name, options))
}

/** `vmexit rmi`: what fails for one is told, and the others have their turn. */
export async function remove(words: readonly string[], { force = false }: { readonly force?: boolean }): Promise<void> {
  await interruptible(async (options) => {
    const images = openImages()
    for (const word of words) {
      try {
        const { untagged, deleted } = await images.remove(word, { ...options, force })
        for (const name of untagged) process.stdout.write(`Untagged: ${familiarName(parseReference(name))}\n`)
        if (deleted !== undefined) process.stdout.write(`Deleted: ${deleted}\n`)
      } catch (error) {
        if (!isVmexitError(error)) throw error
        process.stderr.write(`vmexit: ${error.message}\n`)
        process.exitCode = 1
      }
    }
  })
}
