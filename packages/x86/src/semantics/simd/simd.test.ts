/** What recorded vectors do not show: faults, blocked units, memory's edges, registers 8–15, and how good approximations are. */
import { table } from '@vmexit/x86-decoder'
import { describe, expect, it } from 'vitest'
import { createMachine, type Machine, MEMORY } from '../../../test/simd/machine.ts'
import { Layout } from '../../state/layout.ts'
import { simd } from './index.ts'

const UD = 6
const NM = 7
const GP = 13
const PF = 14
const MF = 16
const XM = 19
const SI = 6
const DI = 7

const bytes = (text: string): Uint8Array => Uint8Array.from(text.split(' '), (byte) => Number.parseInt(byte, 16))
const code = {
  paddb_mm: bytes('0f fc c1'),
  paddb_xmm: bytes('66 0f fc c1'),
  addps: bytes('0f 58 c1'),
  addps_mem: bytes('0f 58 06'),
  addss_mem: bytes('f3 0f 58 06'),
  divsd: bytes('f2 0f 5e c1'),
  cvtpi2ps: bytes('0f 2a c1'),
  cvtpi2pd_mem: bytes('66 0f 2a 06'),
  movaps_load: bytes('0f 28 06'),
  movaps_store: bytes('0f 29 06'),
  movups_load: bytes('0f 10 06'),
  movntdq: bytes('66 0f e7 06'),
  movhps_store: bytes('0f 17 06'),
  movnti: bytes('0f c3 06'),
  punpcklbw_mm: bytes('0f 60 06'),
  punpckhbw_mm: bytes('0f 68 06'),
  punpcklbw_xmm: bytes('66 0f 60 06'),
  pinsrw: bytes('66 0f c4 06 00'),
  maskmovdqu: bytes('66 0f f7 c1'),
  maskmovq: bytes('0f f7 c1'),
  ldmxcsr: bytes('0f ae 16'),
  stmxcsr: bytes('0f ae 1e'),
  clflush: bytes('0f ae 3e'),
  sfence: bytes('0f ae f8'),
  mfence: bytes('0f ae f0'),
  lfence: bytes('0f ae e8'),
  emms: bytes('0f 77'),
}

const xmmBytes = ({ state }: Machine, reg: number): Uint8Array =>
  state.host.u8.subarray(Layout.xmm + 16 * reg, Layout.xmm + 16 * reg + 16)
const setDoubles = ({ state }: Machine, reg: number, values: readonly number[]): void => {
  for (const [i, value] of values.entries()) state.host.view.setFloat64(Layout.xmm + 16 * reg + 8 * i, value, true)
}
const snapshot = ({ state, memory }: Machine): string =>
  `${state.host.u8.join()} ${new Uint8Array(memory.buffer).join()}`

/** Executes and expects the fault, and nothing changed. */
function expectFault(machine: Machine, instruction: Uint8Array, vector: number): void {
  const before = snapshot(machine)
  expect(machine.execute(instruction)).toBe(vector)
  expect(snapshot(machine)).toBe(before)
}

describe('the table', () => {
  const rows = table.filter(({ feature }) => feature === 'mmx' || feature === 'sse' || feature === 'sse2')
  it.each([...new Set(rows.map(({ op }) => op))].filter((op) => op !== 'nop'))('gives %s a meaning', (op) => {
    expect(simd[op]).toBeTypeOf('function')
  })

  it('has no meaning for what does not exist', () => {
    const operations = new Set(table.map(({ op }) => op))
    expect(Object.keys(simd).filter((op) => !operations.has(op))).toEqual([])
  })
})

