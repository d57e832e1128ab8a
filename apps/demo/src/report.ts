/** Runs as text: what the guest is, what was counted, how fast it went. */
import { differences, type Run } from './run.ts'

/** How text is set off: on a terminal by escape sequences, elsewhere not at all. */
export interface Style {
  readonly bold: (text: string) => string
  readonly faint: (text: string) => string
}

export const plain: Style = { bold: (text) => text, faint: (text) => text }
export const terminal: Style = { bold: (text) => `\x1b[1m${text}\x1b[0m`, faint: (text) => `\x1b[2m${text}\x1b[0m` }

const BAR = 32
const LABEL = 44

/** Digits in groups of three: `7,493,237`. */
const grouped = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ',')
const bar = (part: number): string => '█'.repeat(Math.floor(part * BAR)) + (part * BAR < 1 ? '▏' : '')

/** Tables and bars. With several runs also whether they agree, number for number. */
export function report(runs: readonly Run[], style: Style): string {
  const head = runs.map(({ engine }) => engine.padStart(14)).join('')
  const lines = ['', style.bold('What the hardware counted'.padEnd(LABEL)) + style.faint(head)]
  const row = (label: string, values: readonly number[]): string =>
    label.padEnd(LABEL) + values.map((value) => grouped(value).padStart(14)).join('')
  for (const { name, meaning } of runs[0]!.counts) {
    lines.push(
      row(
        meaning,
        runs.map((run) => run.counts.find((each) => each.name === name)?.count ?? 0),
      ),
    )
  }
  lines.push('', style.bold('Exceptions, by vector'))
  const most = Math.max(...runs[0]!.exceptions.map(({ count }) => count))
  for (const { name, meaning, count } of runs[0]!.exceptions) {
    lines.push(`${`${name} ${meaning}`.padEnd(24)}${grouped(count).padStart(6)}  ${bar(count / most)}`)
  }
  lines.push('', style.bold('Host time'))
  const fastest = Math.max(...runs.map(speed))
  for (const run of runs) {
    const seconds = `${run.seconds.toFixed(2)} s`
    const mips = `${speed(run).toFixed(1)} MIPS`
    lines.push(`${run.engine.padEnd(14)}${seconds.padStart(8)}${mips.padStart(12)}  ${bar(speed(run) / fastest)}`)
  }
  if (runs.length > 1) lines.push('', verdict(runs, style))
  return `${lines.join('\n')}\n`
}

/** Million instructions in a second of the host, start-up of the engine included. */
export function speed(run: Run): number {
  return run.instructions / run.seconds / 1e6
}

function verdict([first, ...others]: readonly Run[], style: Style): string {
  const found = others.flatMap((other) => {
    const differing = differences(first!, other)
    const engines = `${first!.engine} and ${other.engine}`
    return differing.length > 0 ? [`${style.bold(`${engines} differ in:`)} ${differing.join('; ')}`] : []
  })
  if (found.length > 0) return found.join('\n')
  const what = 'counts, console, registers, memory and TLB'
  return `${style.bold('Equal, number for number:')} ${what} are the same under all engines.`
}
