/** The trace of an event as text of at most 100 columns. */
import { amount, whole } from '../figures.ts'
import { chargeWords } from '../sentences.ts'
import { wrapped } from '../wrapped.ts'
import { EVENT_KINDS, type Explanation, type Step } from './explanation.ts'

const WIDTH = 98
const FIGURES = 22
/** Walks that are shown entry by entry; of the others there is only how many. */
const SHOWN = 12

/** What happened, in its order, and the sums. */
export function explanationText({ workload, technique, kernel, profile, what, steps, ...sum }: Explanation): string {
  let walks = 0
  const lines = steps.flatMap((step, n) => {
    if (step.reads.length > 0 && ++walks > SHOWN) return []
    return stepLines(step, n + 1)
  })
  const hidden = Math.max(0, walks - SHOWN)
  return `${[
    `One ${EVENT_KINDS[what]} of ${workload} under ${technique}, on the kernel ${kernel}`,
    `  Cycles are modelled under ${profile}: no measurement.`,
    '',
    ...lines,
    ...(hidden > 0 ? [`     and ${hidden} more walks of the hardware, which --json has`] : []),
    '',
    ...wrapped(`In all: ${sumWords(sum)}.`, WIDTH, '  '),
  ].join('\n')}\n`
}

function stepLines({ floor, what, at, events, reads, cycles }: Step, number: number): readonly string[] {
  const { instructions = 0 } = events
  const where = at === undefined ? '' : ` at ${hex(at)}`
  const figures = [
    instructions > 0 ? `${whole(instructions)} instr` : '',
    cycles === undefined ? 'no price' : `${whole(cycles)} cycles`,
  ].filter((figure) => figure !== '')
  const head = `${String(number).padStart(3)}  ${floor.padEnd(12)}`
  const text = wrapped(`${head}${what}${where}`, WIDTH - FIGURES, ''.padEnd(head.length))
  const first = `${text[0]!.padEnd(WIDTH - FIGURES)}${figures.join(', ').padStart(FIGURES)}`.trimEnd()
  return [
    first,
    ...text.slice(1),
    ...reads.map(({ format, level, address, low, high }) => {
      const entry = high === 0 ? hex(low) : `${hex(high)}${low.toString(16).padStart(8, '0')}`
      return `${''.padEnd(head.length)}${format === 'EPT' ? '    ' : ''}${format} level ${level}: ${hex(address)} holds ${entry}`
    }),
  ]
}

function sumWords({ charges, cycles, unpriced }: Pick<Explanation, 'charges' | 'cycles' | 'unpriced'>): string {
  const parts = Object.entries(charges).map(
    ([event, { count, each }]) => `${amount(count)} ${chargeWords(event, count)} at ${amount(each)}`,
  )
  const total = cycles === undefined ? `no price for ${unpriced.join(', ')}` : `${whole(cycles)} cycles`
  return [...parts, total].join(', ')
}

const hex = (value: number): string => `0x${value.toString(16).padStart(8, '0')}`
