/**
 * A container: a program of an image in namespaces, a root and a control group of its own, and further programs beside it
 * (runtime-spec, "Lifecycle"; Docker's `run` and `exec`).
 */
import type { Image, ImageRoot } from '@vmexit/image'
import { buffersOf, callNumbers, compileSeccomp, i386, type OciSeccomp, type Spawn, type Task } from '@vmexit/linux'
import type { TmpFs } from '@vmexit/vfs'
import { type CapabilityName, capabilitiesOf } from './capabilities.ts'
import { containerError } from './errors.ts'
import type { ContainerAction } from './events.ts'
import type { ExitStatus, SignalName } from './exit-status.ts'
import { ContainerFiles } from './files.ts'
import { ContainerGroup, GroupCharges, type Limits } from './group.ts'
import { ContainerHost } from './host.ts'
import { type Archive, type Looker, seen, unpackLayer } from './layer.ts'
import { type ContainerMount, disposeVolumes } from './mounts.ts'
import type { NetworkMember } from './network-member.ts'
import { joinNetwork, type NetworkOfContainer } from './network-of-container.ts'
import { ContainerProcess, type TerminalSize } from './process.ts'
import { type ProcessEntry, processesOf } from './processes.ts'
import { become, type ProgramOptions, type ProgramSpec, type Rights, specOf } from './program.ts'
import { containerFs, mountAll, upperFs } from './root.ts'
import { collect } from './streams.ts'

/** A program of a container. */
export interface ExecOptions extends ProgramOptions {
  /** The program and its arguments. */
  readonly args: readonly string[]
  /** It has a terminal of this size. */
  readonly terminal?: TerminalSize
  /** Kills it. */
  readonly signal?: AbortSignal
}

/** What a container is made with. What is not stated is as the image says. */
export interface ContainerOptions extends Omit<ExecOptions, 'args'>, Limits, NetworkOfContainer {
  readonly image: Image
  /** In the place of the image's Cmd, behind its Entrypoint. */
  readonly args?: readonly string[]
  /** In the place of the image's Entrypoint, and of its Cmd. */
  readonly entrypoint?: readonly string[]
  /** Whose kernel it runs on; one of its own unless stated. */
  readonly host?: ContainerHost
  /** Also that of its control group: letters, digits, `_`, `.`, `-`. One that is free unless stated. */
  readonly name?: string
  /** Its name unless stated. */
  readonly hostname?: string
  /** Nothing at its root can be written. */
  readonly readOnly?: boolean
  readonly capDrop?: readonly CapabilityName[]
  readonly capAdd?: readonly CapabilityName[]
  /** No program gives it more rights than it has: set-user-ID means nothing. */
  readonly noNewPrivileges?: boolean
  /** Volumes, and file systems in memory, in the order in which they are mounted. */
  readonly mounts?: readonly ContainerMount[]
  /** A filter of system calls, as `defaultSeccomp` makes it, and as `linux.seccomp` of an OCI runtime configuration. */
  readonly seccomp?: OciSeccomp
  /** What another one of the same image has changed, as its `files.layer()` gave it: it goes on from there. */
  readonly layer?: Archive
}

/** What a container takes. */
export interface ContainerUsage {
  /** Bytes. */
  readonly memory: number
  readonly memoryPeak: number
  /** Processes and threads. */
  readonly processes: number
  /** Virtual seconds of the CPU so far. */
  readonly cpuSeconds: number
}

/** What a program has said, and how it has ended. */
export interface ExecResult extends ExitStatus {
  readonly stdout: Uint8Array<ArrayBuffer>
  readonly stderr: Uint8Array<ArrayBuffer>
}

const NAMESPACES: Spawn['namespaces'] = ['mnt', 'pid', 'uts', 'ipc', 'cgroup']

/** A container whose program runs. Dispose of it: what it has is kept until then. */
export class Container implements AsyncDisposable {
  readonly name: string
  readonly host: ContainerHost
  readonly #main: ContainerProcess
  readonly #spec: ProgramSpec
  readonly #rights: Rights
  readonly #group: ContainerGroup
  readonly #charges: GroupCharges
  readonly #root: ImageRoot
  readonly #mounts: readonly ContainerMount[]
  /** What it has changed, what there is of it, and copies in and out; also when it has ended. */
  readonly files: ContainerFiles
  /** Its addresses, and ports of the host that lead to it. */
  readonly network: NetworkMember
  readonly #watching: () => void
  #inside: Looker | undefined
  #isDisposed = false

