/** A hierarchy as data and back: groups by path order, accounts by id, threads in the order in which they came. */
import { checkState, type State, type StateValue, VmexitError } from '@vmexit/core'
import { type Controller, type ControllerName, controllerNames } from './controller.ts'
import { finite } from './counter.ts'
import type { Activity, PressureState } from './pressure.ts'
import { type Group, Process } from './tree/group.ts'
import { controllers, type Tree } from './tree/tree.ts'

/** A controller's part of a group. */
export type AccountState = { readonly id: number; readonly state: StateValue }

/** A group; parents come before their children. */
export type GroupState = {
  readonly id: number
  readonly name: string
  /** Index in the list of groups; −1 of the root. */
  readonly parent: number
  readonly controls: readonly string[]
  readonly maxDepth: number | null
  readonly maxDescendants: number | null
  readonly freeze: boolean
  readonly cpuTime: { readonly user: number; readonly system: number }
  readonly pressure: PressureState
  readonly accounts: { readonly [controller: string]: AccountState }
}

/** A thread that has not been reaped. */
export type ThreadState = {
  readonly tid: number
  readonly pid: number
  /** Index of the group of its process. */
  readonly group: number
  readonly alive: boolean
  readonly activity: string
  readonly nice: number
  readonly vruntime: number
  /** The account it is charged to. */
  readonly pids: number
}

/** A saved hierarchy. */
export type HierarchyState = State & {
  readonly version: 1
  readonly lastId: number
  readonly groups: readonly GroupState[]
  readonly threads: readonly ThreadState[]
}

type AnyController = Controller<{ id: number }, never>

export function saveTree(tree: Tree, lastId: number): HierarchyState {
  const groups = [...tree.root.subtree()]
  const indices = new Map(groups.map((group, index) => [group, index]))
  const threads = [...tree.members.threads()].map((thread): ThreadState => {
    const { tid, alive, activity, nice, vruntime } = thread
    let { group } = thread.process
    while (group.removed) group = group.parent!
    const place = { tid, pid: thread.process.pid, group: indices.get(group)!, pids: thread.pids.living.id }
    return { ...place, alive, activity, nice, vruntime }
  })
  return { version: 1, lastId, groups: groups.map((group) => saveGroup(group, indices)), threads }
}

function saveGroup(group: Group, indices: ReadonlyMap<Group, number>): GroupState {
  const accounts: Record<string, AccountState> = {}
  for (const name of controllerNames) {
    if (!group.has(name)) continue
    const account = group.accounts[name]
    accounts[name] = { id: account.id, state: (controllers[name] as unknown as AnyController).save(account) }
  }
  const { id, name, freeze, maxDepth, maxDescendants } = group
  return {
    ...{ id, name, parent: group.parent === null ? -1 : indices.get(group.parent)!, controls: [...group.controls] },
    ...{ maxDepth: finite(maxDepth), maxDescendants: finite(maxDescendants), freeze },
    ...{ cpuTime: { ...group.cpuTime }, pressure: group.pressure.save(), accounts },
  }
}

/** Whether a state can be restored; throws a `VmexitError` `state-mismatch` if not. */
export function checkHierarchyState(state: HierarchyState): void {
  checkState('a cgroup hierarchy', state, { version: 1, lastId: 0, groups: [], threads: [] })
  const { groups, threads } = state
  groups.forEach(({ parent }, index) => {
    if (index === 0 ? parent !== -1 : !(parent >= 0 && parent < index))
      throw broken(`group ${index} has no parent before it`)
  })
  if (groups.length === 0) throw broken('there is no root')
  const ids = new Set(groups.flatMap(({ accounts }) => Object.values(accounts).map(({ id }) => id)))
  for (const { tid, group, pids } of threads) {
    if (groups[group] === undefined) throw broken(`thread ${tid} is in no group`)
    if (!ids.has(pids)) throw broken(`thread ${tid} is charged nowhere`)
  }
}

function broken(problem: string): VmexitError {
  return new VmexitError('state-mismatch', {
    problem: `this is not a saved state of a cgroup hierarchy (${problem})`,
    remedy: 'restore what save() returned',
  })
}

/** Fills an empty tree. Children are restored before their parents, so that no limit stands in the way of what was charged. */
export function restoreTree(tree: Tree, make: (parent: Group, name: string) => Group, state: HierarchyState): void {
  const groups: Group[] = []
  for (const saved of state.groups) {
    const group = saved.parent === -1 ? tree.root : make(groups[saved.parent]!, saved.name)
    for (const name of saved.controls) group.controls.add(name as ControllerName)
    groups.push(group)
  }
  for (let index = groups.length - 1; index >= 0; index--) restoreGroup(groups[index]!, state.groups[index]!)
  const pids = new Map(groups.map((group) => [group.pids.id, group.pids]))
  const processes = new Map<number, Process>()
  for (const saved of state.threads) {
    const member = processes.get(saved.pid) ?? new Process(saved.pid, groups[saved.group]!)
    processes.set(saved.pid, member)
    const thread = tree.members.resume(saved.tid, member, saved.alive)
    thread.nice = saved.nice
    thread.vruntime = saved.vruntime
    thread.pids = pids.get(saved.pids)!
    tree.scheduler.resumeThread(thread, saved.activity as Activity)
  }
  tree.scheduler.resume(tree.root)
}

function restoreGroup(group: Group, saved: GroupState): void {
  group.id = saved.id
  group.maxDepth = saved.maxDepth ?? Number.POSITIVE_INFINITY
  group.maxDescendants = saved.maxDescendants ?? Number.POSITIVE_INFINITY
  group.freeze = saved.freeze
  Object.assign(group.cpuTime, saved.cpuTime)
  group.pressure.restore(saved.pressure)
  for (const name of controllerNames) {
    const account = saved.accounts[name]
    if (account === undefined || !group.has(name)) continue
    group.accounts[name].id = account.id
    ;(controllers[name] as unknown as AnyController).restore(group.accounts[name], account.state)
  }
}
