import { GuestMemory } from '@vmexit/memory'
import { describe, expect, it } from 'vitest'
import { ENGINES } from '../../test/engine.ts'
import { Rig } from '../../test/system/rig.ts'
import { Cpu } from '../cpu.ts'
import { createModel, type ModelOptions } from '../system/models.ts'
import { CR3_TARGETS, PREEMPTION_TIMER_RATE } from './capabilities.ts'

function rig(options: ModelOptions = {}): Rig {
  return new Rig(createModel('pentium-m', { ...options, features: { vmx: true, ...options.features } }))
}
const read = (from: Rig, msr: number): bigint | undefined => from.model.readMsr(from, msr)
function halves(from: Rig, msr: number): [allowed0: number, allowed1: number] {
  const value = read(from, msr)!
  return [Number(value & 0xffff_ffffn), Number(value >> 32n)]
}

describe('VMX capability registers', () => {
  it('give the revision, and regions of a page in write-back memory', () => {
    const basic = read(rig(), 0x480)!
    expect(basic & 0x7fff_ffffn).toBe(0x766dn)
    expect([(basic >> 32n) & 0x1fffn, (basic >> 50n) & 15n, basic >> 54n]).toEqual([4096n, 6n, 3n])
  })
  // Vol. 3D, A.2 to A.5: what a VMM that knows nothing of the TRUE registers sets, and what those release.
  it.each([
    ['pin', 0x481, 0x48d, 0x16, 0],
    ['primary', 0x482, 0x48e, 0x0401_e172, 0x1_8000],
    ['exit', 0x483, 0x48f, 0x3_6dff, 4],
    ['entry', 0x484, 0x490, 0x11ff, 4],
  ] as const)('have the default1 class of the %s controls', (_, plain, exact, default1, released) => {
    const on = rig()
    const [must, may] = halves(on, plain)
    const [trueMust, trueMay] = halves(on, exact)
    expect([must, trueMust]).toEqual([default1, default1 & ~released])
    expect(may).toBe(trueMay)
    expect((must & ~may) >>> 0).toBe(0)
  })
  it('offer controls bit for bit', () => {
    const on = rig()
    expect([0x481, 0x482, 0x483, 0x484, 0x48b].map((msr) => halves(on, msr)[1])).toEqual([
      0x7f, 0xffc1_fffe, 0x7f_edff, 0xd1ff, 0xe6,
    ])
  })
  it('offer no PAT or EFER to switch where there is none', () => {
    const without = rig({ features: { nx: false, pat: false } })
    expect([0x483, 0x484].map((msr) => halves(without, msr)[1])).toEqual([0x43_edff, 0x11ff])
  })
  it('have misc facts that agree with the constants', () => {
    const misc = Number(read(rig(), 0x485)!)
    expect([misc & 31, (misc >> 16) & 0x1ff]).toEqual([PREEMPTION_TIMER_RATE, CR3_TARGETS])
    expect((misc >> 5) & 15).toBe(0b0111)
  })
  it('fix PE, NE, PG and VMXE, and leave what the model has', () => {
    const on = rig()
    expect([0x486, 0x487, 0x488].map((msr) => read(on, msr))).toEqual([0x8000_0021n, 0xffff_ffffn, 0x2000n])
    expect(Number(read(on, 0x489))).toBe(on.model.cr4Mask)
  })
  it('name the highest field index, in bits 9:1', () => {
    expect(read(rig(), 0x48a)).toBe(0x4cn)
  })
  it('tell of EPT and VPID as far as they are there', () => {
    expect(read(rig(), 0x48c)).toBe(0xf01_0633_4141n)
    expect(read(rig({ vmx: { vpid: false } }), 0x48c)).toBe(0x0633_4141n)
    expect(read(rig({ vmx: { ept: false } }), 0x48c)).toBe(0xf01_0000_0000n)
    const neither = rig({ vmx: { ept: false, vpid: false } })
    expect(read(neither, 0x48c)).toBeUndefined()
    expect(halves(neither, 0x48b)).toEqual([0, 0x44])
  })
  it('are found locked, with VMXON enabled, and cannot be written', () => {
    const on = rig()
    expect(read(on, 0x3a)).toBe(5n)
    for (const msr of [0x3a, 0x480, 0x48b, 0x490]) expect(on.model.writeMsr(on, msr, read(on, msr)!)).toBe(false)
    expect([0x491, 0x492].map((msr) => read(on, msr))).toEqual([undefined, undefined])
  })
})

describe('a model with the feature vmx', () => {
  it('says so in CPUID, knows the instructions, and has CR4.VMXE', () => {
    const on = rig()
    on.protectedMode()
    on.state.setReg32(0, 1)
    expect(on.exec(0x0f, 0xa2)).toBeUndefined()
    expect(on.state.reg32(1)).toBe(0x20)
    expect(on.model.features).toContain('vmx')
    on.state.setReg32(0, 0x2000)
    expect(on.exec(0x0f, 0x22, 0xe0)).toBeUndefined()
    expect(on.exec(0x0f, 0x20, 0xe3)).toBeUndefined()
    expect(on.state.reg32(3)).toBe(0x2000)
  })
  it('is not one of those with a name', () => {
    const off = new Rig().protectedMode()
    off.state.setReg32(0, 1)
    off.exec(0x0f, 0xa2)
    expect([off.state.reg32(1), off.model.vmx, read(off, 0x3a), read(off, 0x480)]).toEqual([
      0,
      undefined,
      undefined,
      undefined,
    ])
    expect(off.model.features).not.toContain('vmx')
    off.state.setReg32(0, 0x2000)
    expect(off.exec(0x0f, 0x22, 0xe0)).toEqual({ vector: 13, errorCode: 0 })
  })
  it('is told what its VMX has, within reason', () => {
    expect(rig({ vmx: { ept: false } }).model.vmx!.features).toEqual({
      ept: false,
      vpid: true,
      unrestrictedGuest: false,
    })
    expect(() => rig({ vmx: { ept: false, unrestrictedGuest: true } })).toThrow(/unrestrictedGuest without ept/)
    expect(() => createModel('pentium-m', { vmx: {} })).toThrow(/no VMX/)
    expect(() => createModel('i386', { features: { vmx: true } })).toThrow(/vmx without msr/)
  })
})

describe.each(ENGINES)('VMCALL outside of VMX operation, on the engine %s', (engine) => {
  it('is an undefined opcode', () => {
    const memory = new GuestMemory({ ranges: [{ kind: 'ram', start: 0, bytes: 0x1_0000 }] })
    const cpu = new Cpu({ memory, engine, model: createModel('pentium-m', { features: { vmx: true } }) })
    memory.write16(4 * 6, 0x200)
    memory.writeBytes(0x100, Uint8Array.of(0x0f, 0x01, 0xc1, 0xf4)) // vmcall
    memory.writeBytes(0x200, Uint8Array.of(0xb0, 1, 0xf4)) // mov al, 1; hlt
    cpu.startAt(0, 0x100)
    expect([cpu.run(100).reason, cpu.state.reg8(0)]).toEqual(['halt', 1])
  })
})