  /** @internal Use {@link createContainer}. */
  constructor(options: ContainerOptions, host: ContainerHost, { network, root, group, charges, upper }: Prepared) {
    this.host = host
    this.#root = root
    this.#mounts = options.mounts ?? []
    this.network = network
    this.name = network.name
    this.#group = group
    this.#charges = charges
    const hostname = options.hostname ?? this.name
    if (!/^[^\s\0]{1,64}$/.test(hostname))
      containerError('options', `${hostname} is no name of a host`, 'give 1 to 64 characters without blanks')
    this.#rights = {
      capabilities: capabilitiesOf(options.capDrop, options.capAdd),
      noNewPrivileges: options.noNewPrivileges ?? false,
      filter: options.seccomp && {
        program: compileSeccomp(options.seccomp, (name) => numbers.get(name)),
        before: undefined,
      },
    }
    const { env, ...spec } = specOf(options.image, options)
    const more = { HOSTNAME: hostname, ...(options.terminal !== undefined && { TERM: 'xterm' }) }
    this.#spec = { ...spec, env: { ...more, ...env } }
    const { kernel } = host
    const fs = containerFs(kernel, root.layers, upper)
    let ended: Looker | undefined
    this.files = new ContainerFiles({
      ...{ layers: root.layers, upper, merged: fs },
      looker: () => (this.#main.status === undefined ? this.#inside! : (ended ??= seen(fs))),
      flush: () => {
        for (const pages of kernel.pageCache.all()) pages.flush()
      },
      changed: () => host.wake(),
    })
    const where = { namespaces: NAMESPACES!, root: fs, network: network.namespace }
    this.#main = this.#start(
      this.#spec,
      options,
      where,
      (task) => {
        task.ns.uts.hostname = hostname
        const { inner } = this.#group
        mountAll(task, {
          ...{ group: inner, charges, hostname, cwd: spec.cwd, readOnly: options.readOnly ?? false },
          mounts: this.#mounts,
          ...network.files(hostname),
        })
        this.#inside = insideOf(task)
      },
      (status) => this.#tell({ action: 'die', ...status }),
    )
    network.payer = buffersOf(this.#main.process.account)
    this.#watching = group.onOutOfMemory(() => this.#tell({ action: 'oom' }))
    this.#tell({ action: 'start' })
  }

  get stdin(): WritableStream<Uint8Array> {
    return this.#main.stdin
  }
  /** Somebody has to read, or cancel: beyond 64 KiB the program waits. */
  get stdout(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#main.stdout
  }
  get stderr(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#main.stderr
  }
  /** Resolves when its program has ended, and all others in it with that. */
  get exited(): Promise<ExitStatus> {
    return this.#main.exited
  }
  /** How it has ended; undefined while it runs. */
  get status(): ExitStatus | undefined {
    return this.#main.status
  }
  /** What it takes at the moment, and took at most. */
  get usage(): ContainerUsage {
    const { memory, pids } = this.#group.inner
    return {
      ...{ memory: memory.usage, memoryPeak: memory.counter.peak, processes: pids.usage },
      cpuSeconds: this.#group.cpuTime / 1e9,
    }
  }

