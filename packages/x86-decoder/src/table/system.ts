/** System instructions: descriptor tables, control and debug registers, MSRs, ports, interrupt flag, system calls. SDM volume 2. */
import type { Row } from '../row.ts'
import { rows } from './line.ts'

/** System instructions, except VMX. */
export const systemRows: readonly Row[] = rows('386', [
  ['0F 00 /0', 'SLDT', 'sldt', 'rv/m16', 'sensitive'],
  ['0F 00 /1', 'STR', 'str', 'rv/m16', 'sensitive'],
  ['0F 00 /2', 'LLDT', 'lldt', 'r/m16', 'cpl0'],
  ['0F 00 /3', 'LTR', 'ltr', 'r/m16', 'cpl0'],
  ['0F 00 /4', 'VERR', 'verr', 'r/m16', 'sensitive'],
  ['0F 00 /5', 'VERW', 'verw', 'r/m16', 'sensitive'],
  ['0F 01 /0', 'SGDT', 'sgdt', 'm16&n', 'sensitive', 'f64'],
  ['0F 01 /1', 'SIDT', 'sidt', 'm16&n', 'sensitive', 'f64'],
  ['0F 01 /2', 'LGDT', 'lgdt', 'm16&n', 'cpl0', 'f64'],
  ['0F 01 /3', 'LIDT', 'lidt', 'm16&n', 'cpl0', 'f64'],
  ['0F 01 /4', 'SMSW', 'smsw', 'rv/m16', 'sensitive'],
  ['0F 01 /6', 'LMSW', 'lmsw', 'r/m16', 'cpl0'],
  ['0F 01 /7', 'INVLPG', 'invlpg', 'm', 'cpl0', { feature: '486' }],
  ['0F 01 F8', 'SWAPGS', 'swapgs', '', 'cpl0', 'long', { feature: 'lm' }],
  ['0F 02 /r', 'LAR', 'lar', 'rv, rv/m16', 'sensitive'],
  ['0F 03 /r', 'LSL', 'lsl', 'rv, rv/m16', 'sensitive'],
  ['63 /r', 'ARPL', 'arpl', 'r/m16, r16', 'legacy'],

  ['0F 20 /r', 'MOV', 'mov', 'rn, CR', 'cpl0', 'f64'],
  ['0F 22 /r', 'MOV', 'mov', 'CR, rn', 'cpl0', 'f64'],
  ['0F 21 /r', 'MOV', 'mov', 'rn, DR', 'cpl0', 'f64'],
  ['0F 23 /r', 'MOV', 'mov', 'DR, rn', 'cpl0', 'f64'],
  ['0F 06', 'CLTS', 'clts', '', 'cpl0'],
  ['0F 08', 'INVD', 'invd', '', 'cpl0', { feature: '486' }],
  ['0F 09', 'WBINVD', 'wbinvd', '', 'cpl0', { feature: '486' }],
  ['F4', 'HLT', 'hlt', '', 'cpl0'],
  ['FA', 'CLI', 'cli', '', 'iopl'],
  ['FB', 'STI', 'sti', '', 'iopl'],

  ['E4 ib', 'IN', 'in', 'AL, imm8', 'io'],
  ['E5 ib', 'IN', 'in', 'zAX, imm8', 'io'],
  ['EC', 'IN', 'in', 'AL, DX', 'io'],
  ['ED', 'IN', 'in', 'zAX, DX', 'io'],
  ['E6 ib', 'OUT', 'out', 'imm8, AL', 'io'],
  ['E7 ib', 'OUT', 'out', 'imm8, zAX', 'io'],
  ['EE', 'OUT', 'out', 'DX, AL', 'io'],
  ['EF', 'OUT', 'out', 'DX, zAX', 'io'],

  ['0F A2', 'CPUID', 'cpuid', '', { feature: 'pentium' }],
  ['0F AA', 'RSM', 'rsm', '', { feature: 'pentium' }],
  ['0F 33', 'RDPMC', 'rdpmc', '', { feature: 'pentium' }],
  ['0F 31', 'RDTSC', 'rdtsc', '', { feature: 'tsc' }],
  ['0F 30', 'WRMSR', 'wrmsr', '', 'cpl0', { feature: 'msr' }],
  ['0F 32', 'RDMSR', 'rdmsr', '', 'cpl0', { feature: 'msr' }],
  ['0F 34', 'SYSENTER', 'sysenter', '', { feature: 'sep' }],
  ['0F 35', 'SYSEXIT', 'sysexit', '', 'cpl0', { feature: 'sep' }],
  ['0F 05', 'SYSCALL', 'syscall', '', 'long', { feature: 'lm' }],
  ['0F 07', 'SYSRET', 'sysret', '', 'cpl0', 'long', { feature: 'lm' }],

  ['NP 0F AE /0', 'FXSAVE', 'fxsave', 'm', { feature: 'fxsr' }],
  ['NP 0F AE /1', 'FXRSTOR', 'fxrstor', 'm', { feature: 'fxsr' }],
  ['NP 0F AE /7', 'CLFLUSH', 'clflush', 'm8', { feature: 'clfsh' }],
])
