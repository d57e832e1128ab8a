/** `vmexit load`, `save`, `import` and `export`: images from files, and to files. */
import { basename, join } from 'node:path'
import { familiarName, type Image, parsePlatform, parseReference, programArchive } from '@vmexit/image'
import { layoutFolder, writeLayout } from '@vmexit/image/node'
import { writeArchive } from '../fs/archive-stream.ts'
import { rootOfGuest } from '../guests/index.ts'
import { instanceNamed } from '../hosted/state-directory.ts'
import { asContainer } from '../run/containers.ts'
import { treeOf } from './initramfs.ts'
import { inputOf, isFolder, programSize, usage } from './input.ts'
import { interruptible } from './interruptible.ts'
import { openImages } from './store.ts'

export interface LoadFlags {
  readonly input?: string
  readonly name?: string
  readonly platform?: string
  readonly quiet?: true
}

/** `vmexit load`. */
export async function load({ input, name, platform, quiet }: LoadFlags): Promise<void> {
  await interruptible(async (options) => {
    const choice = {
      ...options,
      ...(name === undefined ? {} : { name }),
      ...(platform === undefined ? {} : { platform: parsePlatform(platform) }),
    }
    const images = openImages()
    const loaded =
      input !== undefined && (await isFolder(input))
        ? await images.loadLayout(layoutFolder(input), choice)
        : await images.load(inputOf(input, options.signal), choice)
    if (!quiet) for (const image of loaded) process.stdout.write(said(image))
  })
}

/** As Docker says it: scripts cut it up. */
function said({ id, names }: Image): string {
  if (names.length === 0) return `Loaded image ID: ${id}\n`
  return names.map((name) => `Loaded image: ${familiarName(parseReference(name))}\n`).join('')
}

export interface SaveFlags {
  readonly output?: string
  readonly layout?: true
}

/** `vmexit save`. */
export async function save(words: readonly string[], { output, layout }: SaveFlags): Promise<void> {
  if (layout && output === undefined) throw usage('a layout is a folder', 'say where it is to go: -o FOLDER')
  if (!layout) notToTerminal(output)
  const images = openImages()
  // What is not there is told before anything is written.
  for (const word of words) await images.find(word)
  if (layout) await interruptible(({ signal }) => writeLayout(output!, images.layout(words), signal))
  else await writeArchive(images.save(words), output)
}

/** `vmexit export`. */
export async function exportFiles(word: string, { output }: SaveFlags): Promise<void> {
  notToTerminal(output)
  const found = instanceNamed(word)
  if (found !== undefined) {
    const { openKept } = await import('../run/kept-files.ts')
    await using files = await openKept(asContainer(found))
    return await writeArchive(files.export(), output)
  }
  const images = openImages()
  await images.find(word)
  await writeArchive(images.export(word), output)
}

function notToTerminal(output: string | undefined): void {
  if (output === undefined && process.stdout.isTTY)
    throw usage('an archive is nothing for a terminal', 'say where it is to go: -o image.tar.gz')
}

export interface ImportFlags {
  readonly message?: string
  readonly author?: string
  readonly platform?: string
  readonly cmd?: readonly string[]
  readonly entrypoint?: readonly string[]
  readonly env?: readonly string[]
  readonly workdir?: string
  readonly user?: string
}

/** `vmexit import`. */
export async function importTree(source: string, name: string | undefined, flags: ImportFlags): Promise<void> {
  await interruptible(async (options) => {
    const guest = rootOfGuest(source)
    const path = source === '-' ? undefined : (guest ?? source)
    const size = path === undefined ? undefined : await programSize(path)
    const program =
      size === undefined ? undefined : { name: basename(source), size, data: inputOf(path, options.signal) }
    const { message, author, platform, entrypoint, env, workdir, user } = flags
    const called = name ?? (guest === undefined ? undefined : source)
    const cmd = flags.cmd ?? (guest === undefined ? undefined : ['/bin/sh'])
    const files = program ? programArchive(program) : treeOf(inputOf(path, options.signal))
    const image = await openImages().import(files, {
      ...options,
      created: new Date().toISOString(),
      ...(called === undefined ? {} : { name: called }),
      ...(author === undefined ? {} : { author }),
      comment: message ?? `imported from ${source}`,
      ...(platform === undefined ? {} : { platform: parsePlatform(platform) }),
      config: {
        ...(program ? { Entrypoint: [join('/', program.name)] } : {}),
        ...(entrypoint === undefined ? {} : { Entrypoint: entrypoint }),
        ...(cmd === undefined ? {} : { Cmd: cmd }),
        ...(env === undefined ? {} : { Env: env }),
        ...(workdir === undefined ? {} : { WorkingDir: workdir }),
        ...(user === undefined ? {} : { User: user }),
      },
    })
    process.stdout.write(`${image.id}\n`)
  })
}
