/** x87 instructions: opcodes D8–DF. SDM volume 2, appendix A.5. */
import type { Row } from '../row.ts'
import { hex, type Line, rows } from './line.ts'

const names = ['FADD', 'FMUL', 'FCOM', 'FCOMP', 'FSUB', 'FSUBR', 'FDIV', 'FDIVR']

/** The eight operations of D8, DC, DA and DE. Where the stack register is the destination, SUB and SUBR, DIV and DIVR swap encodings. */
const arithmetic = names.flatMap((mnemonic, n): Line[] => {
  const op = mnemonic.toLowerCase()
  const integer = mnemonic.replace('F', 'FI')
  const stack = `${hex(0xc0 + n * 8)}+i`
  const compares = n === 2 || n === 3
  const swapped = hex(0xc0 + (n < 4 ? n : n ^ 1) * 8)
  const lines: Line[] = [
    [`D8 /${n}`, mnemonic, op, 'm32fp'],
    [`DC /${n}`, mnemonic, op, 'm64fp'],
    [`DA /${n}`, integer, integer.toLowerCase(), 'm32int'],
    [`DE /${n}`, integer, integer.toLowerCase(), 'm16int'],
    [`D8 ${stack}`, mnemonic, op, compares ? 'ST(i)' : 'ST(0), ST(i)'],
  ]
  if (!compares) {
    lines.push([`DC ${swapped}+i`, mnemonic, op, 'ST(i), ST(0)'])
    lines.push([`DE ${swapped}+i`, `${mnemonic}P`, `${op}p`, 'ST(i), ST(0)'])
  }
  return lines
})

/** D9 D0 and D9 E0–FF: no operand. */
const plain = Object.entries({
  FNOP: 'D0',
  FCHS: 'E0',
  FABS: 'E1',
  FTST: 'E4',
  FXAM: 'E5',
  FLD1: 'E8',
  FLDL2T: 'E9',
  FLDL2E: 'EA',
  FLDPI: 'EB',
  FLDLG2: 'EC',
  FLDLN2: 'ED',
  FLDZ: 'EE',
  F2XM1: 'F0',
  FYL2X: 'F1',
  FPTAN: 'F2',
  FPATAN: 'F3',
  FXTRACT: 'F4',
  FPREM1: 'F5',
  FDECSTP: 'F6',
  FINCSTP: 'F7',
  FPREM: 'F8',
  FYL2XP1: 'F9',
  FSQRT: 'FA',
  FSINCOS: 'FB',
  FRNDINT: 'FC',
  FSCALE: 'FD',
  FSIN: 'FE',
  FCOS: 'FF',
}).map(([mnemonic, modrm]): Line => [`D9 ${modrm}`, mnemonic, mnemonic.toLowerCase(), ''])

/** DA and DB C0–DF. */
const moves = ['B', 'E', 'BE', 'U'].flatMap((condition, n): Line[] => [
  [
    `DA ${hex(0xc0 + n * 8)}+i`,
    `FCMOV${condition}`,
    `fcmov${condition.toLowerCase()}`,
    'ST(0), ST(i)',
    { feature: 'cmov' },
  ],
  [
    `DB ${hex(0xc0 + n * 8)}+i`,
    `FCMOVN${condition}`,
    `fcmovn${condition.toLowerCase()}`,
    'ST(0), ST(i)',
    { feature: 'cmov' },
  ],
])

/** Absent from the manual; processors execute them as the instruction that each repeats. */
const aliases: readonly Line[] = [
  ['DC D0+i', 'FCOM2', 'fcom', 'ST(i)'],
  ['DC D8+i', 'FCOMP3', 'fcomp', 'ST(i)'],
  ['DE D0+i', 'FCOMP5', 'fcomp', 'ST(i)'],
  ['DD C8+i', 'FXCH4', 'fxch', 'ST(i)'],
  ['DF C8+i', 'FXCH7', 'fxch', 'ST(i)'],
  ['D9 D8+i', 'FSTP1', 'fstpnce', 'ST(i)'],
  ['DF D0+i', 'FSTP8', 'fstp', 'ST(i)'],
  ['DF D8+i', 'FSTP9', 'fstp', 'ST(i)'],
  ['DF C0+i', 'FFREEP', 'ffreep', 'ST(i)'],
  ['DB E0', 'FNENI', 'fneni', ''],
  ['DB E1', 'FNDISI', 'fneni', ''],
  ['DB E4', 'FNSETPM', 'fneni', ''],
]

