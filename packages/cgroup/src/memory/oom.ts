/**
 * Whom to kill when a group is out of memory: the process for which the kernel answers the highest number, and with it
 * all others of its group, or of a group above up to the one that is full, if `memory.oom.group` says so ("Control Group
 * v2", `memory.oom.group`).
 */
import type { Group, Process } from '../tree/group.ts'
import type { MemoryAccount } from './account.ts'

/**
 * The processes to kill so that `full` has room, counted in `memory.events` already; none if there is none to kill.
 * `badness` says how much memory a process' end would free; below 0 a process is spared, as one with oom_score_adj −1000.
 */
export function oomVictims(full: MemoryAccount, badness: (member: Process) => number): readonly Process[] {
  const group = full.group as Group
  let worst: Process | undefined
  let most = 0
  for (const member of group.allProcesses()) {
    const points = badness(member)
    if (points < 0 || !member.alive || (worst !== undefined && points <= most)) continue
    worst = member
    most = points
  }
  if (worst === undefined) return []
  const together = killedTogether(worst.group.memory, full)
  together?.record('oom_group_kill')
  const victims =
    together === undefined ? [worst] : [...(together.group as Group).allProcesses()].filter((p) => badness(p) >= 0)
  for (const victim of victims) victim.group.memory.record('oom_kill')
  return victims
}

/** The highest account with `oomGroup` from that of the victim up to the full one. */
function killedTogether(from: MemoryAccount, full: MemoryAccount): MemoryAccount | undefined {
  let found: MemoryAccount | undefined
  for (let account: MemoryAccount | null = from; account !== null; account = account.parent) {
    if (account.oomGroup) found = account
    if (account === full) break
  }
  return found
}
