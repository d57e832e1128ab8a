/** Random code in each mode, against the disassembler of GNU binutils where the host has one. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDecoder, createInsn, disassemble, Failure, type Insn, table } from '@vmexit/x86-decoder'
import { expect, test } from 'vitest'
import { randomCode } from './random.ts'

const codeLength = 120_000
const seed = 20_260

interface Line {
  readonly address: number
  readonly bytes: string
  readonly length: number
  readonly text: string
}

function objdump(code: Uint8Array, bits: 16 | 32 | 64): Line[] {
  const folder = mkdtempSync(join(tmpdir(), 'x86-decoder-'))
  try {
    const file = join(folder, 'code.bin')
    writeFileSync(file, code)
    const machine =
      bits === 64
        ? ['-m', 'i386:x86-64', '-M', 'intel,intel64']
        : ['-m', 'i386', '-M', bits === 16 ? 'intel,i8086' : 'intel']
    const options = ['-D', '-b', 'binary', ...machine, '-w', '--insn-width=16', file]
    const text = execFileSync('objdump', options, { maxBuffer: 1 << 28 }).toString()
    return [...text.matchAll(/^ *([0-9a-f]+):\t([0-9a-f ]+?) *\t(.*)$/gm)].map(
      ([, address = '', bytes = '', line = '']) => ({
        address: Number.parseInt(address, 16),
        bytes,
        length: bytes.split(' ').length,
        text: line.toLowerCase(),
      }),
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function hasObjdump(): boolean {
  try {
    return execFileSync('objdump', ['--help'], { stdio: ['ignore', 'pipe', 'ignore'] }).includes('i386')
  } catch {
    return false
  }
}

const prefix =
  /^(data16|data32|addr16|addr32|rex(\.[wrxb]+)?|[cdefgs]s|lock|repn?[ze]?|repnz|bnd|notrack|xacquire|xrelease)(\s+|$)/
const predicates = ['eq', 'lt', 'le', 'unord', 'neq', 'nlt', 'nle', 'ord']
/** Mnemonics that one side writes with a size suffix and the other without. */
const sized = new RegExp(
  `^(${[
    'sgdt|sidt|lgdt|lidt|iret|pushf|popf|pusha|popa|leave|ret|retf|enter|push|pop|call|jmp|sysexit|sysret',
    'movs|cmps|stos|lods|scas|ins|outs|fldenv|fnstenv|fnsave|frstor',
  ].join('|')})[bwdq]$`,
)

