/**
 * Every form of every x87 instruction against what a processor has done: results, tags, status, condition codes, with
 * exceptions masked and not, on any engine. The vectors and the program that recorded them are in `vectors/x87`.
 */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { decode, type Insn } from '@vmexit/x86-decoder'
import { describe, expect, it } from 'vitest'
import { type EngineChoice, Gpr } from '../../src/index.ts'
import { x87Actions } from '../../src/semantics/x87/actions.ts'
import { nameOf } from '../engine.ts'
import { Machine, OPERAND, textOf } from './machine.ts'
import { type Recorded, readRecording } from './recorded.ts'

const file = process.env['X87_VECTORS'] ?? new URL('../../vectors/x87/host.bin.gz', import.meta.url)
const recording = [...readRecording(gunzipSync(readFileSync(file)))]

const C1 = 0x200
const CODES = 0x4500
const EFLAGS = 0x8d5

/** Names and values of everything that an instruction can change. */
type Picture = Record<string, number | string>

function prepare({ cpu, memory }: Machine, { before }: Recorded): void {
  const { state } = cpu
  state.setReg16(Gpr.ax, 0x3344)
  state.setStatusFlags(before.eflags)
  memory.writeBytes(OPERAND, before.memory)
}

function loadState(machine: Machine, { before }: Recorded): void {
  const top = (before.status >> 11) & 7
  machine.x87 = {
    control: before.control,
    status: before.status,
    empty: before.empty,
    stack: before.registers.map((_, i) => before.registers[(top + i) & 7]!),
    opcode: 0,
    instruction: 0n,
    codeSelector: 0,
    operand: 0n,
    dataSelector: 0,
  }
}

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

function pictureOf(machine: Machine, insn: Insn): Picture {
  const { control, status, empty, stack } = machine.x87
  const top = (status >> 11) & 7
  const picture: Picture = { control, status, empty, eflags: machine.cpu.state.statusFlags() & EFLAGS }
  stack.forEach((_, physical) => {
    picture[`R${physical}`] = textOf(stack[(physical - top) & 7]!)
  })
  const ax = machine.cpu.state.reg16(Gpr.ax)
  picture['memory'] = insn.operands[0]?.size === 16 && insn.modrm === 0xe0 ? ax.toString(16) : hex(machine.operand)
  return picture
}
function wantedOf({ after }: Recorded, insn: Insn): Picture {
  const { control, status, empty, eflags, registers, memory } = after
  const picture: Picture = { control, status, empty, eflags }
  registers.forEach((register, i) => {
    picture[`R${i}`] = textOf(register)
  })
  const ax = (memory[0]! | (memory[1]! << 8)).toString(16)
  picture['memory'] = insn.operands[0]?.size === 16 && insn.modrm === 0xe0 ? ax : hex(memory)
  return picture
}

/** The manual leaves these open: the last bit of a result, and so C1; whether one that happens to be exact is reported so (UE, PE). */
const TRANSCENDENTAL_FREE = 0x230
const LARGEST_F2XM1 = 0x3fff

/** What is not compared, because the manual leaves it open or says otherwise than the recording processor does. */
function tolerate({ before }: Recorded, insn: Insn, got: Picture, wanted: Picture): void {
  const { op } = insn
  const unmasked = ~before.control & (got['status'] as number)
  const loose = (name: string, bits: number): void => {
    got[name] = (got[name] as number) & ~bits
    wanted[name] = (wanted[name] as number) & ~bits
  }
  // SDM vol. 2, FCOMI: C1 is cleared. The recording processor leaves it.
  if (/^fu?comip?$/.test(op)) loose('status', C1)
  // SDM vol. 2, FCOM and FCOMI: after an invalid operation that is not masked the outcome is not delivered.
  if (/^(fi?u?com|ftst)/.test(op) && unmasked & 1) {
    loose('status', CODES)
    loose('eflags', EFLAGS)
  }
  // SDM vol. 1, 8.5.2: a denormal that is not masked leaves the stack alone. The recording processor loads it.
  if (op === 'fld' && unmasked & 2) for (const name of Object.keys(wanted)) wanted[name] = got[name]!
  if (x87Actions[op]) tolerateTranscendental(before, op, got, wanted, loose)
}

function tolerateTranscendental(
  before: Recorded['before'],
  op: string,
  got: Picture,
  wanted: Picture,
  loose: (name: string, bits: number) => void,
): void {
  const st0 = before.registers[(before.status >> 11) & 7]!
  const exponent = st0.se & 0x7fff
  loose('status', TRANSCENDENTAL_FREE)
  const beyond = (op === 'f2xm1' && exponent >= LARGEST_F2XM1) || (op === 'fyl2xp1' && exponent >= 0x3ffd)
  for (const name of Object.keys(wanted)) {
    if (beyond) wanted[name] = got[name]!
    else if (name.startsWith('R') && oneUlp(got[name] as string, wanted[name] as string)) wanted[name] = got[name]!
  }
  // Whether a pending exception is not masked follows from the flags that are not compared.
  if (before.control !== 0x37f) loose('status', 0x8080)
}

/** Adjacent values of the format, or equal ones. */
function oneUlp(a: string, b: string): boolean {
  const rank = (text: string): bigint => {
    const exponent = BigInt(`0x${text.slice(0, 4)}`)
    return (exponent << 63n) + (BigInt(`0x${text.slice(4)}`) & ((1n << 63n) - 1n))
  }
  const distance = rank(a) - rank(b)
  return distance >= -1n && distance <= 1n
}

/** `check` is given the machine when all has been executed. */
export function replaySuite(engine: EngineChoice, check: (machine: Machine) => void = () => {}): void {
  describe(`x87 instructions on the ${nameOf(engine)}`, () => {
    it('does what a processor has done', () => {
      const machine = new Machine(engine)
      const wrong: string[] = []
      for (const vector of recording) {
        const insn = decode(Uint8Array.from(vector.code), { bits: 16 })
        prepare(machine, vector)
        loadState(machine, vector)
        const fault = machine.execute(...vector.code)
        const got = pictureOf(machine, insn)
        const wanted = wantedOf(vector, insn)
        tolerate(vector, insn, got, wanted)
        const different = Object.keys(wanted).filter((name) => got[name] !== wanted[name])
        if (fault < 0 && different.length === 0) continue
        const shown = different.map((name) => `${name} ${show(got[name]!)} not ${show(wanted[name]!)}`).join(', ')
        wrong.push(`${insn.op} ${hex(Uint8Array.from(vector.code))} ${describeInput(vector)}: fault ${fault}, ${shown}`)
      }
      expect(wrong.slice(0, 10), `${wrong.length} of ${recording.length}`).toEqual([])
      expect(recording.length).toBeGreaterThan(10_000)
      check(machine)
    })
  })
}

const show = (value: number | string): string => (typeof value === 'number' ? value.toString(16) : value)
function describeInput({ before }: Recorded): string {
  const top = (before.status >> 11) & 7
  const [a, b] = [before.registers[top]!, before.registers[(top + 1) & 7]!]
  return `control ${show(before.control)} status ${show(before.status)} empty ${show(before.empty)} ${textOf(a)} ${textOf(b)} ${hex(before.memory)}`
}
