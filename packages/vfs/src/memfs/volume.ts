/**
 * A `Volume` of memfs whose files are those of a layer. memfs does what is Node's (arguments, callbacks, promises,
 * streams, handles, `glob`, `cp`), and calls `VolumeCore` for the rest. Where memfs itself does less than Node, it is done
 * here:
 *
 * - `stat` to the nanosecond, with device, links and blocks; `statfs` of the file system; `fsync`.
 * - `readdir`: the parent's path as it was given, paths below `/` without their slash, names that are no UTF-8 as bytes.
 * - Numbers below 0 as times mean now (as in Node), which is not the host's but the layer's. Names of `mkdtemp` are counted.
 * - `glob` begins in the working directory of the task.
 */
import { Volume } from 'memfs'
import { Errno } from '../errno.ts'
import { Access, At, EntryType } from '../flags.ts'
import { Stat, StatFs } from '../stat.ts'
import { targetFromMemfs, toMemfs } from './names.ts'
import { nodeError, orThrow } from './node-errors.ts'
import { direntOf, encodedName, fillStatFs, statsOf } from './stats.ts'
import type { View } from './view.ts'
import { NOW, VolumeCore } from './volume-core.ts'
import { WatchedPlace } from './watcher.ts'

type Call = (...args: unknown[]) => unknown

/** What memfs's volume has that is changed here; most of it is private in its declarations. */
interface OpenVolume extends Record<string, unknown> {
  FSWatcher: new () => {
    _vol: unknown
    start(path: unknown, persistent?: boolean, recursive?: boolean, ...rest: unknown[]): void
  }
  _statfs(path: string, bigint?: boolean): object
}

const Base: new (core: object) => OpenVolume = Volume as unknown as new (core: object) => OpenVolume

interface ReaddirOptions {
  readonly encoding?: string
  readonly recursive?: boolean
  readonly withFileTypes?: boolean
}

/** A volume that shows a layer. */
export function volumeOfView(view: View): Volume {
  return new LayerVolume(view) as unknown as Volume
}

class LayerVolume extends Base {
  readonly #view: View
  readonly #core: VolumeCore
  readonly #stat = new Stat()
  #temporary = 0

  constructor(view: View) {
    const core = new VolumeCore(view)
    super(core)
    this.#view = view
    this.#core = core
    const Watcher = this.FSWatcher
    this.FSWatcher = class extends Watcher {
      override start(path: unknown, persistent?: boolean, recursive = false, ...rest: unknown[]): void {
        this._vol = { _core: new WatchedPlace(view, recursive) }
        super.start(path, persistent, recursive, ...rest)
      }
    }
    this._lstat = (path: string, bigint = false, throwIfNoEntry = true) =>
      this.#statOf(path, At.AT_SYMLINK_NOFOLLOW, 'lstat', bigint, throwIfNoEntry)
    this._readdir = (path: string, options: ReaddirOptions) => this.#readdir(path, options)
    this._mkdtemp = (prefix: string, encoding?: string) => this.#mkdtemp(prefix, encoding)
    this._fsync = (fd: number) => this.#sync(fd, 'fsync')
    this._fdatasync = (fd: number) => this.#sync(fd, 'fdatasync')
    this.#globFromWorkingDirectory()
    for (const name of ['utimes', 'lutimes', 'futimes', 'utimesSync', 'lutimesSync', 'futimesSync']) {
      const original = this[name] as Call
      this[name] = (file: unknown, atime: unknown, mtime: unknown, ...rest: unknown[]) =>
        original(file, ofLayer(atime), ofLayer(mtime), ...rest)
    }
  }

  /** memfs looks for relative patterns in the working directory of the host's process. */
  #globFromWorkingDirectory(): void {
    const promises = this.promises as Record<string, Call>
    const here = (options: object | undefined) => ({ cwd: this.#workingDirectory(), ...options })
    const { glob, globSync } = this as unknown as Record<string, Call>
    const globOfPromises = promises.glob!
    this.glob = (pattern: unknown, options: unknown, callback: unknown) =>
      typeof options === 'function'
        ? glob!(pattern, here(undefined), options)
        : glob!(pattern, here(options as object), callback)
    this.globSync = (pattern: unknown, options?: object) => globSync!(pattern, here(options))
    promises.glob = (pattern: unknown, options?: unknown) => globOfPromises(pattern, here(options as object))
  }

  #workingDirectory(): string {
    const { vfs, task } = this.#view
    return toMemfs(orThrow(vfs.getcwd(task), 'uv_cwd'))
  }