function withoutPrefixes(text: string): string {
  let rest = text.replace(/\s*(#|<).*$/, '').trim()
  while (prefix.test(rest)) rest = rest.replace(prefix, '')
  return rest
}

/** One spelling for both sides: prefixes, sizes of memory that the mnemonic implies, and notations differ without meaning. */
function canonical(text: string, targetBits: number): string {
  const [, word = '', rest = ''] = /^(\S+)\s*(.*)$/.exec(withoutPrefixes(text)) ?? []
  let mnemonic = word
    .replace(sized, '$1')
    .replace(/^movabs$/, 'mov')
    .replace(/(?<=.)\(.*$/, '')
  let operands = rest
    .replace(/^(far |only\)$)/, '')
    .replace(/, /g, ',')
    .replace(/\+e?r?iz\*\d/g, '')
    .replace(/\b[er]iz\*\d([+-])/g, (_, sign: string) => (sign === '-' ? '-' : ''))
    .replace(/\*1(?=[\]+-])/g, '')
    .replace(/st\(0\)/g, 'st')
    .replace(/\boword\b/, 'xmmword')
    .replace(/[+-]0x0(?=\])/g, '')
    .replace(/\bdb(\d+)/g, 'dr$1')
    // An address without registers stands in brackets, and without the segment that it has by default.
    .replace(/\b([c-gs]s):(0x[0-9a-f]+)/g, '$1:[$2]')
    .replace(/\bds:(?=\[)|\bss:(?=\[[er]?[bs]p[-+\]])/g, '')
    // A negative displacement from RIP, and an address of 32 bits that is sign-extended.
    .replace(
      /ip\+0xffffffff([89a-f][0-9a-f]{7})\]/,
      (_, low: string) => `ip-0x${(2 ** 32 - Number.parseInt(low, 16)).toString(16)}]`,
    )
    .replace(/(?<=\[0x)ffffffff(?=[89a-f][0-9a-f]{7}\])/, '')
    .trim()
  const comparison = /^cmp(.+)([ps][sd])$/.exec(mnemonic)
  if (comparison && predicates.includes(comparison[1]!)) {
    mnemonic = `cmp${comparison[2]}`
    operands += `,0x${predicates.indexOf(comparison[1]!)}`
  }
  if (/^(movs|cmps)$/.test(mnemonic) && /^xmm/.test(operands)) mnemonic += 'd'
  if (mnemonic === 'xchg' && /^(e?ax),\1$/.test(operands)) return 'nop'
  if (mnemonic === 'xlat') return 'xlatb'
  // MOV to a segment register reads 16 bits of whichever register is named.
  operands = operands
    .replace(/^([c-gs]s),(?:e|r(?=[abcds]))([a-ds][xpi])$/, '$1,$2')
    .replace(/^([c-gs]s,r\d+)[dw]?$/, '$1')
  if (/^(lea|invlpg|[sl][gi]dt)$/.test(mnemonic))
    operands = operands.replace(/\w+ ptr /, '').replace(/\b[c-gs]s:(?=\[)/, '')
  // Branch targets are cut to the operand size.
  if (/^0x[0-9a-f]+$/.test(operands) && /^(j|call|loop)/.test(mnemonic))
    operands = `0x${BigInt.asUintN(targetBits, BigInt(operands)).toString(16)}`
  if (/\[-?0x[0-9a-f]+\]/.test(operands)) {
    operands = operands.replace(/\w+ ptr (?=(\w\w:)?\[)/, '')
    operands = operands.replace(
      /\[-0x([0-9a-f]+)\]/,
      (_, digits: string) => `[0x${(2 ** 32 - Number.parseInt(digits, 16)).toString(16)}]`,
    )
  }
  return `${mnemonic} ${operands}`.trim()
}

const ours = new Set(
  table
    .flatMap((row) => row.mnemonic.toLowerCase().split('/'))
    .flatMap((name) => (name.endsWith('cc') ? [name.slice(0, -2)] : [name])),
)

function isOurs(mnemonic: string): boolean {
  if (ours.has(mnemonic) || ours.has(mnemonic.replace(sized, '$1'))) return true
  return /^(j|set|cmov)/.test(mnemonic) && !/^(jmpe|setssbsy)/.test(mnemonic)
}

/** Why a difference is one of opinion, or `null` where it is an error. */
function explain(line: Line, bits: number, length: number, insn: Insn): string | null {
  const rest = withoutPrefixes(line.text)
  const opcode = line.bytes.replace(/^((66|67|f[023]|[23][6e]|64|65|4.) )*(?=[^ ])/, '')
  const [mnemonic = ''] = rest.split(/\s/)
  if (rest === '' || /^\.byte/.test(rest)) return 'prefixes that objdump takes for an instruction of their own'
  if (length === Failure.truncated) return 'cut off at the end of the random bytes'
  if (length < 0) {
    if (rest.includes('(bad)')) return null
    if (/\block\b/.test(line.text) || /^mov\s.*\bcr8/.test(rest))
      return 'LOCK before an instruction that does not take it'
    if (!isOurs(mnemonic)) return 'instruction of a later processor, or of another maker'
    if (/^8e/.test(opcode) && rest.includes('cs,')) return 'MOV to CS'
    if (/\?|\b(tr\d|cr([1567]|9|1\d)|d[br]([89]|1\d))\b/.test(rest)) return 'register that does not exist'
    if (bits !== 64 && /^(syscall|sysret|swapgs)/.test(mnemonic)) return 'exists in 64-bit mode only'
    if (/^0f (ae|c7|d7)/.test(opcode) && /\b(66|f2|f3) /.test(line.bytes))
      return 'prefix that the manual marks as not allowed (NP)'
    return null
  }
  if (/^fwait/.test(disassemble(insn))) return 'WAIT and the x87 instruction behind it shown as one'
  if (rest.includes('(bad)') && /^(fcom2|fcomp[35]|fxch[47]|fstp[189]|salc)/.test(disassemble(insn)))
    return 'repeats another instruction, absent from the manual'
  if (length !== line.length && !rest.includes('(bad)')) return null
  if (insn.op === 'nop' && insn.modrm >= 0) return 'hint space, since partly assigned'
  if (/^(wbinvd|bsf|bsr)$/.test(insn.op) && /^(wbnoinvd|lzcnt|tzcnt|\(bad\))/.test(mnemonic))
    return 'F3 or F2, ignored here before F3 was given another meaning'
  if (insn.segOverride && /\bnotrack\b/.test(line.text)) return 'segment override shown apart from its operand'
  if (insn.opSize === 64 && insn.operands.some(({ size }) => size === 80))
    return 'far pointer with a 64-bit offset, shown as one of 32'
  if (mnemonic === 'pause' && insn.rex !== 0) return 'REX.B before 90 makes it XCHG, with F3 too'
  if (/fence$/.test(insn.op)) return 'fence with any ModRM.rm'
  return null
}

test.skipIf(!hasObjdump()).each([16, 32, 64] as const)('agrees with objdump on random %i-bit code', (bits) => {
  const code = randomCode(codeLength, seed + bits)
  const decoder = createDecoder()
  const insn = createInsn()
  const reasons = new Map<string, number>()
  const errors: string[] = []
  let equal = 0
  for (const line of objdump(code, bits)) {
    const length = decoder.decode(code, line.address, code.length, bits, insn)
    const theirs = canonical(line.text, length > 0 ? insn.opSize : bits)
    const text = length > 0 ? disassemble(insn, line.address) : '(bad)'
    const bad = theirs.includes('(bad)')
    if (bad ? length < 0 : length === line.length && canonical(text, insn.opSize) === theirs) {
      equal++
      continue
    }
    const reason = explain(line, bits, length, insn)
    if (reason) reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
    else errors.push(`${line.bytes}: ${theirs} | ${canonical(text, insn.opSize)} (${length})`)
  }
  const summary = [...reasons].map(([reason, count]) => `  ${count} ${reason}`).join('\n')
  console.log(`objdump, ${bits}-bit: ${equal} lines equal; outside:\n${summary}`)
  expect(errors.join('\n')).toBe('')
  expect(equal).toBeGreaterThan(codeLength / 4)
})
