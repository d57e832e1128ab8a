/**
 * Containers of the OCI runtime, as its commands find each other's (runtime-spec, "State"): a folder for each under `--root`.
 *
 * ```
 * ID/create.json   what it was created with
 * ID/host.json     its host process, and when it was started
 * ID/phase         created, running, paused; stopped is whose process is gone
 * ID/ctl.sock      where its host process is asked
 * ```
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { VmexitError } from '@vmexit/core'

/** What a container is created with. */
export interface Creation {
  readonly id: string
  readonly bundle: string
  /** ISO 8601. */
  readonly created: string
  readonly hooks: boolean
  readonly without: readonly string[]
  readonly ram: string
}

/** Where a container stands ("State", `status`). */
export type Phase = 'creating' | 'created' | 'running' | 'paused' | 'stopped'

/** A process, which is known again by the time of its start: a number alone may be another's by now. */
interface HostProcess {
  readonly pid: number
  readonly started: string
}

/** What `sockaddr_un` takes, without the final 0. */
const LONGEST_PATH = 107

/** `--root`, or a folder for whoever this is. */
export function defaultRoot(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const base = env['XDG_RUNTIME_DIR']
  return process.getuid?.() === 0 || base === undefined || base === '' ? '/run/vmexit-oci' : join(base, 'vmexit-oci')
}

/** A container's folder. */
export class ContainerFolder {
  readonly path: string
  readonly creation: Creation

  constructor(path: string, creation: Creation) {
    this.path = path
    this.creation = creation
  }

  get id(): string {
    return this.creation.id
  }
  get socket(): string {
    return join(this.path, 'ctl.sock')
  }

  /** Its host process, which is this one. */
  host(): void {
    this.#write('host.json', JSON.stringify({ pid: process.pid, started: startOf(process.pid) ?? '' }))
  }
  /** Where it stands from now on, as its host process says. */
  enter(phase: Phase): void {
    this.#write('phase', phase)
  }

  /** The number of its host process, while there is one. */
  get pid(): number | undefined {
    const host = read<HostProcess>(join(this.path, 'host.json'))
    return host !== undefined && startOf(host.pid) === host.started ? host.pid : undefined
  }

  get phase(): Phase {
    if (this.pid === undefined) return 'stopped'
    return (readText(join(this.path, 'phase')) ?? 'creating') as Phase
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true })
  }

  #write(name: string, text: string): void {
    const path = join(this.path, name)
    writeFileSync(`${path}.new`, text, { mode: 0o600 })
    renameSync(`${path}.new`, path)
  }
}

/** All containers of a root. */
export class RuntimeDirectory {
  readonly #root: string

  constructor(root: string) {
    this.#root = resolve(root)
  }

  /** Makes a folder. @throws VmexitError `oci-id`, `oci-exists`, `oci-root`. */
  create(creation: Creation): ContainerFolder {
    const { id } = creation
    if (!/^[a-zA-Z0-9_+.-]{1,255}$/.test(id) || /^\.+$/.test(id))
      throw new VmexitError('oci-id', {
        problem: `${id} is no container ID`,
        remedy: 'give letters, digits, _ + - and .',
      })
    const folder = new ContainerFolder(join(this.#root, id), creation)
    if (Buffer.byteLength(folder.socket) > LONGEST_PATH)
      throw new VmexitError('oci-root', {
        problem: `${folder.socket} is too long for the name of a socket`,
        remedy: 'give a shorter --root',
      })
    // Whoever may open a socket in it controls what runs.
    mkdirSync(this.#root, { recursive: true, mode: 0o700 })
    try {
      mkdirSync(folder.path, { mode: 0o700 })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      throw new VmexitError('oci-exists', {
        problem: `container with id exists: ${id}`,
        remedy: 'delete it, or take another ID',
      })
    }
    writeFileSync(join(folder.path, 'create.json'), JSON.stringify(creation), { mode: 0o600 })
    return folder
  }

  /** @throws VmexitError `oci-unknown`. */
  find(id: string): ContainerFolder {
    const path = join(this.#root, id)
    const creation = /^[a-zA-Z0-9_+.-]+$/.test(id) ? read<Creation>(join(path, 'create.json')) : undefined
    if (creation !== undefined) return new ContainerFolder(path, creation)
    throw new VmexitError('oci-unknown', {
      problem: `container does not exist: ${id}`,
      remedy: `see those of ${this.#root} by list`,
    })
  }

  list(): ContainerFolder[] {
    let ids: string[]
    try {
      ids = readdirSync(this.#root)
    } catch {
      return []
    }
    return ids.flatMap((id) => {
      try {
        return [this.find(id)]
      } catch {
        return []
      }
    })
  }
}

/** When a process was started, in ticks since the machine's start (proc(5), field 22 of stat); undefined where there is none, or a dead one. */
function startOf(pid: number): string | undefined {
  const text = readText(`/proc/${pid}/stat`)
  if (text === undefined) {
    if (process.platform === 'linux') return undefined
    try {
      process.kill(pid, 0)
      return ''
    } catch {
      return undefined
    }
  }
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function read<Document>(path: string): Document | undefined {
  const text = readText(path)
  return text === undefined ? undefined : (JSON.parse(text) as Document)
}