/** x87 instructions. Mnemonics are those that do not wait; a WAIT in front is an instruction of its own. */
export const x87Rows: readonly Row[] = rows('fpu', [
  ['9B', 'FWAIT', 'fwait', ''],
  ...arithmetic,
  ...plain,
  ...moves,
  ...aliases,
  ['D9 /0', 'FLD', 'fld', 'm32fp'],
  ['D9 /2', 'FST', 'fst', 'm32fp'],
  ['D9 /3', 'FSTP', 'fstp', 'm32fp'],
  ['D9 /4', 'FLDENV', 'fldenv', 'm'],
  ['D9 /5', 'FLDCW', 'fldcw', 'm16'],
  ['D9 /6', 'FNSTENV', 'fnstenv', 'm'],
  ['D9 /7', 'FNSTCW', 'fnstcw', 'm16'],
  ['D9 C0+i', 'FLD', 'fld', 'ST(i)'],
  ['D9 C8+i', 'FXCH', 'fxch', 'ST(i)'],

  ['DA E9', 'FUCOMPP', 'fucompp', ''],
  ['DB /0', 'FILD', 'fild', 'm32int'],
  ['DB /2', 'FIST', 'fist', 'm32int'],
  ['DB /3', 'FISTP', 'fistp', 'm32int'],
  ['DB /5', 'FLD', 'fld', 'm80fp'],
  ['DB /7', 'FSTP', 'fstp', 'm80fp'],
  ['DB E2', 'FNCLEX', 'fnclex', ''],
  ['DB E3', 'FNINIT', 'fninit', ''],
  ['DB E8+i', 'FUCOMI', 'fucomi', 'ST(0), ST(i)', { feature: 'cmov' }],
  ['DB F0+i', 'FCOMI', 'fcomi', 'ST(0), ST(i)', { feature: 'cmov' }],

  ['DD /0', 'FLD', 'fld', 'm64fp'],
  ['DD /2', 'FST', 'fst', 'm64fp'],
  ['DD /3', 'FSTP', 'fstp', 'm64fp'],
  ['DD /4', 'FRSTOR', 'frstor', 'm'],
  ['DD /6', 'FNSAVE', 'fnsave', 'm'],
  ['DD /7', 'FNSTSW', 'fnstsw', 'm16'],
  ['DD C0+i', 'FFREE', 'ffree', 'ST(i)'],
  ['DD D0+i', 'FST', 'fst', 'ST(i)'],
  ['DD D8+i', 'FSTP', 'fstp', 'ST(i)'],
  ['DD E0+i', 'FUCOM', 'fucom', 'ST(i)'],
  ['DD E8+i', 'FUCOMP', 'fucomp', 'ST(i)'],

  ['DE D9', 'FCOMPP', 'fcompp', ''],
  ['DF /0', 'FILD', 'fild', 'm16int'],
  ['DF /2', 'FIST', 'fist', 'm16int'],
  ['DF /3', 'FISTP', 'fistp', 'm16int'],
  ['DF /4', 'FBLD', 'fbld', 'm80bcd'],
  ['DF /5', 'FILD', 'fild', 'm64int'],
  ['DF /6', 'FBSTP', 'fbstp', 'm80bcd'],
  ['DF /7', 'FISTP', 'fistp', 'm64int'],
  ['DF E0', 'FNSTSW', 'fnstsw', 'AX'],
  ['DF E8+i', 'FUCOMIP', 'fucomip', 'ST(0), ST(i)', { feature: 'cmov' }],
  ['DF F0+i', 'FCOMIP', 'fcomip', 'ST(0), ST(i)', { feature: 'cmov' }],
])
