/**
 * Every MMX, SSE and SSE2 instruction against what a processor has computed, results, flags and exceptions, in 64- and
 * 32-bit code, evaluated and generated. The vectors and the program that recorded them are in `vectors/simd`.
 */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { createEmittingMachine } from '../../../test/simd/emitted.ts'
import { createMachine, type Machine } from '../../../test/simd/machine.ts'
import { type Form, type Inputs, readRecording } from '../../../test/simd/recorded.ts'
import { Layout } from '../../state/layout.ts'

const file = process.env['SIMD_VECTORS'] ?? new URL('../../../vectors/simd/host.bin.gz', import.meta.url)
const recording = readRecording(gunzipSync(readFileSync(file)))

const DATA = 0x200
const SI = 6
const DI = 7
/** Registers of the recorder's state before each instruction. */
const TOP = 3
const VALID = 0x5a

/** Bytes of the state or of memory that an output letter stands for. */
function output({ state, memory }: Machine, letter: string): Uint8Array {
  const bytes = (offset: number, length: number): Uint8Array => state.host.u8.slice(offset, offset + length)
  switch (letter) {
    case 'm':
      return bytes(Layout.fpr, 8)
    case 't':
      return Uint8Array.of(state.get32(Layout.top), ~state.get32(Layout.empty), ...bytes(Layout.fpr + 8, 2))
    case 'r':
      return bytes(Layout.gpr, 8)
    case 'M':
      return new Uint8Array(memory.buffer.slice(memory.byteOffset + DATA, memory.byteOffset + DATA + 16))
    case 'c':
      return Uint8Array.of(state.statusFlags(), state.statusFlags() >> 8)
    default:
      return bytes(Layout.xmm, 16)
  }
}

function prepare({ state, memory }: Machine, { destination, source, mxcsr }: Inputs, stores: boolean): void {
  const { u32, view } = state.host
  const put = (offset: number, value: Uint32Array): void => u32.set(value, offset / 4)
  put(Layout.xmm, destination)
  put(Layout.xmm + 16, source)
  put(Layout.gpr, destination.subarray(0, 2))
  put(Layout.gpr + 8, source.subarray(0, 2))
  for (let i = 0; i < 8; i++) {
    put(Layout.fpr + 16 * i, (i === 0 ? destination : source).subarray(0, 2))
    view.setUint16(Layout.fpr + 16 * i + 8, 0x3ff0 + i, true)
  }
  state.set32(Layout.top, TOP)
  state.set32(Layout.empty, ~VALID & 0xff)
  state.set32(Layout.mxcsr, mxcsr)
  state.eflags = 2
  state.setReg32(SI, DATA)
  state.setReg32(DI, DATA)
  new Uint32Array(memory.buffer, memory.byteOffset).set(stores ? destination : source, DATA / 4)
}

/** ModRM of XMM0, [RSI]. */
const MEMORY_SOURCE = 0x06

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

/** IF and the bit that is always set, in the recorded EFLAGS. */
const OTHER_FLAGS = 0x202

/** The most that RCP and RSQRT may be off, twice: by the recorder's processor and by us. */
const TOLERANCE = 2 * 1.5 * 2 ** -12

function agree(letter: string, got: Uint8Array, wanted: Uint8Array): boolean {
  if (letter === 'c') return (got[0] | (got[1] << 8) | OTHER_FLAGS) === (wanted[0] | (wanted[1] << 8))
  if (letter !== 'a') return hex(got) === hex(wanted)
  const [x, y] = [got, wanted].map((bytes) => new Float32Array(bytes.slice().buffer))
  return x.every((value, i) => Object.is(value, y[i]) || Math.abs(value / y[i] - 1) <= TOLERANCE)
}

/** What differs from the recording, one line per vector. */
function replay(form: Form, bits: 32 | 64, machine: Machine): string[] {
  const wrong: string[] = []
  for (const { inputs, outputs } of form.vectors) {
    prepare(machine, inputs, form.outputs.includes('M'))
    const vector = machine.execute(form.code)
    let at = 0
    for (const letter of form.outputs) {
      if (letter === 'f') continue
      const got = output(machine, letter)
      const wanted = outputs.subarray(at, at + got.length)
      at += got.length
      // The manual has CVTPI2PS turn the x87 unit to MMX whatever its source; the recorder's processor only for a register.
      if (letter === 't' && form.name === 'cvtpi2ps' && form.code.at(-1) === MEMORY_SOURCE) continue
      // In 32-bit code the upper half of RAX is not there.
      const width = letter === 'r' && bits === 32 ? 4 : got.length
      if (!agree(letter, got.subarray(0, width), wanted.subarray(0, width))) {
        wrong.push(`${letter} ${hex(got)} and not ${hex(wanted)}, from ${describeInputs(inputs)}`)
      }
    }
    if (!form.outputs.includes('f')) {
      if (vector !== undefined) wrong.push(`fault ${vector}, from ${describeInputs(inputs)}`)
      continue
    }
    const mxcsr = outputs[at] | (outputs[at + 1] << 8)
    if (machine.state.get32(Layout.mxcsr) !== mxcsr || (vector !== undefined) !== (outputs[at + 2] === 1)) {
      const got = `mxcsr ${machine.state.get32(Layout.mxcsr).toString(16)}, fault ${vector}`
      wrong.push(`${got} and not ${mxcsr.toString(16)}, ${outputs[at + 2]}, from ${describeInputs(inputs)}`)
    }
  }
  return wrong
}

function describeInputs({ destination, source, mxcsr }: Inputs): string {
  return `${hex(new Uint8Array(destination.buffer))}, ${hex(new Uint8Array(source.buffer))}, mxcsr ${mxcsr.toString(16)}`
}

const needs64 = (code: Uint8Array): boolean => code.some((byte, i) => byte === 0x48 && code[i + 1] === 0x0f)

const engines = { reference: createMachine, 'generated code': createEmittingMachine }

describe.each(Object.entries(engines))('by %s', (_, create) => {
  describe.each([64, 32] as const)('in %i-bit code', (bits) => {
    const machine = create(bits)
    const forms = recording.filter(({ code }) => bits === 64 || !needs64(code))
    it.each(forms.map((form) => [`${form.name} ${hex(form.code)}`, form] as const))('%s', (_, form) => {
      const wrong = replay(form, bits, machine)
      expect(wrong.slice(0, 5), `${wrong.length} differences in ${form.vectors.length} vectors`).toEqual([])
    })
  })
})
