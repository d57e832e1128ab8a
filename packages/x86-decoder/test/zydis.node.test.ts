/** The decoder against the regression cases of Zydis: `.in` holds mode and bytes, `.out` what Zydis says of them. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createDecoder, createInsn, disassemble, Failure, type Insn, Kind, registerName } from '@vmexit/x86-decoder'
import { describe, expect, test } from 'vitest'
import { fromHex, vectorFolder } from './vectors.ts'
import { plainText } from './xed.ts'

const folder = vectorFolder('zydis')

/** Instruction sets of Zydis whose instructions are in the table. */
const covered =
  /^(I86|I186|I386|I486|PENTIUMREAL|PENTIUMMMX|PPRO|FAT_NOP|FCMOV|X87|SSE|SSE2|LONGMODE|CMPXCHG16B|PAUSE|CLFSH)$/

interface Expected {
  readonly mnemonic: string
  readonly length: number
  readonly operandSize: number
  readonly addressSize: number
  readonly text: string
  /** Those that the text shows: what kind, its size, and its value or address fields. */
  readonly operands: readonly { readonly type: string; readonly size: number; readonly value: string }[]
}

function read(out: string): Expected {
  const field = (name: string) => new RegExp(`${name}: +(\\S+)`).exec(out)![1]!
  const table = out.slice(out.indexOf('##'), out.search(/== \[ +(AVX|FLAGS|ATT) /))
  const operands = table
    .split(/\n(?= \d )/)
    .slice(1)
    .filter((text) => !/^ \d +\S+ +HIDDEN/.test(text))
  return {
    mnemonic: field('MNEMONIC'),
    length: Number(field('LENGTH')),
    operandSize: Number(field('EOSZ')),
    addressSize: Number(field('EASZ')),
    text: /INTEL \] =+\n +ABSOLUTE: (.*)/.exec(out)![1]!,
    operands: operands.map((text) => {
      const [, type = '', size = ''] = /^ \d +(\S+) +\S+ +\S+ +\S+ +(\d+)/.exec(text)!
      const fields = [...text.matchAll(/(?:SEG|BASE|INDEX|SCALE|DISP|OFF) += +(\S+)/g)].map((match) => match[1]!)
      const value = fields.length > 0 ? fields.join(' ') : text.trimEnd().split('\n')[0]!.split(/\s+/).at(-1)!
      return { type, size: Number(size), value: value.toLowerCase().replace(/0x0*(?=.)/g, '0x') }
    }),
  }
}

const hex64 = (low: number, high: number) =>
  `0x${BigInt.asUintN(64, (BigInt(high) << 32n) | BigInt(low >>> 0)).toString(16)}`

/** Zydis shows an immediate sign-extended from its size. */
const signed = (size: number, low: number, high: number) =>
  `0x${BigInt.asUintN(64, BigInt.asIntN(size, BigInt(hex64(low, high)))).toString(16)}`

