/** A tree of control groups alone, with no kernel and no clock: two tenants share a CPU 3 to 1, and one has limits. */
import { type Group, Hierarchy, type Process } from '@vmexit/cgroup'

let time = 0 // virtual nanoseconds
const tree = new Hierarchy({ kernel: { now: () => time } })
tree.write(tree.root, 'cgroup.subtree_control', '+cpu +memory +pids')
const [web, batch] = ['web', 'batch'].map((name) => tree.mkdir(tree.root, name) as Group)
tree.write(web!, 'cpu.weight', '300')
tree.write(batch!, 'cpu.max', '20000 100000') // at most a fifth of a CPU
tree.write(batch!, 'memory.max', '1M')
tree.write(batch!, 'pids.max', '2')

for (const [pid, group] of [web!, batch!].entries()) {
  const process = tree.members.fork(pid + 1, group) as Process
  tree.scheduler.wake(process.threads.get(pid + 1)!)
}

/** Who is next gets a millisecond; who is throttled waits for its next period. */
for (let turn = 0; turn < 4000; turn++) {
  const picked = tree.scheduler.pick()
  time += 1e6
  if (picked === undefined) continue
  tree.scheduler.charge(picked.thread, 1e6)
  tree.scheduler.put(picked.thread)
}
for (const { path, cpuTime } of [web!, batch!]) console.log(`${path}: ${cpuTime.user / 1e9} s of ${time / 1e9} s`)

// Memory: whoever charges is told whether there is room; nothing happens by itself.
const granted = [600_000, 600_000, 400_000].map((bytes) => batch!.memory.charge(bytes))
console.log(`charged: ${granted}; current ${tree.read(batch!, 'memory.current')}`.trim())
// Processes: the third is EAGAIN, as on Linux.
console.log(
  `fork: ${[3, 4].map((pid) => (typeof tree.members.fork(pid, batch!) === 'number' ? 'EAGAIN' : 'a process'))}`,
)
console.log(`pids.events: ${tree.read(batch!, 'pids.events')}`.trim())