  /** All its programs stand still until {@link resume}; SIGKILL ends them all the same. */
  pause(): void {
    if (!this.isPaused) this.#tell({ action: 'pause' })
    this.#group.isFrozen = true
    this.host.wake()
  }
  resume(): void {
    if (this.isPaused) this.#tell({ action: 'unpause' })
    this.#group.isFrozen = false
    this.host.wake()
  }
  get isPaused(): boolean {
    return this.#group.isFrozen
  }
  /** What runs in it. */
  processes(): readonly ProcessEntry[] {
    return this.status === undefined ? processesOf(this.host.kernel, this.#main.process) : []
  }

  /** Sends its program a signal. See {@link ContainerProcess.kill}. */
  kill(signal: SignalName | number = 'SIGTERM'): void {
    const isRunning = this.status === undefined
    const number = this.#main.kill(signal)
    if (isRunning) this.#tell({ action: 'kill', signal: number })
  }
  /** Its terminal has another size. */
  resize(size: TerminalSize): void {
    this.#main.resize(size)
  }

  /** Starts a further program in it. @throws VmexitError `container-ended`, `container-program` and others. */
  spawn(options: ExecOptions): ContainerProcess {
    if (this.#main.status !== undefined)
      return containerError('ended', `${this.name} has ended`, 'start another container of its image')
    const { args, env = {}, cwd = this.#spec.cwd, user = this.#spec.user } = options
    if (args.length === 0) containerError('options', 'no program was given', 'give its name and arguments')
    const spec = { args, cwd, user, env: { ...this.#spec.env, ...env } }
    const { vfs } = this.host.kernel
    const enter = (task: Task): void => vfs.enterTree(task.context, task.ns.mnt.tree)
    let pid = 0
    const ended = (status: ExitStatus): void => this.#tell({ action: 'exec_die', pid, ...status })
    const program = this.#start(spec, options, { join: this.#main.process }, enter, ended)
    const { leader, pid: global } = program.process
    pid = leader.ns.pid.local(global)
    this.#tell({ action: 'exec_start', pid, args })
    return program
  }

  /** Runs a further program in it to its end; it reads nothing. */
  async exec(options: ExecOptions): Promise<ExecResult> {
    const program = this.spawn(options)
    const closed = program.stdin.close()
    const [stdout, stderr, status] = await Promise.all([
      collect(program.stdout),
      collect(program.stderr),
      program.exited,
      closed,
    ])
    return { ...status, stdout, stderr }
  }

  /** Kills what runs in it, and gives all back that it has. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.kill('SIGKILL')
    await this.exited.catch(() => {})
    await this.network[Symbol.asyncDispose]()
    this.#giveBack()
  }

  #start(
    spec: ProgramSpec,
    options: { readonly terminal?: TerminalSize; readonly signal?: AbortSignal },
    where: Partial<Spawn>,
    before: NonNullable<Spawn['prepare']>,
    ended: (status: ExitStatus) => void,
  ): ContainerProcess {
    const { kernel } = this.host
    return new ContainerProcess(
      this.host,
      (streams) => {
        // Where the program is, is known when its root is there: `spawn` reads these behind `prepare`.
        const program: { -readonly [Key in keyof Spawn]: Spawn[Key] } = {
          ...{ path: spec.args[0]!, args: spec.args, cgroup: this.#group.inner.path },
          ...where,
          ...streams,
          prepare: (task) => {
            before(task)
            Object.assign(program, become(task, spec, this.#rights))
          },
        }
        return kernel.spawn(program)
      },
      options,
      ended,
    )
  }

  #tell(what: ContainerAction): void {
    const { name: container, host } = this
    host.tell({ ...what, container, time: host.kernel.now })
  }

  #giveBack(): void {
    if (this.#isDisposed) return
    this.#isDisposed = true
    this.#watching()
    this.#charges.releaseAll()
    this.#group.remove()
    this.#root[Symbol.dispose]()
    disposeVolumes(this.#mounts)
    this.#tell({ action: 'destroy' })
  }
}

/** What a container begins with, before it has a program. */
interface Prepared {
  readonly network: NetworkMember
  readonly root: ImageRoot
  readonly group: ContainerGroup
  readonly charges: GroupCharges
  readonly upper: TmpFs
}

/** Files as a task sees them, by a context of its own, which goes with the mounts. */
function insideOf({ kernel: { vfs }, ns }: Task): Looker {
  const task = vfs.newTask(ns.mnt.tree)
  task.umask = 0
  return { vfs, task }
}

const numbers = callNumbers(i386)

/**
 * Starts a container of an image.
 * @throws VmexitError whose `code` says why: see `ContainerErrorCode`; ImageError.
 */
export async function createContainer(options: ContainerOptions): Promise<Container> {
  const { image, signal, host = new ContainerHost() } = options
  const { kernel } = host
  let network: NetworkMember | undefined
  let root: ImageRoot | undefined
  let group: ContainerGroup | undefined
  let charges: GroupCharges | undefined
  try {
    signal?.throwIfAborted()
    const { os, architecture } = image.config
    if (os !== 'linux' || architecture !== '386')
      containerError(
        'image',
        `the image is for ${os}/${architecture}`,
        'take one for linux/386, as `--platform` chooses it',
      )
    network = await joinNetwork(host, options)
    root = await image.root()
    group = new ContainerGroup(kernel, network.name, options)
    charges = new GroupCharges(group.inner)
    const upper = upperFs(kernel, charges)
    if (options.layer !== undefined) await unpackLayer(upper, options.layer)
    return new Container(options, host, { network, root, group, charges, upper })
  } catch (error) {
    charges?.releaseAll()
    group?.remove()
    root?.[Symbol.dispose]()
    disposeVolumes(options.mounts)
    await network?.[Symbol.asyncDispose]()
    throw error
  }
}