/** The operands of an instruction as Zydis lists them. */
function listed(insn: Insn): Expected['operands'] {
  const names = [...disassemble(insn).matchAll(/\[([a-z]\w+)?(?:\+([a-z]\w+)\*\d)?/g)][0]
  const segment = ['es', 'cs', 'ss', 'ds', 'fs', 'gs'][insn.seg]!
  return insn.operands.map((operand) => {
    switch (operand.kind) {
      case Kind.mem: {
        const [base = 'none', index = 'none'] = [names?.[1], names?.[2]]
        const scale = insn.index < 0 ? 0 : 1 << insn.scale
        return {
          type: 'MEMORY',
          size: operand.size,
          value: `${segment} ${base} ${index} ${scale} ${hex64(insn.disp, insn.dispHigh)}`,
        }
      }
      case Kind.imm:
        return { type: 'IMMEDIATE', size: operand.size, value: signed(operand.size, insn.imm, insn.immHigh) }
      case Kind.rel:
        return { type: 'IMMEDIATE', size: operand.size, value: hex64(insn.imm, insn.immHigh) }
      case Kind.far:
        return {
          type: 'POINTER',
          size: operand.size,
          value: `0x${insn.imm2.toString(16)} 0x${(insn.imm >>> 0).toString(16)}`,
        }
      default:
        return { type: 'REGISTER', size: operand.size, value: registerName(operand) }
    }
  })
}

/** Our disassembly in the spelling of Zydis: absolute targets of RIP, default segments and no implied operands. */
function zydisText(insn: Insn): string {
  const text = disassemble(insn)
    .replace(/^je /, 'jz ')
    .replace(/ptr \[/, `ptr ${['es', 'cs', 'ss', 'ds', 'fs', 'gs'][insn.seg]}:[`)
    .replace(/\[rip([+-]0x\w+)\]/, (_, offset: string) => `[${hexSum(insn.length, offset)}]`)
  return insn.op === 'scas' ? text.split(' ')[0]! : text
}

function hexSum(length: number, offset: string): string {
  const value = offset.startsWith('-') ? -BigInt(offset.slice(1)) : BigInt(offset.slice(1))
  return `0x${BigInt.asUintN(64, BigInt(length) + value).toString(16)}`
}

describe.skipIf(folder === null)('Zydis', () => {
  test('every case of an instruction in the table decodes as Zydis decodes it', () => {
    const cases = join(folder!, 'tests', 'cases')
    const decoder = createDecoder()
    const insn = createInsn()
    const errors: string[] = []
    const outside = new Map<string, number>()
    let compared = 0
    for (const file of readdirSync(cases).filter((name) => name.endsWith('.in'))) {
      const command = readFileSync(join(cases, file), 'utf8').trim().split(' ')
      const digits = command.at(-1)!
      const bytes = fromHex(digits)
      const bits = command.includes('-64') ? 64 : 32
      const out = readFileSync(join(cases, file.replace('.in', '.out')), 'utf8')
      const set = /ISA-SET: +(\S+)/.exec(out)?.[1] ?? 'an error of Zydis'
      const length = decoder.decode(bytes, 0, bytes.length, bits, insn)
      const rex2 = / HAS_REX2 |\bREX2\b/.test(out)
      if (!covered.test(set) || rex2) {
        // Rule: sets of later processors are undefined here, or a NOP where they were put into the hint space.
        const rule = rex2 ? 'REX2 prefix of APX' : set
        outside.set(rule, (outside.get(rule) ?? 0) + 1)
        if (length !== Failure.undefined && insn.op !== 'nop')
          errors.push(`${file}: ${set} decodes as ${length} ${insn.op}`)
        continue
      }
      compared++
      if (length < 0) {
        errors.push(`${file}: ${length}`)
        continue
      }
      const expected = read(out)
      const byteSized = expected.operandSize === 8
      const pairs: [unknown, unknown][] = [
        [length, expected.length],
        [insn.addrSize, expected.addressSize],
        [byteSized ? 8 : insn.opSize, expected.operandSize],
        [
          zydisText(insn),
          plainText(
            expected.text
              .replace('notrack ', '')
              .toLowerCase()
              .replace(/0x0+(?=[0-9a-f])/g, '0x'),
          ),
        ],
        [zydisText(insn).split(' ')[0], expected.mnemonic],
      ]
      if (expected.operands.length > 0)
        pairs.push([
          // Zydis gives the accessed part of an XMM register and the encoded size of an immediate.
          listed(insn).map(({ type, size, value }, n) => ({
            type,
            size: value.startsWith('xmm') ? expected.operands[n]?.size : size,
            value,
          })),
          expected.operands,
        ])
      for (const [ours, theirs] of pairs)
        if (JSON.stringify(ours) !== JSON.stringify(theirs))
          errors.push(`${file} ${digits}: ${JSON.stringify(ours)} instead of ${JSON.stringify(theirs)}`)
    }
    console.log(
      `Zydis: ${compared} cases compared; outside, by instruction set: ${[...outside].map(([set, count]) => `${count} ${set}`).join(', ')}`,
    )
    expect(errors.join('\n')).toBe('')
    expect(compared).toBeGreaterThan(25)
  })
})
