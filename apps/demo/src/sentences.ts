/** What one sees in the comparison, with its own figures. */
import type { Cell, Comparison } from '@vmexit/compare'

/** A few sentences, each of them about cells that the demo measures. */
export function sentences({ cells }: Comparison): readonly string[] {
  const cell = (workload: string, technique: string): Cell =>
    cells.find((each) => each.workload === workload && each.technique === technique)!
  const events = (workload: string, technique: string, name: string) =>
    figure(cell(workload, technique).events[name] ?? 0)
  const ratio = (workload: string, technique: string) => figure(cell(workload, technique).ratio ?? Number.NaN)
  const perMiss = (technique: string) => figure(cell('switch', technique).walkReferencesPerMiss ?? Number.NaN)
  const exits = 'vm-exits'
  return [
    `A system call stays in the guest: ${events('syscall', 'vtx-shadow', exits)} exits under VT-x with shadow paging, ` +
      `${events('syscall', 'vtx-nested', exits)} with nested paging. A CPUID leaves it, ${events('cpuid', 'vtx-nested', exits)} exit each.`,
    `Shadow paging pays when page tables change: ${events('ptemod', 'vtx-shadow', exits)} exits for a changed entry, ` +
      `${events('switch', 'vtx-shadow', exits)} for a round trip between two processes (each CR3 load), ` +
      `${events('fork', 'vtx-shadow', exits)} for a fork, which then costs ${ratio('fork', 'vtx-shadow')} times as much as on bare hardware.`,
    `Nested paging takes ${events('fork', 'vtx-nested', exits)} exits for the same fork (×${ratio('fork', 'vtx-nested')}). ` +
      `It pays when the TLB misses: ${perMiss('vtx-nested')} memory references a walk instead of ${perMiss('native')} ` +
      `(${perMiss('vtx-nested-2m')} with pages of 2 MiB), so that reads all over 32 MiB cost ${ratio('random', 'vtx-nested')} times as much.`,
    'Arithmetic costs the same everywhere but under software emulation, which does every instruction by a program: ' +
      `${events('integer', 'software-emulation', 'emulated')} of ${events('integer', 'software-emulation', 'instructions')}. ` +
      'No source has prices for an interpreter on this processor, so that column has no cycles.',
  ]
}

/** A number with at most two digits behind the point, in groups of three. */
function figure(value: number): string {
  const rounded = Math.round(value * 100) / 100
  return rounded >= 1000
    ? String(Math.round(rounded)).replace(/\B(?=(\d{3})+$)/g, ',')
    : String(rounded >= 100 ? Math.round(rounded) : rounded)
}
