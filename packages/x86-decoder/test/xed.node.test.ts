/** The decoder and disassembler against Intel XED's own regression vectors. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import {
  createDecoder,
  createInsn,
  disassemble,
  Failure,
  type Feature,
  type Insn,
  Kind,
  table,
} from '@vmexit/x86-decoder'
import { describe, expect, test } from 'vitest'
import { fromHex, vectorFolder } from './vectors.ts'
import { iclass, plainText, readRow, type XedRow, xedText } from './xed.ts'

const folder = vectorFolder('xed')

/** Instruction sets of XED whose instructions are in the table. */
const covered =
  /^(I86|I186|I386|I486|I486REAL|PENTIUMREAL|PENTIUMMMX|PPRO|FAT_NOP|FCMOV|X87|SSE|SSE2|SSEMXCSR|LONGMODE|CMPXCHG16B|PAUSE|CLFSH|RDPMC)$/

/** Features of the processors that the rows name, where they differ from all. */
const chips: Readonly<Record<string, readonly Feature[]>> = { I286: ['386', 'fpu'] }

/** Rows that say nothing about an instruction of the table, each class with its rule. */
const outside: readonly (readonly [rule: string, applies: (row: XedRow) => boolean])[] = [
  ['the encoder refused the request, so there are no bytes', ({ output }) => /Could not encode/.test(output)],
  ['the command line is malformed on purpose', ({ output }) => /XED CLIENT ERROR/.test(output)],
  ['XACQUIRE and XRELEASE, which are REP prefixes that have no effect here', ({ output }) => /xacquire/.test(output)],
  ['SYSRET outside 64-bit mode: AMD only', ({ command }) => /sysret_amd/.test(command)],
  ['XML output', ({ command }) => / -xml /.test(command)],
  ['AT&T syntax', ({ command }) => / -A /.test(command)],
  ['real mode rejects it, which the decoder is not told', ({ command }) => / -r /.test(command)],
  ['SYSCALL outside 64-bit mode: AMD only', ({ output }) => /ISA_SET: +AMD\|/.test(output)],
  [
    'VEX, EVEX and XOP lead bytes',
    ({ command, bytes, bits }) => leadByte(bytes, bits) && !/-d (66 )?c[45] 1d 0000/.test(command),
  ],
  [
    'instruction set that came after the table: SSE3 and later, BMI, MOVBE, XSAVE, 3DNow!, CET …',
    ({ output }) => instructionSet(output) !== null && !covered.test(instructionSet(output)!),
  ],
  [
    'instruction set that came after the table, encoded on request',
    ({ command, output }) => /rdfsbase|cldemote|ibhf|monitor|: tzcnt/i.test(command + output),
  ],
  [
    'F2 and F3 both on the Pentium, where the first one counts; on later processors the last one does',
    ({ chip, command }) => chip === 'PENTIUM' && /f[23] f[23]/.test(command),
  ],
  [
    'F2 or F3 before LOOPE and LOOPNE on the Pentium, where it changes the condition; later processors ignore it',
    ({ chip, bytes }) => /^(PENTIUM|QUARK)$/.test(chip ?? '') && bytes.length > 2 && (bytes.at(-2)! & 0xfe) === 0xe0,
  ],
]

function instructionSet(output: string): string | null {
  return /ISA-set (\w+)|ISA_SET: +(\w+)/.exec(output)?.slice(1).find(Boolean) ?? null
}

function leadByte(bytes: Uint8Array, bits: number): boolean {
  let p = 0
  while (
    /^(66|67|f[023]|[23][6e]|6[45])$/.test(bytes[p]?.toString(16) ?? '') ||
    (bits === 64 && (bytes[p]! & 0xf0) === 0x40)
  )
    p++
  const [lead = 0, next = 0xff] = bytes.subarray(p)
  if (lead === 0xc4 || lead === 0xc5 || lead === 0x62) return bits === 64 || next >= 0xc0
  return lead === 0x8f && (next & 0x38) !== 0
}

const failures: Readonly<Record<string, number>> = {
  BUFFER_TOO_SHORT: Failure.truncated,
  INSTR_TOO_LONG: Failure.tooLong,
  BAD_LOCK_PREFIX: Failure.undefined,
  GENERAL_ERROR: Failure.undefined,
  INVALID_FOR_CHIP: Failure.undefined,
}

