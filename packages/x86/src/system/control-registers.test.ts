import { describe, expect, it } from 'vitest'
import { Rig } from '../../test/system/rig.ts'
import { Flag, Layout, Vector } from '../state/layout.ts'
import { raise } from './fault.ts'
import { createModel } from './models.ts'

const GP = { vector: 13, errorCode: 0 }
const UD = { vector: 6, errorCode: undefined }
const toCr = (cr: number): number[] => [0x0f, 0x22, 0xc0 | (cr << 3)]
const fromCr = (cr: number): number[] => [0x0f, 0x20, 0xc0 | (cr << 3)]
function write(rig: Rig, cr: number, value: number): ReturnType<Rig['exec']> {
  rig.state.setReg32(0, value)
  return rig.exec(...toCr(cr))
}

describe('MOV to and from control registers', () => {
  it('exists for CR0, CR2, CR3 and CR4, at CPL 0', () => {
    for (let cr = 0; cr < 8; cr++) {
      const known = [0, 2, 3, 4].includes(cr)
      expect(new Rig().protectedMode(0).exec(...fromCr(cr))).toEqual(known ? undefined : UD)
      expect(new Rig().protectedMode(1).exec(...fromCr(cr))).toEqual(known ? GP : UD)
      expect(new Rig().protectedMode(3).exec(...toCr(cr))).toEqual(known ? GP : UD)
    }
    expect(new Rig().virtual8086(3).exec(...fromCr(0))).toEqual(GP)
    expect(new Rig(createModel('486')).exec(...fromCr(4))).toEqual(UD)
  })

  it.each([
    { name: 'paging without protection', value: 0x8000_0010, outcome: GP },
    { name: 'not-write-through with the cache on', value: 0x2000_0011, outcome: GP },
    { name: 'cache off', value: 0x6000_0011, outcome: undefined },
    { name: 'paging', value: 0x8000_0011, outcome: undefined },
  ])('CR0: $name', ({ value, outcome }) => {
    const rig = new Rig().protectedMode(0)
    const changed = rig.watch()
    rig.state.setReg32(0, 0)
    expect(write(rig, 0, value)).toEqual(outcome)
    if (outcome) expect(changed().filter((change) => !/^state [0-7]:/.test(change))).toEqual([])
    else expect(rig.state.get32(Layout.cr0)).toBe(value | 0)
  })

  it('CR0 keeps ET and drops bits that do not exist', () => {
    const rig = new Rig().protectedMode(0)
    write(rig, 0, 0x1fda_ffc1)
    expect(rig.state.get32(Layout.cr0)).toBe(0x11)
    const old = new Rig(createModel('i386')).protectedMode(0)
    write(old, 0, 0x0005_002f)
    expect(old.state.get32(Layout.cr0)).toBe(0x1f)
  })

  it('CR0 puts everything back when the paging unit refuses', () => {
    const rig = new Rig().protectedMode(0)
    rig.refuse = () => raise(Vector.GP, 0)
    expect(write(rig, 0, 0x8000_0011)).toEqual(GP)
    expect(write(rig, 3, 0x1000)).toEqual(GP)
    expect(write(rig, 4, 0x20)).toEqual(GP)
    expect([rig.state.get32(Layout.cr0), rig.state.getNumber(Layout.cr3), rig.state.get32(Layout.cr4)]).toEqual([
      0x11, 0, 0,
    ])
  })

  it('CR4 takes the bits of the model', () => {
    const rig = new Rig().protectedMode(0)
    expect(write(rig, 4, 0x7ff)).toBeUndefined()
    expect(write(rig, 4, 0x800)).toEqual(GP)
    const noPae = new Rig(createModel('pentium-m', { features: { pae: false, nx: false } })).protectedMode(0)
    expect(write(noPae, 4, 0x20)).toEqual(GP)
    expect(write(new Rig(createModel('pentium')).protectedMode(0), 4, 0x80)).toEqual(GP)
  })

  it('CR2 and CR3 hold what is written; CR3 tells the paging unit', () => {
    const rig = new Rig().protectedMode(0)
    write(rig, 2, 0x8765_4321)
    write(rig, 3, 0xffff_f018)
    rig.exec(...fromCr(2))
    expect(rig.state.reg32(0) >>> 0).toBe(0x8765_4321)
    rig.exec(...fromCr(3))
    expect(rig.state.reg32(0) >>> 0).toBe(0xffff_f018)
    expect(rig.pagingLog).toEqual(['cr3'])
  })

  it('keeps up what engines look at', () => {
    const rig = new Rig().protectedMode(0)
    const bits = (): boolean[] => [rig.state.get32(Layout.fpuBlocked) !== 0, rig.state.get32(Layout.sseBlocked) !== 0]
    write(rig, 0, 0x11)
    expect(bits()).toEqual([false, true])
    write(rig, 4, 0x200)
    expect(bits()).toEqual([false, false])
    write(rig, 0, 0x19)
    expect(bits()).toEqual([true, true])
    rig.exec(0x0f, 0x06)
    expect(bits()).toEqual([false, false])
    write(rig, 0, 0x15)
    expect(bits()).toEqual([true, true])
  })
})