  _stat(path: string, bigint = false, throwIfNoEntry = true): object {
    try {
      return { ok: true, value: this.#statOf(path, 0, 'stat', bigint, throwIfNoEntry) }
    } catch (error) {
      return { ok: false, err: { code: (error as { code: string }).code, toError: () => error } }
    }
  }

  fstatBase(fd: number, bigint = false): object {
    const { file } = this.#core.files.of(fd, 'fstat')
    orThrow(this.#view.vfs.fstat(file, this.#stat), 'fstat')
    return statsOf(this.#stat, bigint)
  }

  _access(path: string, mode: number): void {
    const { vfs, task } = this.#view
    const { R_OK, W_OK, X_OK } = Access
    orThrow(vfs.access(task, null, targetFromMemfs(path), mode & (R_OK | W_OK | X_OK)), 'access', path)
  }

  override _statfs(path: string, bigint = false): object {
    const statfs = new StatFs()
    orThrow(this.#view.vfs.statfs(this.#view.task, targetFromMemfs(path), statfs), 'statfs', path)
    return fillStatFs(super._statfs('/', bigint), statfs, bigint)
  }

  #statOf(path: string, flags: number, syscall: string, bigint: boolean, throwIfNoEntry: boolean): object | undefined {
    const { vfs, task } = this.#view
    const answer = vfs.stat(task, null, targetFromMemfs(path), this.#stat, flags)
    if (answer === 0) return statsOf(this.#stat, bigint)
    const error = nodeError(answer, syscall, path)
    if (!throwIfNoEntry && error.code === 'ENOENT') return undefined
    throw error
  }

  #sync(fd: number, syscall: string): void {
    orThrow(this.#view.vfs.fsync(this.#core.files.of(fd, syscall).file), syscall)
  }

  /**
   * The entries of a directory, and with `recursive` those below, directory by directory. Links are not followed then, as
   * in memfs; Node follows them, in circles too, and loses its way where `..` follows one.
   */
  #readdir(path: string, { encoding, recursive, withFileTypes }: ReaddirOptions): unknown[] {
    const found: unknown[] = []
    const waiting = [{ path, shown: path, prefix: '' }]
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { path: at, shown, prefix } = next
      const entries = orThrow(this.#view.list(null, targetFromMemfs(at)), 'scandir', at)
      for (const { name, type } of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
        if (withFileTypes) found.push(direntOf(encodedName(name, encoding), shown, type))
        else found.push(encodedName(targetFromMemfs(prefix) + name, encoding))
        if (!recursive || type !== EntryType.DT_DIR) continue
        const below = `${at}/${toMemfs(name)}`
        waiting.push({
          path: below,
          shown: normalized(`${shown}/${toMemfs(name)}`),
          prefix: `${prefix}${toMemfs(name)}/`,
        })
      }
    }
    return found
  }

  #mkdtemp(prefix: string, encoding?: string): unknown {
    for (;;) {
      const path = prefix + (this.#temporary++).toString(36).padStart(6, 'a')
      const answer = this.#view.vfs.mkdir(this.#view.task, null, targetFromMemfs(path), 0o700)
      if (answer === 0) return encodedName(targetFromMemfs(path), encoding)
      if (answer !== -Errno.EEXIST) throw nodeError(answer, 'mkdtemp', `${prefix}XXXXXX`)
    }
  }
}

/** memfs, as Node, takes a number below 0 for now, of the host; as a text it lets a number pass. */
function ofLayer(time: unknown): unknown {
  return typeof time === 'number' && time < 0 ? `${NOW}` : time
}

/** A path without `.`, without slashes that say nothing, and without `..` where it can be: as Node joins paths. */
function normalized(path: string): string {
  const parts: string[] = []
  const absolute = path.startsWith('/')
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    if (part !== '..' || (!absolute && (parts.length === 0 || parts.at(-1) === '..'))) parts.push(part)
    else parts.pop()
  }
  return (absolute ? '/' : '') + parts.join('/') || '.'
}
