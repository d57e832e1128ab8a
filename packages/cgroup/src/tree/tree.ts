/**
 * The tree ("Control Group v2", *Organizing Processes and Threads*, *Controlling Controllers*): making and removing
 * groups, and enabling controllers in the children of a group.
 */
import { type Controller, type ControllerName, controllerNames, type Shared } from '../controller.ts'
import { cpuController } from '../cpu/controller.ts'
import { Scheduler } from '../cpu/scheduler.ts'
import { cpusetController } from '../cpuset/controller.ts'
import { Errno } from '../errno.ts'
import { ioController } from '../io/controller.ts'
import type { HierarchyOptions, Kernel } from '../kernel.ts'
import { memoryController } from '../memory/controller.ts'
import { pidsController } from '../pids/controller.ts'
import { type Accounts, Group } from './group.ts'
import { Members } from './members.ts'

type Controllers = { readonly [Name in ControllerName]: Controller<Accounts[Name], never> }

/** The controllers by name. */
export const controllers: Controllers = {
  cpuset: cpusetController,
  cpu: cpuController,
  io: ioController,
  memory: memoryController,
  pids: pidsController,
}

/** Groups and what is enabled in them. */
export class Tree {
  #root!: Group
  #members!: Members
  #scheduler!: Scheduler
  readonly kernel: Kernel
  readonly #shared: Shared
  readonly #maxGroups: number
  readonly #maxDepth: number
  #lastId = 0

  constructor(options: HierarchyOptions) {
    const { kernel, cpus = 1, nodes = 1, maxGroups = 16384, maxDepth = 64 } = options
    const shared = {
      ...{ cpus, nodes, now: () => kernel.now() },
      changed: (group: Group, file: string) => kernel.changed?.(group, file),
      reclaim: (memory: Accounts['memory'], bytes: number) => kernel.reclaim?.(memory, bytes) ?? 0,
      outOfMemory: (memory: Accounts['memory']) => kernel.outOfMemory?.(memory) ?? false,
      hasDevice: (device: string) => options.hasDevice?.(device) ?? false,
    }
    this.kernel = kernel
    this.#shared = shared as Shared
    this.#maxGroups = maxGroups
    this.#maxDepth = maxDepth
    this.reset()
  }

  /** The root: another one after a restore. */
  get root(): Group {
    return this.#root
  }

  /** Processes, and where they are. */
  get members(): Members {
    return this.#members
  }

  /** Who runs next. */
  get scheduler(): Scheduler {
    return this.#scheduler
  }

  /** A root without processes, and nothing else. */
  protected reset(): void {
    const { kernel } = this
    this.#root = new Group(this.nextId(), '', null, {} as Accounts, kernel.now())
    for (const name of controllerNames) this.#create(this.#root, name, null)
    this.#scheduler = new Scheduler(this.#root.cpu, () => kernel.now())
    this.#members = new Members(this.#root, kernel, this.#scheduler)
  }

  /** Ids of groups and accounts: none is given twice. */
  protected nextId(): number {
    return ++this.#lastId
  }

  /** For a restore: the next id is above this one. */
  protected resumeIds(last: number): void {
    this.#lastId = last
  }

  protected get lastId(): number {
    return this.#lastId
  }

  /**
   * A new group. EEXIST where the name is a child's; EINVAL where it cannot be one; EAGAIN beyond `cgroup.max.depth`,
   * `cgroup.max.descendants` or the hierarchy's own limits; ENOENT if the parent has been removed.
   */
  mkdir(parent: Group, name: string): Group | number {
    if (parent.removed) return -Errno.ENOENT
    if (name === '' || name === '.' || name === '..' || /[/\n\0]/.test(name)) return -Errno.EINVAL
    if (parent.children.has(name)) return -Errno.EEXIST
    if (this.root.descendants >= this.#maxGroups || parent.depth >= this.#maxDepth) return -Errno.EAGAIN
    for (let above: Group | null = parent, level = 1; above !== null; above = above.parent, level++) {
      if (above.descendants >= above.maxDescendants || level > above.maxDepth) return -Errno.EAGAIN
    }
    return this.make(parent, name)
  }

  protected make(parent: Group, name: string): Group {
    const group = new Group(this.nextId(), name, parent, { ...parent.accounts }, this.kernel.now())
    parent.children.set(name, group)
    for (let above: Group | null = parent; above !== null; above = above.parent) above.descendants++
    for (const controller of parent.controls) this.#create(group, controller, parent.accounts[controller])
    return group
  }

  /** Removes a group: EBUSY while it has children or processes that live. What is charged to it is its parent's then. */
  rmdir(group: Group): number {
    const { parent } = group
    if (group.removed || parent === null) return parent === null ? -Errno.EBUSY : -Errno.ENOENT
    if (group.children.size > 0 || group.populated) return -Errno.EBUSY
    for (const name of controllerNames) if (group.has(name)) group.accounts[name].remove()
    parent.cpuTime.user += group.cpuTime.user
    parent.cpuTime.system += group.cpuTime.system
    parent.children.delete(group.name)
    group.removed = true
    for (let above: Group | null = parent; above !== null; above = above.parent) above.descendants--
    return 0
  }

  /** The group of a path such as `/a/b`. */
  lookup(path: string): Group | undefined {
    let group: Group | undefined = this.root
    for (const name of path.split('/')) if (name !== '') group = group?.children.get(name)
    return group
  }

  /** The controllers that may be enabled in the children: those that are enabled in the group itself. */
  available(group: Group): ControllerName[] {
    return controllerNames.filter((name) => group.has(name))
  }

  /**
   * Enables and disables controllers in the children of a group: all of them, or nothing and an error number. ENOENT: a
   * controller is not enabled in the group itself. EBUSY: a child has enabled the one to disable, or processes are in a
   * group whose children are to compete (*No Internal Process Constraint*).
   */
  control(group: Group, changes: ReadonlyMap<ControllerName, boolean>): number {
    const changed = [...changes].filter(([name, on]) => group.controls.has(name) !== on)
    for (const [name, on] of changed) {
      if (on && !group.has(name)) return -Errno.ENOENT
      if (!on && [...group.children.values()].some(({ controls }) => controls.has(name))) return -Errno.EBUSY
    }
    const enables = changed.some(([, on]) => on)
    if (enables && group.parent !== null && group.processes.size > 0) return -Errno.EBUSY
    for (const [name, on] of changed) on ? this.#enable(group, name) : this.#disable(group, name)
    return 0
  }

  #enable(group: Group, name: ControllerName): void {
    group.controls.add(name)
    for (const child of group.children.values()) this.#create(child, name, group.accounts[name])
  }

  #disable(group: Group, name: ControllerName): void {
    group.controls.delete(name)
    for (const child of group.children.values()) {
      const account = child.accounts[name]
      this.#share(child, name, group.accounts[name])
      account.remove()
    }
  }

  #create<Name extends ControllerName>(group: Group, name: Name, parent: Accounts[Name] | null): void {
    const account = controllers[name].create(this.nextId(), group, parent, this.#shared as never)
    ;(parent?.children as Set<Accounts[Name]> | undefined)?.add(account)
    this.#share(group, name, account)
  }

  /** The group and those below it that have no account of their own have this one from here on. */
  #share<Name extends ControllerName>(group: Group, name: Name, account: Accounts[Name]): void {
    group.accounts[name] = account
    for (const member of group.processes) this.members.rehome(member)
    if (!group.controls.has(name)) for (const child of group.children.values()) this.#share(child, name, account)
  }
}
