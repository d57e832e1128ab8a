/** How a run of a PC ended, in numbers and in words. */
import type { Pc, PcStop } from '@vmexit/vmexit'

/** Ends that are errors, where the guest has not said anything else. */
const failures: ReadonlySet<PcStop['reason']> = new Set(['triple-fault', 'stuck', 'machine-memory'])

/** The guest's word first, then how it ended. */
export function exitCodeOfStop({ exitCode, reason }: PcStop): number {
  if (exitCode !== undefined) return exitCode & 0xff
  return failures.has(reason) ? 1 : 0
}

/** What there is to say of an end that is not what one would expect; `aborted` of one that was asked for. */
export function wordOfStop({ reason }: PcStop, pc: Pc, aborted: string | undefined): string | undefined {
  const words: { readonly [reason in PcStop['reason']]?: string | undefined } = {
    'triple-fault': "the guest's CPU shut down (triple fault)",
    halted: 'the guest halted with interrupts disabled',
    stuck: "the guest's CPU faults without end",
    'machine-memory': 'the machine has no memory left for the guest',
    reset: 'the guest reset the machine',
    limit: 'the limit is reached',
    aborted,
  }
  const word = words[reason]
  return word && `${word} ${whereabouts(pc)}`
}

function whereabouts(pc: Pc): string {
  const { ip, cs } = pc.position
  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0')
  const codes = ([0x80, 0x84, 0x190] as const).filter((port) => pc.postCode(port) !== 0)
  const post = codes.map((port) => `, POST code ${hex(pc.postCode(port), 2)} at port ${hex(port, 2)}`).join('')
  return `at ${hex(cs, 4)}:${hex(ip, 8)}, after ${pc.counts.instructions} instructions${post}`
}
