/** Trees for tests. */
import { type Group, Hierarchy, type HierarchyOptions, type Process } from '../src/index.ts'
import { TestKernel } from './kernel.ts'

/** A hierarchy with all controllers enabled down to the given groups, such as `/a/b`. */
export function treeOf(
  paths: readonly string[],
  options: Omit<HierarchyOptions, 'kernel'> = {},
): { tree: Hierarchy; kernel: TestKernel; at: (path: string) => Group } {
  const kernel = new TestKernel()
  const tree = new Hierarchy({ kernel, hasDevice: (device) => device === '8:0', ...options })
  for (const path of paths) {
    let group = tree.root
    for (const name of path.slice(1).split('/')) {
      must(tree.write(group, 'cgroup.subtree_control', '+cpuset +cpu +io +memory +pids'))
      group = group.children.get(name) ?? (tree.mkdir(group, name) as Group)
    }
  }
  return { tree, kernel, at: (path) => tree.lookup(path)! }
}

/** Throws for an error number. */
export function must<T>(answer: T | number): T {
  if (typeof answer === 'number' && answer < 0) throw new Error(`errno ${-answer}`)
  return answer as T
}

/** A process in a group whose thread wants the CPU. */
export function spin(tree: Hierarchy, pid: number, group: Group): Process {
  const born = must<Process>(tree.members.fork(pid, group))
  for (const thread of born.threads.values()) tree.scheduler.wake(thread)
  return born
}
