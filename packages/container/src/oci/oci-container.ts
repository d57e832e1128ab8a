/** A container of a bundle (runtime-spec, "Lifecycle"): made as its configuration says, and run when its host is. */
import type { IdExtent, Process, SeccompFilter, Spawn, Task } from '@vmexit/linux'
import { OverlayFs } from '@vmexit/overlayfs'
import { type FileSystem, rootCredentials, TmpFs } from '@vmexit/vfs'
import { containerError } from '../errors.ts'
import type { ExitStatus } from '../exit-status.ts'
import { ContainerGroup, GroupCharges } from '../group.ts'
import type { ContainerHost } from '../host.ts'
import { ContainerProcess, type TerminalSize } from '../process.ts'
import type { OciConfig, OciIdMapping, OciLinux, OciProcess } from './config.ts'
import { mountOci, type OciMountContext } from './mounts.ts'
import { refuseOfProcess, refuseUnsupported } from './refusals.ts'
import { groupFiles } from './resources.ts'
import { becomeOci, filterOf, setNames } from './rights.ts'

/** What a container is made with. */
export interface OciContainerOptions extends Pick<OciMountContext, 'bind'> {
  readonly id: string
  readonly config: OciConfig
  /** Whose kernel it runs on: it runs when that does, so a host that waits has containers that are created and not started. */
  readonly host: ContainerHost
  /** What `root.path` names: it is never changed, and what is written lies above it. */
  readonly root: FileSystem
  /** Hooks of the host's are allowed; whoever allows them runs them. */
  readonly hooks?: boolean
  /** Types of mounts that are left out. */
  readonly without?: readonly string[]
  /** The size of its terminal, where `process.terminal` asks for one and `consoleSize` does not say. */
  readonly size?: TerminalSize
}

const KINDS: Readonly<Record<string, NonNullable<Spawn['namespaces']>[number]>> = {
  ...({ mount: 'mnt', pid: 'pid', network: 'net', ipc: 'ipc', uts: 'uts', user: 'user', cgroup: 'cgroup' } as const),
  time: 'time',
}
const SIZE: TerminalSize = { rows: 24, columns: 80 }

/** A container with its first process. Dispose of it. */
export class OciContainer implements AsyncDisposable {
  readonly id: string
  readonly host: ContainerHost
  /** Its first process. */
  readonly main: ContainerProcess
  readonly #group: ContainerGroup
  readonly #charges: GroupCharges
  readonly #filter: SeccompFilter | undefined
  #isDisposed = false

  /** @throws VmexitError whose `code` says why: see `ContainerErrorCode`; `seccomp-profile`; `exec-failed`. */
  constructor({ id, config, host, root, bind, hooks, without = [], size = SIZE }: OciContainerOptions) {
    const { kernel } = host
    const { linux = {}, process: program } = config
    refuseUnsupported(config, { ...(hooks !== undefined && { hooks }) })
    if (program === undefined)
      throw containerError('config', 'config.json has no process', 'give one: it is what a container runs')
    this.id = id
    this.host = host
    this.#filter = filterOf(linux.seccomp)
    this.#group = new ContainerGroup(kernel, id, {}, groupFiles(linux.resources))
    const group = this.#group.inner
    const charges = new GroupCharges(group)
    this.#charges = charges
    try {
      const upper = new TmpFs({ time: kernel.time, charges, mode: 0o755 })
      const fs = new OverlayFs({ lower: [root.root], upper: upper.root })
      const namespaces = (linux.namespaces ?? []).map(({ type }) => KINDS[type]!)
      this.main = this.#start(program, size, { namespaces, root: fs }, (task, terminal) => {
        mapUsers(task, linux)
        // Whoever makes a container may write its root; its users may not.
        task.context.credentials = rootCredentials
        mountOci(task, config, { group, charges, bind, without, terminal })
        setNames(task, config.hostname, config.domainname, linux)
        task.identify()
      })
    } catch (error) {
      this.#giveBack()
      throw error
    }
  }

  /** Resolves when its first process has ended, and all others in it with that. */
  get exited(): Promise<ExitStatus> {
    return this.main.exited
  }

  /** Starts a further process in it. @throws VmexitError. */
  exec(program: OciProcess, size: TerminalSize = SIZE): ContainerProcess {
    if (this.main.status !== undefined)
      return containerError('ended', `${this.id} has ended`, 'create another container')
    refuseOfProcess(program)
    const { vfs } = this.host.kernel
    return this.#start(program, size, { join: this.main.process }, (task) =>
      vfs.enterTree(task.context, task.ns.mnt.tree),
    )
  }

  /** Its processes, by the numbers that they have in it. */
  processes(): { readonly pid: number; readonly args: string }[] {
    const { pid: pids } = this.main.process.leader.ns
    return this.#processes().map((proc) => ({ pid: pids.local(proc.pid), args: proc.leader.name }))
  }

  /** Sends all of its processes a signal. */
  killAll(signal: number): void {
    for (const proc of this.#processes()) this.host.kernel.signal(proc, signal)
    this.host.wake()
  }

  /** Nothing of it runs, or it goes on. */
  freeze(isFrozen: boolean): void {
    const { kernel } = this.host
    kernel.groups.tree.write(this.#group.inner, 'cgroup.freeze', isFrozen ? '1' : '0')
    this.host.wake()
  }

  /** Kills what runs in it, and gives all back that it has. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.freeze(false)
    this.main.kill('SIGKILL')
    await this.exited.catch(() => {})
    this.#giveBack()
  }

  #processes(): Process[] {
    const { inner } = this.#group
    const isWithin = (proc: Process): boolean => {
      for (let at: typeof inner | null = proc.member.group; at !== null; at = at.parent ?? null)
        if (at === inner) return true
      return false
    }
    return [...this.host.kernel.processes.values()].filter(isWithin)
  }

  #start(
    program: OciProcess,
    size: TerminalSize,
    where: Partial<Spawn>,
    before: (task: Task, terminal: number | undefined) => void,
  ): ContainerProcess {
    const { args = [], terminal = false, consoleSize } = program
    const { kernel } = this.host
    const own = consoleSize === undefined ? size : { rows: consoleSize.height, columns: consoleSize.width }
    return new ContainerProcess(
      this.host,
      (streams) => {
        const spawn: { -readonly [Key in keyof Spawn]: Spawn[Key] } = {
          ...{ path: args[0] ?? '', args, cgroup: this.#group.inner.path },
          ...where,
          ...streams,
          prepare: (task) => {
            before(task, streams.terminal && streams.terminal.rdev % 0x10_0000)
            Object.assign(spawn, becomeOci(task, program, this.#filter))
          },
        }
        return kernel.spawn(spawn)
      },
      { ...(terminal && { terminal: own }) },
    )
  }

  #giveBack(): void {
    if (this.#isDisposed) return
    this.#isDisposed = true
    this.#charges.releaseAll()
    this.#group.remove()
  }
}

/** Ids of a user namespace: those of the kernel's first one are the host's, as files of the root have them. */
function mapUsers({ ns: { user } }: Task, { uidMappings = [], gidMappings = [] }: OciLinux): void {
  if (user.parent === null) return
  const extents = (mappings: readonly OciIdMapping[]): IdExtent[] =>
    mappings.map(({ containerID, hostID, size }) => ({ inside: containerID, outside: hostID, count: size }))
  user.uids.extents = extents(uidMappings)
  user.gids.extents = extents(gidMappings)
}
