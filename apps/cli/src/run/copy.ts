/** `vmexit cp`: files between a container and this machine, by the rules of `docker cp`. */
import { lstatSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, posix, resolve } from 'node:path'
import type { FileStat } from '@vmexit/container'
import { VmexitError } from '@vmexit/core'
import { toByteString } from '@vmexit/vfs'
import { shown } from '../fs/shown.ts'
import { printTo } from '../hosted/program-console.ts'
import { containerNamed } from './containers.ts'
import { packHost, unpackHost } from './host-archive.ts'
import { type KeptFiles, openKept } from './kept-files.ts'

/** As commander gives them. */
export interface CopyFlags {
  readonly archive?: boolean
  readonly followLink?: boolean
  readonly quiet?: boolean
}

/** A path of a container, or of this machine; `-` is a stream. */
interface Place {
  readonly container: string | undefined
  readonly path: string
}

export async function copy(from: string, to: string, flags: CopyFlags): Promise<void> {
  const [source, target] = [placeOf(from), placeOf(to)]
  if ((source.container === undefined) === (target.container === undefined))
    throw usage(
      source.container === undefined ? 'neither is a container' : 'both are containers',
      'give one of them as CONTAINER:PATH; for two containers, copy through a pipe: cp a:/x - | cp - b:/',
    )
  if (source.container !== undefined) await copyOut({ ...source, container: source.container }, target.path, flags)
  else await copyIn(source.path, { ...target, container: target.container! }, flags)
}

function placeOf(text: string): Place {
  const at = text.indexOf(':')
  if (at <= 0 || text.startsWith('/') || text.startsWith('.')) return { container: undefined, path: text }
  return { container: text.slice(0, at), path: text.slice(at + 1) || '/' }
}

/** `a/.` means what is in a folder, `a/` that it is one. */
interface Meant {
  readonly path: string
  readonly contents: boolean
  readonly folder: boolean
}

function meant(text: string): Meant {
  const contents = /(^|\/)\.$/.test(text)
  const folder = contents || text.endsWith('/')
  const path = text.replace(/(\/\.?)+$/, '')
  return { path: path === '' ? (text.startsWith('/') ? '/' : '.') : path, contents, folder }
}

async function copyOut(
  { container, path: text }: Place & { readonly container: string },
  to: string,
  { archive = false, followLink = false, quiet }: CopyFlags,
): Promise<void> {
  await using files = await openKept(containerNamed(container))
  const { path, contents, folder } = meant(text)
  const stat = await files.stat(path, followLink || folder)
  if (stat === undefined) throw missing(`${container}:${path}`)
  const name = posix.basename(path === '/' ? '/' : stat.type === 'symlink' ? path : posix.normalize(path)) || 'root'
  // What a link leads to has its own path; a link itself has the one it was named by.
  const real = stat.type === 'symlink' ? path : stat.path
  if (to === '-') {
    for await (const bytes of files.copyOut(real, name)) await printTo(bytes)
    return
  }
  const place = hostTarget(to, name, stat.type === 'directory', contents)
  await unpackHost(files.copyOut(real, 'x'), 'x', Buffer.from(place), {
    archive,
    skipped: (entry) => process.stderr.write(`vmexit: ${shown(entry)} is no file for this machine, and is left out\n`),
  })
  tell(quiet, to)
}

/** Where a copy goes on this machine. */
function hostTarget(to: string, name: string, isFolder: boolean, contents: boolean): string {
  const { path, folder } = meant(to)
  const there = statSync(path, { throwIfNoEntry: false })
  if (there?.isDirectory()) return isFolder && contents ? path : `${path}/${name}`
  if (there !== undefined && (isFolder || folder)) throw usage(`${path} is no folder`, 'name one, or another path')
  if (there === undefined) {
    if (!isFolder && folder) throw usage(`there is no folder ${path}`, `make it: mkdir ${path}`)
    if (!statSync(dirname(path), { throwIfNoEntry: false })?.isDirectory())
      throw usage(`there is no folder ${dirname(path)}`, `make it: mkdir -p ${dirname(path)}`)
  }
  return path
}

async function copyIn(
  from: string,
  { container, path: text }: Place & { readonly container: string },
  { archive = false, followLink = false, quiet }: CopyFlags,
): Promise<void> {
  await using files = await openKept(containerNamed(container))
  if (from === '-') {
    const there = await files.stat(meant(text).path, true)
    if (there?.type !== 'directory')
      throw usage(`${container}:${text} is no folder`, 'an archive goes into a folder that there is')
    return await files.copyIn(there.path, process.stdin)
  }
  const { path, contents, folder } = meant(from)
  const stat = lstatSync(path, { throwIfNoEntry: false })
  const isFollowed = followLink || folder
  const real = isFollowed && stat !== undefined ? realpathSync(path) : path
  const isFolder = lstatSync(real, { throwIfNoEntry: false })?.isDirectory()
  if (stat === undefined || isFolder === undefined) throw missing(path)
  if (folder && !isFolder) throw usage(`${path} is no folder`, 'name it without / at its end')
  const target = await innerTarget(files, { container, text, name: basename(resolve(path)), isFolder, contents })
  await files.copyIn(
    target.folder,
    once(packHost(Buffer.from(real), toByteString(target.name), { archive, contents: target.isThere })),
  )
  tell(quiet, `${container}:${text}`)
}

/** Where a copy goes in a container: a folder that there is, and what it is called there. */
async function innerTarget(
  files: KeptFiles,
  {
    container,
    text,
    name,
    isFolder,
    contents,
  }: { readonly container: string; readonly text: string; readonly name: string } & {
    readonly isFolder: boolean
    readonly contents: boolean
  },
): Promise<{ readonly folder: string; readonly name: string; readonly isThere: boolean }> {
  const { path, folder } = meant(text)
  const there = await files.stat(path, true)
  const within = async (place: FileStat): Promise<Awaited<ReturnType<typeof innerTarget>>> => {
    const already = await files.stat(`${place.path}/${name}`, false)
    return { folder: place.path, name, isThere: isFolder && already?.type === 'directory' }
  }
  if (there?.type === 'directory')
    return isFolder && contents ? { folder: there.path, name: '.', isThere: true } : await within(there)
  if (there !== undefined) {
    if (isFolder || folder) throw usage(`${container}:${path} is no folder`, 'name one, or another path')
    return { folder: posix.dirname(there.path), name: posix.basename(there.path), isThere: false }
  }
  if (!isFolder && folder) throw usage(`there is no folder ${container}:${path}`, 'make it, by vmexit exec or by cp')
  const above = await files.stat(posix.dirname(posix.resolve('/', path)), true)
  if (above?.type !== 'directory')
    throw usage(`there is no folder ${container}:${posix.dirname(path)}`, 'make it, by vmexit exec or by cp')
  return { folder: above.path, name: posix.basename(path), isThere: false }
}

async function* once(pieces: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* pieces
}

function tell(quiet: boolean | undefined, to: string): void {
  if (!quiet && process.stderr.isTTY) process.stderr.write(`Copied to ${to}\n`)
}

function missing(what: string): VmexitError<'cp-missing'> {
  return new VmexitError('cp-missing', { problem: `there is no ${what}`, remedy: 'name another path' })
}

function usage(problem: string, remedy: string): VmexitError<'cp-usage'> {
  return new VmexitError('cp-usage', { problem, remedy })
}
