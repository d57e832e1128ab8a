/** Results as tables, for a terminal and for the docs. */
import { ENGINES, systemOf } from './engines.ts'
import type { Comparison, Figure, Results } from './results.ts'
import { KERNELS, SYSTEMS, type SystemName } from './systems.ts'

/** Rows of cells; the first row is the head, the first column is text. */
export type Table = readonly (readonly string[])[]

/** What a comparison is of, in words. */
export function titleOf({ ours, theirs }: Comparison): string {
  const engine = ENGINES.find((each) => systemOf(each.engine) === ours)!.title
  return `The ${engine} against v86 ${theirs === 'v86' ? 'with' : 'without'} its JIT`
}

/** The two systems of a comparison, kernel by kernel. */
export function comparisonTable({ instructions, measured }: Results, compared: Comparison): Table {
  const of = (system: SystemName, kernel: string) =>
    measured.find((each) => each.system === system && each.kernel === kernel)!
  const row = (kernel: string): string[] => {
    const ours = of(compared.ours, kernel)
    const theirs = of(compared.theirs, kernel)
    const millions = (instructions[kernel]! / 1e6).toFixed(1)
    return [
      kernel,
      millions,
      span(theirs.ms, 1),
      span(ours.ms, 1),
      mips(theirs.mips),
      mips(ours.mips),
      span(compared.ratios[kernel]!, 1),
    ]
  }
  return [
    ['kernel', '10⁶ instr.', 'v86 ms', 'vmexit ms', 'v86 MIPS', 'vmexit MIPS', 'ratio'],
    ...KERNELS.map(row),
    ['geometric mean', '', '', '', '', '', compared.ratio.toFixed(2)],
  ]
}

/** The speeds of all systems. */
export function speeds({ measured }: Results): Table {
  const systems = SYSTEMS.filter(({ name }) => measured.some(({ system }) => system === name))
  const row = (system: SystemName): string[] =>
    KERNELS.map((kernel) => mips(measured.find((each) => each.system === system && each.kernel === kernel)!.mips))
  return [['MIPS', ...KERNELS], ...systems.map(({ name, title }) => [title, ...row(name)])]
}

/** A comparison as bars, for whoever would rather look. */
export function bars({ ratios }: Comparison): string {
  const most = Math.max(1, ...Object.values(ratios).map(({ median }) => median))
  const line = (kernel: string): string => {
    const { median } = ratios[kernel]!
    const bar = (times: number): string => '█'.repeat(Math.max(1, Math.round((times / most) * 48)))
    return `${kernel.padEnd(10)} v86    ${bar(1)} 1\n${''.padEnd(10)} vmexit ${bar(median)} ${median.toFixed(1)}`
  }
  return KERNELS.map(line).join('\n')
}

export function asText(table: Table): string {
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)))
  const pad = (cell: string, column: number): string =>
    column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)
  return table.map((row) => row.map(pad).join('  ').trimEnd()).join('\n')
}

export function asMarkdown([head, ...rows]: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head!), line(head!.map((_, column) => (column === 0 ? '---' : '--:'))), ...rows.map(line)].join('\n')
}

/** The median, and from least to most. */
export function span({ median, least, most }: Figure, digits: number): string {
  return `${median.toFixed(digits)} (${least.toFixed(digits)}–${most.toFixed(digits)})`
}

const mips = (value: number): string => value.toFixed(value < 10 ? 1 : 0)