describe('a unit that is not to be used', () => {
  const blocked = (cr0: number, cr4: number): Machine => {
    const machine = createMachine(32)
    machine.state.set32(Layout.cr0, 0x21 | cr0)
    machine.state.set32(Layout.cr4, cr4)
    machine.state.set32(Layout.fpuBlocked, cr0)
    machine.state.set32(Layout.sseBlocked, cr0 | (cr4 & 0x200 ? 0 : 1))
    machine.state.setReg32(SI, 0x200)
    return machine
  }
  const [EM, TS, OSFXSR] = [4, 8, 0x200]

  it('is #UD when emulated, for MMX and SSE', () => {
    const machine = blocked(EM, OSFXSR)
    for (const name of ['paddb_mm', 'paddb_xmm', 'addps', 'cvtpi2ps', 'ldmxcsr', 'emms'] as const) {
      expectFault(machine, code[name], UD)
    }
  })

  it('is #NM after a task switch, for MMX and SSE', () => {
    const machine = blocked(TS, OSFXSR)
    for (const name of ['paddb_mm', 'paddb_xmm', 'addps', 'cvtpi2ps', 'stmxcsr', 'emms'] as const) {
      expectFault(machine, code[name], NM)
    }
  })

  it('is #UD for XMM registers and MXCSR without CR4.OSFXSR, and MMX goes on', () => {
    const machine = blocked(0, 0x400)
    for (const name of ['paddb_xmm', 'addps', 'cvtpi2ps', 'ldmxcsr'] as const) expectFault(machine, code[name], UD)
    expect(machine.execute(code.paddb_mm)).toBeUndefined()
  })

  it('does not matter to MOVNTI, CLFLUSH and fences', () => {
    const machine = blocked(EM | TS, 0)
    for (const name of ['movnti', 'clflush', 'sfence', 'lfence', 'mfence'] as const) {
      expect(machine.execute(code[name]), name).toBeUndefined()
    }
  })

  it('is #MF for MMX while an x87 exception is pending', () => {
    const machine = blocked(0, OSFXSR)
    machine.state.set32(Layout.fsw, 0x8081)
    for (const name of ['paddb_mm', 'cvtpi2ps', 'emms', 'maskmovq'] as const) expectFault(machine, code[name], MF)
    for (const name of ['addps', 'cvtpi2pd_mem', 'paddb_xmm'] as const) {
      expect(machine.execute(code[name]), name).toBeUndefined()
    }
  })
})

describe('memory', () => {
  const at = (address: number): Machine => {
    const machine = createMachine(32)
    machine.state.setReg32(SI, address)
    machine.state.setReg32(DI, address)
    return machine
  }

  it('is aligned for 16-byte operands, but for the unaligned moves', () => {
    const machine = at(0x208)
    for (const name of ['movaps_load', 'movaps_store', 'movntdq', 'addps_mem', 'punpcklbw_xmm'] as const) {
      expectFault(machine, code[name], GP)
    }
    for (const name of ['movups_load', 'addss_mem', 'movhps_store', 'punpcklbw_mm'] as const) {
      expect(machine.execute(code[name]), name).toBeUndefined()
    }
  })

  it('is read no further than the operand goes', () => {
    for (const [name, size] of [
      ['punpcklbw_mm', 4],
      ['punpckhbw_mm', 8],
      ['addss_mem', 4],
      ['cvtpi2pd_mem', 8],
      ['movhps_store', 8],
      ['pinsrw', 2],
      ['ldmxcsr', 4],
      ['clflush', 1],
    ] as const) {
      expect(at(MEMORY - size).execute(code[name]), name).toBeUndefined()
      expectFault(at(MEMORY - size + 1), code[name], PF)
    }
  })

  it('is written by MASKMOVDQU in one go or not at all', () => {
    const machine = at(MEMORY - 8)
    xmmBytes(machine, 0).fill(0x55)
    expect(machine.execute(code.maskmovdqu)).toBeUndefined()
    xmmBytes(machine, 1).fill(0x80, 0, 9)
    expectFault(machine, code.maskmovdqu, PF)
    machine.state.setReg32(DI, 0x200)
    expect(machine.execute(code.maskmovdqu)).toBeUndefined()
    expect(new Uint8Array(machine.memory.buffer, 0x200, 10)).toEqual(new Uint8Array(10).fill(0x55, 0, 9))
  })

  it('is reached by MASKMOVQ through DI in 16-bit code', () => {
    const machine = createMachine(16)
    machine.state.setReg32(DI, 0x5678_0200)
    machine.state.set64(Layout.fpr, 0x1122_3344_5566_7788n)
    machine.state.set64(Layout.fpr + 16, 0x0080_8000_0000_00ffn)
    expect(machine.execute(code.maskmovq)).toBeUndefined()
    expect(machine.memory.getBigUint64(0x200, true)).toBe(0x0022_3300_0000_0088n)
  })
})