/** Registers, memory and immediates of an encoder's request, in its operand order and in our spelling. */
function requested(output: string): string[] {
  const order = /OPERAND ORDER: ([^|]*)/.exec(output)?.[1]?.trim().split(' ') ?? []
  return order.map((operand) => {
    const value = new RegExp(`\\b${operand}:([^|]*?)(?=, \\w+(?:$|[:,|])|\\||$)`).exec(output)?.[1] ?? ''
    return value.toLowerCase().replace(/\b([c-gs]s)\[/, '$1:[')
  })
}

/** One row against one instruction: what differs, and how many facts were compared. */
function compare(row: XedRow, insn: Insn, length: number): { readonly found: string[]; readonly facts: number } {
  const { output } = row
  const found: string[] = []
  let facts = 0
  const check = (what: string, ours: string | number, theirs: string | number | undefined) => {
    if (theirs === undefined) return
    facts++
    if (String(ours) !== String(theirs)) found.push(`${what}: ${ours} instead of ${theirs}`)
  }
  const field = (pattern: RegExp) => pattern.exec(output)?.[1]?.trim()
  check('class', iclass(insn).replace(/^(RET|CALL)$/, '$1_NEAR'), field(/(?:ICLASS:|iclass) +(\w+)/))
  check('length', length, field(/instruction-length (\d+)/) ?? field(/\|length = (\d+)/))
  if (/Identical re-encoding/.test(output)) check('length', length, field(/Encodable! (\w+)/)!.length / 2)
  check('address size', insn.addrSize, field(/effective-address-width (\d+)/))
  if (!/^(0f|66|f[23])/.test(insn.row.opcode.toLowerCase()))
    check('operand size', insn.opSize, field(/effective-operand-width (\d+)/))
  const short = field(/SHORT: +([^|]*)/) ?? field(/PARSING BYTES:[^|]*\|(?:Using[^|]*\|)?0: ([^<|]*)\|/)
  if (short !== undefined)
    check(
      'text',
      / -no-unit-scale /.test(row.command) ? xedText(insn, row.base).replace('*1', '') : xedText(insn, row.base),
      plainText(short),
    )
  // xed-dec lists operands one to a line: number, type, details, visibility, access, code, bits.
  const listed = [...output.matchAll(/\|\d+ +([A-Z]+\d) +(.*?) +(?:EXPLICIT|IMPLICIT) +[RCW]+ +\w+ +(\d+) /g)]
  if (/\|Operands\|/.test(output) && listed.length > 0) {
    const text = xedText(insn, row.base)
      .replace(/^.*?(?= |$)/, '')
      .split(', ')
      .map((word) => word.trim())
    check('operands', insn.operands.length, listed.length)
    for (const [n, [, type = '', details = '', bits = '']] of listed.entries()) {
      const operand = insn.operands[n]
      if (!operand) continue
      if (type.startsWith('REG'))
        check(
          type,
          text[n]!,
          details
            .split('=')[1]!
            .toLowerCase()
            .replace(/^st(\d)$/, 'st($1)'),
        )
      if (type.startsWith('MEM') || operand.kind === Kind.gpr) check(`${type} bits`, operand.size, bits)
      if (type.startsWith('IMM')) check(type, text[n]!, /0x\w+/.exec(details)?.[0])
    }
    const memory = /\|Memory Operands\| {2}0 +[a-z ]+(?:SEG= (\w\w) )?BASE= (\w+)\/GPR/.exec(output)
    if (memory && listed.some(([, type]) => type?.startsWith('MEM'))) {
      const names = disassemble(insn, row.base)
      check('base', names.includes(`[${memory[2]!.toLowerCase()}`) ? 'same' : names, 'same')
      if (memory[1] !== undefined) check('segment', ['ES', 'CS', 'SS', 'DS', 'FS', 'GS'][insn.seg]!, memory[1])
    }
  }
  if (row.encodes) {
    check('class', iclass(insn).replace('SYSRET64', 'SYSRET'), field(/equest:\|? ?(\w+)/))
    const operands = requested(output)
    const relative = operands.length === 1 && /RELBR/.test(output)
    const text = xedText(insn, row.base)
      .replace(/^(rep\w* )?\S+ ?(far )?/, '')
      .split(', ')
    if (relative) check('target', `0x${(insn.imm >>> 0).toString(16)}`, operands[0])
    else if (operands.length > 0)
      check('operands', text.join(', ').replace(/0xfffffffffffffff0/, '0xf0'), operands.join(', '))
  }
  return { found, facts }
}

describe.skipIf(folder === null)('Intel XED', () => {
  const rows = folder
    ? gunzipSync(readFileSync(join(folder, 'tests-base.tsv.gz')))
        .toString()
        .trim()
        .split('\n')
        .map(readRow)
    : []

  test('every row of the regression suite decodes as XED decodes it', () => {
    const insn = createInsn()
    const allFeatures = createDecoder()
    const counts = new Map<string, number>()
    const errors: string[] = []
    let compared = 0
    let totalFacts = 0
    for (const row of rows) {
      const rule = outside.find(([, applies]) => applies(row))?.[0]
      if (rule) {
        counts.set(rule, (counts.get(rule) ?? 0) + 1)
        continue
      }
      const features = chips[row.chip ?? '']
      const decoder = features ? createDecoder({ features }) : allFeatures
      const length = decoder.decode(row.bytes, 0, row.bytes.length, row.bits, insn)
      const failure = /ERROR: (\w+)/.exec(row.output)?.[1]
      compared++
      if (failure ? length !== failures[failure] : length < 0)
        errors.push(`${row.command}: ${length} instead of ${failure}`)
      if (failure || length < 0) continue
      const { found, facts } = compare(row, insn, length)
      totalFacts += facts
      if (facts === 0) errors.push(`${row.command}: nothing to compare was found in it`)
      if (found.length > 0) errors.push(`${row.command}: ${found.join('; ')}`)
    }
    const summary = [...counts].map(([rule, count]) => `  ${count} ${rule}`).join('\n')
    console.log(`XED: ${compared} of ${rows.length} rows compared in ${totalFacts} facts; outside:\n${summary}`)
    expect(errors.join('\n')).toBe('')
    expect(compared).toBe(393)
    expect(totalFacts).toBeGreaterThan(1000)
  })

  test('instructions that came after the table do not decode as something else', () => {
    const insn = createInsn()
    const decoder = createDecoder()
    const names = new Set(table.map((row) => row.op))
    const errors: string[] = []
    let undefinedRows = 0
    for (const row of rows) {
      const set = instructionSet(row.output)
      if (set === null || covered.test(set) || set === 'AMD') continue
      const length = decoder.decode(row.bytes, 0, row.bytes.length, row.bits, insn)
      if (length === Failure.undefined) undefinedRows++
      // Bytes that older processors execute as something else: hints, BSF behind a REP that is ignored, LES and LDS.
      else if (length < 0 || !/^(nop|bsf|bsr)$/.test(insn.op) || !names.has(insn.op))
        errors.push(`${row.command}: ${length} ${insn.op}`)
    }
    console.log(`XED: ${undefinedRows} rows of later instruction sets are undefined`)
    expect(errors.join('\n')).toBe('')
  })

  test('the bulk lists decode to a length or a failure', () => {
    const insn = createInsn()
    const decoder = createDecoder()
    const lists = join(folder!, 'tests', 'bulk-tests')
    let count = 0
    for (const file of readdirSync(lists)) {
      for (const [line] of readFileSync(join(lists, file), 'utf8').matchAll(/^DEC.*$/gm)) {
        const bytes = fromHex(line.split(';')[1]!.replace(/^.*?BUILDDIR\/\S+|-\w+( \w+(?= -))?|#.*$/g, ''))
        for (const bits of [16, 32, 64] as const) {
          const length = decoder.decode(bytes, 0, bytes.length, bits, insn)
          if (length > 0) expect(disassemble(insn)).not.toMatch(/undefined|NaN/)
          expect(length).toBeLessThanOrEqual(15)
          count++
        }
      }
    }
    expect(count).toBeGreaterThan(500)
  })
})
