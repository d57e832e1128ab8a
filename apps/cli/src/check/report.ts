/** What a check has found, in words. */
import type { Difference, Divergence, Equivalence } from '@vmexit/vmexit'
import { figure } from './progress.ts'

const hex = (value: number, digits = 8): string => value.toString(16).padStart(digits, '0')

/** For people. */
export function describeEquivalence(found: Equivalence): string {
  const { technique, mmu, divergence, instructions, seconds, checkpoints, stop } = found
  const way = mmu === undefined ? technique : `${technique} and ${mmu}`
  const lines =
    divergence === undefined ? [] : [`${way} differs from the bare machine.`, ...describeDivergence(divergence), '']
  const far = `${figure(instructions)} instructions, ${seconds.toFixed(3)} virtual seconds`
  lines.push(
    divergence === undefined
      ? `${way} equals the bare machine: ${far}, compared ${figure(checkpoints)} times; the end: ${stop}.`
      : `Equal before: ${far}.`,
  )
  lines.push(...describeTolerated(found))
  return `${lines.join('\n')}\n`
}

function describeTolerated({ tolerated }: Equivalence): string[] {
  const { tableBits, staleTranslations, interruptBoundaries } = tolerated
  const lines: string[] = []
  if (tableBits > 0) lines.push(`${figure(tableBits)} entries of page tables with other accessed and dirty bits`)
  if (interruptBoundaries > 0)
    lines.push(`${figure(interruptBoundaries)} interrupts that were on their way at a checkpoint`)
  for (const { from, to } of staleTranslations)
    lines.push(`between ${figure(from)} and ${figure(to)} instructions, what a TLB still held`)
  return lines.length === 0
    ? []
    : ['Tolerated, as the architecture leaves it open:', ...lines.map((line) => `  ${line}`)]
}

function describeDivergence(divergence: Divergence): string[] {
  const { after, cs, ip, linear, bytes, text, reason, before, differences, memory, memoryWords, devices } = divergence
  const code = bytes.map((byte) => hex(byte, 2)).join(' ')
  const more = memoryWords - memory.length
  return [
    `After ${figure(after)} instructions, at ${hex(cs, 4)}:${hex(ip)} (linear ${hex(linear)}):`,
    `  ${code}  ${text}`,
    `Why: ${reason.words} (${reason.kind}).`,
    '',
    'Registers before it:',
    ...general(before),
    ...table('After it:', differences),
    ...table(
      `Memory (${figure(memoryWords)} words${more > 0 ? ', the first of them' : ''}):`,
      memory.map((word) => ({ name: hex(word.address), native: hex(word.native), vm: hex(word.vm) })),
    ),
    ...table('Chips:', devices),
  ]
}

const ROWS = [
  ['eax', 'ebx', 'ecx', 'edx'],
  ['esi', 'edi', 'ebp', 'esp'],
  ['eip', 'eflags', 'cs.selector', 'ss.selector'],
  ['cr0', 'cr2', 'cr3', 'cr4'],
] as const

function general(registers: Readonly<Record<string, string>>): string[] {
  const cell = (name: string): string =>
    `${name.replace('.selector', '').padEnd(6)} ${(registers[name] ?? '').padStart(8, '0')}`
  return ROWS.map((row) => `  ${row.map(cell).join('  ')}`)
}

function table(title: string, differences: readonly Difference[]): string[] {
  if (differences.length === 0) return []
  const rows = [{ name: '', native: 'bare machine', vm: 'VM' }, ...differences]
  const name = Math.max(...rows.map((row) => row.name.length))
  const native = Math.max(...rows.map((row) => row.native.length))
  return ['', title, ...rows.map((row) => `  ${row.name.padEnd(name)}  ${row.native.padEnd(native)}  ${row.vm}`)]
}