describe('MXCSR', () => {
  it('does not take bits that are not there', () => {
    const machine = createMachine(32)
    machine.state.setReg32(SI, 0x200)
    machine.memory.setUint32(0x200, 0x0001_1f80, true)
    expectFault(machine, code.ldmxcsr, GP)
    machine.memory.setUint32(0x200, 0xffff, true)
    expect(machine.execute(code.ldmxcsr)).toBeUndefined()
    expect(machine.state.get32(Layout.mxcsr)).toBe(0xffff)
  })

  it('turns an unmasked exception into #XM, or #UD without CR4.OSXMMEXCPT, with its flag set', () => {
    for (const [cr4, vector] of [
      [0x600, XM],
      [0x200, UD],
    ]) {
      const machine = createMachine(64)
      setDoubles(machine, 0, [1, 2])
      machine.state.set32(Layout.cr4, cr4)
      machine.state.set32(Layout.mxcsr, 0x1d80)
      expect(machine.execute(code.divsd)).toBe(vector)
      expect(machine.state.get32(Layout.mxcsr)).toBe(0x1d84)
      expect(machine.state.host.view.getFloat64(Layout.xmm, true)).toBe(1)
    }
  })
})

describe('64-bit code', () => {
  it('has XMM8 to XMM15', () => {
    const machine = createMachine(64)
    setDoubles(machine, 9, [1.5, 10])
    setDoubles(machine, 14, [2, 20])
    // ADDPD XMM9, XMM14; MOVQ R10, XMM9
    expect(machine.execute(bytes('66 45 0f 58 ce'))).toBeUndefined()
    expect(machine.execute(bytes('66 4d 0f 7e ca'))).toBeUndefined()
    expect(machine.state.host.view.getFloat64(Layout.xmm + 16 * 9 + 8, true)).toBe(30)
    expect(machine.state.host.view.getFloat64(Layout.gpr + 8 * 10, true)).toBe(3.5)
  })

  it('clears the upper half of a 32-bit result', () => {
    const machine = createMachine(64)
    machine.state.setReg64(0, -1n)
    // MOVMSKPS EAX, XMM1
    expect(machine.execute(bytes('0f 50 c1'))).toBeUndefined()
    expect(machine.state.reg64(0)).toBe(0n)
  })
})

describe('approximations', () => {
  const machine = createMachine(64)
  const approximate = (instruction: Uint8Array, value: number): number => {
    machine.state.host.view.setFloat32(Layout.xmm + 16, value, true)
    expect(machine.execute(instruction)).toBeUndefined()
    return machine.state.host.view.getFloat32(Layout.xmm, true)
  }
  const rcpss = bytes('f3 0f 53 c1')
  const rsqrtss = bytes('f3 0f 52 c1')

  it('are as near as the manual wants', () => {
    let [worst, worstRoot] = [0, 0]
    for (let i = 0; i < 4096; i++) {
      const value = Math.fround((1 + i / 4096) * 2 ** ((i % 100) - 50))
      worst = Math.max(worst, Math.abs(approximate(rcpss, value) * value - 1))
      worstRoot = Math.max(worstRoot, Math.abs(approximate(rsqrtss, value) * Math.sqrt(value) - 1))
    }
    expect(worst).toBeLessThan(1.5 * 2 ** -12)
    expect(worstRoot).toBeLessThan(1.5 * 2 ** -12)
  })

  it('take denormals for zeros and give no tiny results', () => {
    expect(approximate(rcpss, -(2 ** -140))).toBe(Number.NEGATIVE_INFINITY)
    expect(approximate(rcpss, -(2 ** 127))).toBe(-0)
    expect(approximate(rsqrtss, -(2 ** -140))).toBe(Number.NEGATIVE_INFINITY)
    expect(approximate(rsqrtss, -1)).toBeNaN()
    expect(machine.state.get32(Layout.mxcsr)).toBe(0x1f80)
  })
})