describe('the machine status word', () => {
  it('LMSW sets PE, MP, EM, TS and cannot clear PE', () => {
    const rig = new Rig()
    rig.state.setReg32(0, 0xffff)
    expect(rig.exec(0x0f, 0x01, 0xf0)).toBeUndefined()
    expect(rig.state.get32(Layout.cr0)).toBe(0x1f)
    rig.state.setReg32(0, 0)
    expect(rig.exec(0x0f, 0x01, 0xf0)).toBeUndefined()
    expect(rig.state.get32(Layout.cr0)).toBe(0x11)
    expect(new Rig().protectedMode(3).exec(0x0f, 0x01, 0xf0)).toEqual(GP)
  })
  it('SMSW is open to all: 16 bits to memory, CR0 to a register', () => {
    const rig = new Rig().protectedMode(3)
    rig.state.set32(Layout.cr0, 0x8000_0011)
    rig.state.setReg32(0, 0)
    expect(rig.exec(0x0f, 0x01, 0xe0)).toBeUndefined()
    expect(rig.state.reg32(0) >>> 0).toBe(0x8000_0011)
    rig.dword(0x7000, 0xffff_ffff)
    expect(rig.exec(0x0f, 0x01, 0x25, 0, 0x70, 0, 0)).toBeUndefined()
    expect(rig.dwordAt(0x7000)).toBe(0xffff_0011)
  })
  it('CLTS needs CPL 0', () => {
    expect(new Rig().protectedMode(3).exec(0x0f, 0x06)).toEqual(GP)
  })
})

describe('INVLPG', () => {
  it('takes the linear address without looking at the segment', () => {
    const rig = new Rig().protectedMode(0)
    rig.state.set32(Layout.segments + 3 * 32 + 16, 0)
    rig.state.setNumber(Layout.segments + 3 * 32, 0x1_0000)
    expect(rig.exec(0x0f, 0x01, 0x3d, 0, 0x70, 0, 0)).toBeUndefined()
    expect(rig.pagingLog).toEqual(['invlpg 17000'])
    expect(new Rig().protectedMode(1).exec(0x0f, 0x01, 0x38)).toEqual(GP)
  })
})

describe('serial privileges', () => {
  it.each([
    { name: 'HLT', bytes: [0xf4] },
    { name: 'INVD', bytes: [0x0f, 0x08] },
    { name: 'WBINVD', bytes: [0x0f, 0x09] },
    { name: 'RDMSR', bytes: [0x0f, 0x32] },
    { name: 'WRMSR', bytes: [0x0f, 0x30] },
    { name: 'LGDT', bytes: [0x0f, 0x01, 0x15, 0, 0x70, 0, 0] },
    { name: 'LIDT', bytes: [0x0f, 0x01, 0x1d, 0, 0x70, 0, 0] },
    { name: 'LLDT', bytes: [0x0f, 0x00, 0xd0] },
    { name: 'LTR', bytes: [0x0f, 0x00, 0xd8] },
    { name: 'MOV DR', bytes: [0x0f, 0x21, 0xc0] },
  ])('$name needs CPL 0', ({ bytes }) => {
    for (const cpl of [1, 2, 3] as const) expect(new Rig().protectedMode(cpl).exec(...bytes)).toEqual(GP)
  })
  it('HLT halts', () => {
    const rig = new Rig()
    rig.exec(0xf4)
    expect(rig.events.halted).toBe(true)
  })
  it('RSM and UD2 are undefined', () => {
    for (const bytes of [
      [0x0f, 0xaa],
      [0x0f, 0x0b],
    ])
      expect(new Rig().exec(...bytes)).toEqual(UD)
  })
})

describe('RDTSC and RDPMC', () => {
  it('read the counter, unless CR4.TSD forbids it outside ring 0', () => {
    for (const tsd of [0, 4]) {
      for (const cpl of [0, 1, 2, 3] as const) {
        const rig = new Rig().protectedMode(cpl)
        rig.state.set32(Layout.cr4, tsd)
        rig.time = 0x1_2345_6780n
        rig.msrs.tscOffset = 8n
        expect(rig.exec(0x0f, 0x31)).toEqual(tsd && cpl ? GP : undefined)
        if (!tsd) expect([rig.state.reg32(0) >>> 0, rig.state.reg32(2)]).toEqual([0x2345_6788, 1])
      }
    }
  })
  it('RDPMC needs CR4.PCE outside ring 0, and one of two counters', () => {
    const rig = new Rig().protectedMode(3)
    rig.state.setReg32(1, 0)
    expect(rig.exec(0x0f, 0x33)).toEqual(GP)
    rig.state.set32(Layout.cr4, 0x100)
    expect(rig.exec(0x0f, 0x33)).toBeUndefined()
    rig.state.setReg32(1, 2)
    expect(rig.exec(0x0f, 0x33)).toEqual(GP)
  })
})

describe('alignment checks', () => {
  it('are on with AM, AC and CPL 3 together only', () => {
    for (const am of [0, 0x4_0000]) {
      for (const ac of [0, Flag.AC]) {
        for (const cpl of [0, 3] as const) {
          const rig = new Rig().protectedMode(cpl)
          rig.state.set32(Layout.cr0, 0x11 | am)
          rig.state.eflags = ac
          rig.at(cpl)
          expect(rig.state.get32(Layout.alignmentCheck)).toBe(am && ac && cpl === 3 ? 1 : 0)
          rig.dword(0x7001, 0)
          // SMSW m16 at an odd address.
          const expected = am && ac && cpl === 3 ? { vector: 17, errorCode: 0 } : undefined
          expect(rig.exec(0x0f, 0x01, 0x25, 1, 0x70, 0, 0)).toEqual(expected)
        }
      }
    }
  })
})
