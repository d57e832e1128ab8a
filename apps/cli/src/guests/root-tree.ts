/**
 * A tree of files made of packages, as debootstrap makes one: the packages' files, and the database in which dpkg finds them
 * unpacked and not configured (dpkg(1), "Files"; deb-control(5)).
 */

import { VmexitError } from '@vmexit/core'
import { type TarEntry, TarReader, Unpacker } from '@vmexit/tar'
import { type ByteString, Open, type TaskContext, toByteString, type Vfs } from '@vmexit/vfs'
import { parseParagraphs } from './control.ts'

/** A package as it is put into the tree. */
export interface Unpacked {
  /** The control file, and the scripts and lists beside it, by name. */
  readonly control: ReadonlyMap<string, Uint8Array>
  /** The archive of its files, in pieces. */
  readonly data: Iterable<Uint8Array>
}

/** What stays behind, as in Debian's slim images: dpkg's `path-exclude` and `path-include`. */
const EXCLUDED: readonly string[] = ['doc', 'man', 'info', 'groff', 'lintian', 'linda', 'locale']
const INCLUDED = /^usr\/share\/(doc\/[^/]+\/copyright|locale\/locale\.alias)$/
const EXCLUDES = new RegExp(`^usr/share/(${EXCLUDED.join('|')})/[^/]`)

/** The same for dpkg, which is to leave out of further packages what was left out of these. */
export const dpkgExcludes: string = [
  ...EXCLUDED.map((name) => `path-exclude /usr/share/${name}/*`),
  'path-include /usr/share/doc/*/copyright',
  'path-include /usr/share/locale/locale.alias',
  '',
].join('\n')

/** Directories that are links to those of the same names in /usr. */
const MERGED: readonly string[] = ['bin', 'sbin', 'lib']
const INFO = '/var/lib/dpkg/info'

/** Puts packages into a tree. */
export class RootTree {
  readonly #vfs: Vfs
  readonly #task: TaskContext
  readonly #stanzas: string[] = []

  constructor(vfs: Vfs, task: TaskContext) {
    this.#vfs = vfs
    this.#task = task
    task.umask = 0
    this.directory('/usr')
    for (const name of MERGED) {
      this.directory(`/usr/${name}`)
      this.#vfs.symlink(task, toByteString(`usr/${name}`), null, toByteString(`/${name}`))
    }
    for (const path of ['/var', '/var/lib', '/var/lib/dpkg', INFO, '/var/lib/dpkg/updates']) this.directory(path)
  }

  /** Adds a package. @throws VmexitError, TreeError. */
  add({ control, data }: Unpacked): void {
    const text = decode(control.get('control'))
    const fields = parseParagraphs(text)[0] ?? {}
    const { Package: name = '', Architecture: architecture } = fields
    // The database keeps packages apart that may be there for several architectures at once.
    const id = fields['Multi-Arch'] === 'same' ? `${name}:${architecture}` : name
    const list = this.#unpack(data)
    this.file(`${INFO}/${id}.list`, `${list.join('\n')}\n`)
    for (const [file, bytes] of control) {
      const isScript = /^(pre|post)(inst|rm)$|^config$/.test(file)
      if (file !== 'control') this.file(`${INFO}/${id}.${file}`, bytes, isScript ? 0o755 : 0o644)
    }
    const conffiles = decode(control.get('conffiles')).match(/^\/.*$/gm) ?? []
    const kept = conffiles.map((path) => ` ${path} newconffile\n`).join('')
    this.#stanzas.push(
      text
        .trimEnd()
        .replace(/^(Package:.*)$/m, '$1\nStatus: install ok unpacked')
        .concat('\n', kept === '' ? '' : `Conffiles:\n${kept}`),
    )
  }

  /** Writes what dpkg finds of all that was added. */
  finish(): void {
    this.file('/var/lib/dpkg/status', `${this.#stanzas.join('\n')}\n`)
    this.file('/var/lib/dpkg/available', '')
    this.file(`${INFO}/format`, '1\n')
  }

  directory(path: string): void {
    this.#vfs.mkdir(this.#task, null, toByteString(path), 0o755)
  }

  /** Writes a file. @throws VmexitError `guests-root`. */
  file(path: string, content: string | Uint8Array, mode = 0o644): void {
    const flags = Open.O_WRONLY | Open.O_CREAT | Open.O_TRUNC
    const file = this.#vfs.open(this.#task, null, toByteString(path), flags, mode)
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content
    if (typeof file === 'number' || (bytes.length > 0 && this.#vfs.write(this.#task, file, bytes) !== bytes.length))
      throw new VmexitError('guests-root', {
        problem: `${path} cannot be written into the tree`,
        remedy: 'fetch the packages anew with --refresh',
      })
    this.#vfs.close(file)
  }

  /** Unpacks an archive of files; their names, as dpkg lists them. */
  #unpack(data: Iterable<Uint8Array>): string[] {
    const unpacker = new Unpacker({ vfs: this.#vfs, task: this.#task })
    const list: string[] = []
    let isTaken = false
    const reader = new TarReader({
      entry: (entry, position) => {
        const name = entry.name.replace(/^(\.?\/)+|^\.$/g, '')
        list.push(`/${name === '' ? '.' : name}`)
        isTaken = !MERGED.includes(name) && (!EXCLUDES.test(name) || INCLUDED.test(name))
        if (isTaken) unpacker.entry(merged(entry, name), position)
      },
      data: (bytes, position) => {
        if (isTaken) unpacker.data(bytes, position)
      },
      end: () => {
        if (isTaken) unpacker.end()
      },
    })
    for (const piece of data) reader.push(piece)
    reader.finish()
    unpacker.finish()
    return list
  }
}

/** The entry where it comes to lie when /bin and the like are links. */
function merged(entry: TarEntry, name: ByteString): TarEntry {
  const place = (path: ByteString): ByteString => (MERGED.includes(path.split('/', 1)[0]!) ? `usr/${path}` : path)
  const target = entry.type === 'hardlink' ? place(entry.target.replace(/^(\.?\/)+/, '')) : entry.target
  return { ...entry, name: place(name), target }
}

const decode = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes ?? new Uint8Array())
