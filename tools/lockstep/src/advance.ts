/** Running a machine up to an exact instruction. */
import type { Pc } from '@vmexit/vmexit'

/** Why a machine went no further; `limit` if it reached the instruction it was to reach. */
export type End = 'limit' | 'off' | 'idle' | 'shutdown' | 'stuck'

/** Instructions that the machine has retired since power-on. */
export function position(pc: Pc): number {
  return pc.machine.get('counters').get('instructions')
}

/**
 * Runs until `target` instructions are retired since power-on. Idle time is skipped, a reset by the guest is carried
 * out. What the guest prints is dropped.
 */
export function advance(pc: Pc, target: number): End {
  for (;;) {
    const left = target - position(pc)
    if (left <= 0) return 'limit'
    const { reason } = pc.machine.runSlice({ instructions: left })
    pc.console.flush()
    if (reason === 'reset') pc.reset()
    else if (reason === 'instructions') return 'limit'
    else if (reason === 'off' || reason === 'idle' || reason === 'shutdown' || reason === 'stuck') return reason
    else throw new Error(`a run without such a limit ended by ${reason}`)
  }
}
