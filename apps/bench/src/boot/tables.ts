/** Results of boots as tables. */
import type { Table } from '../tables.ts'
import { BOOT_TITLES, type BootSystem } from './names.ts'
import type { BootResults, Row } from './results.ts'

/** Boots and workloads, a line each. */
export function bootTable({ boots, workloads, mean }: BootResults): Table {
  const systems = (Object.keys(BOOT_TITLES) as BootSystem[]).filter((system) => boots[0]!.ms[system] !== undefined)
  const line = ({ name, ms, millions, ratio }: Row): string[] => [
    name,
    millions.toFixed(0),
    ...systems.map((system) => ms[system]!.median.toFixed(0)),
    (millions / (ms.interpreter!.median / 1000)).toFixed(0),
    ratio.median.toFixed(3),
  ]
  const blank = systems.map(() => '')
  return [
    ['', '10⁶ instr.', ...systems.map((system) => `${BOOT_TITLES[system]} ms`), 'vmexit MIPS', 'vmexit / v86-nojit'],
    ...boots.map(line),
    ...workloads.map(line),
    ...(mean === undefined ? [] : [['geometric mean of workloads', '', ...blank, '', mean.toFixed(3)]]),
  ]
}
