/** `vmexit tag` and `rmi`: what images are called. */
import { isVmexitError, VmexitError } from '@vmexit/core'
import { canonicalName, familiarName, type Images, parseReference } from '@vmexit/image'
import { StateDirectory } from '../hosted/state-directory.ts'
import { imageIdOf } from '../run/containers.ts'
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
        await refuseUsed(word, images, force)
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

/** Containers are made of their image when they are started: it stays as long as they do. Throws a {@link VmexitError} `image-in-use`. */
async function refuseUsed(word: string, images: Images, force: boolean): Promise<void> {
  const image = await images.find(word)
  const isName = image.names.includes(nameMeant(word) ?? '')
  // Others of its names are left, and it with them.
  if (image.names.length > 1 && (isName || !force)) return
  const users = new StateDirectory().list().filter((found) => imageIdOf(found) === image.id)
  if (users.length === 0) return
  const names = users.map(({ instance: { name } }) => name)
  throw new VmexitError('image-in-use', {
    problem: `${word} is the image of ${names.join(', ')}`,
    remedy: `remove ${names.length > 1 ? 'these' : 'that'}: vmexit rm ${names.join(' ')}; running ones with -f`,
  })
}

function nameMeant(word: string): string | undefined {
  try {
    return canonicalName(parseReference(word))
  } catch {
    return undefined
  }
}
