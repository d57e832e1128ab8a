import { VmexitError } from '@vmexit/core'
import { describe, expect, it } from 'vitest'
import { Rig } from '../../test/system/rig.ts'
import { Layout } from '../state/layout.ts'
import { createModel, defaultModel, type ModelName } from './models.ts'

function cpuid(rig: Rig, leaf: number): number[] {
  rig.state.setReg32(0, leaf)
  expect(rig.exec(0x0f, 0xa2)).toBeUndefined()
  return [0, 3, 1, 2].map((reg) => rig.state.reg32(reg) >>> 0)
}
const text = (...words: number[]): string =>
  words.flatMap((word) => [0, 8, 16, 24].map((at) => String.fromCharCode((word >>> at) & 0xff))).join('')
const read = (rig: Rig, msr: number): bigint | undefined => rig.model.readMsr(rig, msr)
const write = (rig: Rig, msr: number, value: bigint): boolean => rig.model.writeMsr(rig, msr, value)

describe('CPUID', () => {
  it('names the vendor, the signature and the features of the default model', () => {
    const rig = new Rig()
    const [highest, b, c, d] = cpuid(rig, 0) as [number, number, number, number]
    expect([highest, text(b, d, c)]).toEqual([2, 'GenuineIntel'])
    const [signature, , , features] = cpuid(rig, 1) as [number, number, number, number]
    expect((signature >> 8) & 15).toBe(6)
    const bits = [
      'fpu',
      0,
      'vme',
      1,
      'pse',
      3,
      'pae',
      6,
      'cx8',
      8,
      'apic',
      9,
      'sep',
      11,
      'pge',
      13,
      'cmov',
      15,
      'fxsr',
      24,
      'sse2',
      26,
    ]
    for (let i = 0; i < bits.length; i += 2) expect((features >>> (bits[i + 1] as number)) & 1, String(bits[i])).toBe(1)
    expect(text(...[2, 3, 4].flatMap((n) => cpuid(rig, 0x8000_0000 + n)))).toContain('Pentium(R) M')
    expect(cpuid(rig, 0x8000_0001)[3]).toBe(1 << 20)
    expect(cpuid(rig, 0x8000_0008)[0]).toBe(0x2024)
  })
  it('answers a leaf beyond the highest with that one', () => {
    const rig = new Rig()
    expect(cpuid(rig, 7)).toEqual(cpuid(rig, 2))
    expect(cpuid(rig, 0x8000_0009)).toEqual(cpuid(rig, 2))
  })
  it('hides an APIC that is switched off, and NX that is disabled', () => {
    const rig = new Rig()
    write(rig, 0x1b, 0xfee0_0000n)
    expect(cpuid(rig, 1)[3]! & 0x200).toBe(0)
    write(rig, 0x1a0, 1n << 34n)
    expect(cpuid(rig, 0x8000_0001)[3]).toBe(0)
  })
})

describe('options', () => {
  it('switch features, with the control bits and MSRs that go with them', () => {
    const rig = new Rig(defaultModel({ features: { nx: false, pae: false, pat: false } }))
    expect(cpuid(rig, 1)[3]! & ((1 << 6) | (1 << 16))).toBe(0)
    expect(rig.model.cr4Mask & 0x20).toBe(0)
    expect([read(rig, 0x277), read(rig, 0xc000_0080)]).toEqual([undefined, undefined])
  })
  it('refuse features without what they need, naming all of them and the remedy', () => {
    const bad = (): unknown => defaultModel({ features: { pae: false, fxsr: false } })
    expect(bad).toThrow(VmexitError)
    expect(bad).toThrow(/nx without pae/)
    expect(bad).toThrow(/sse without fxsr/)
    expect(() => defaultModel({ brand: 'x'.repeat(48) })).toThrow(/47/)
  })
  it('make application processors', () => {
    const rig = new Rig(defaultModel({ apicId: 3 }))
    expect(cpuid(rig, 1)[1]! >>> 24).toBe(3)
    expect(read(rig, 0x1b)).toBe(0xfee0_0800n)
    expect(read(new Rig(), 0x1b)).toBe(0xfee0_0900n)
  })
  it.each(['i386', '486', 'pentium', 'pentium-m'] as ModelName[])('%s decodes only what it has', (name) => {
    const { features, signature } = createModel(name)
    const family = (signature >> 8) & 15
    expect(features.includes('486')).toBe(family >= 4)
    expect(features.includes('pentium')).toBe(family >= 5)
    expect(features.includes('cmov')).toBe(family >= 6)
    expect(features.includes('lm')).toBe(false)
  })
})

describe('model-specific registers', () => {
  it('raise #GP(0) where there is none, and where it is read-only', () => {
    const rig = new Rig()
    rig.state.setReg32(1, 0x1234_5678)
    expect(rig.exec(0x0f, 0x32)).toEqual({ vector: 13, errorCode: 0 })
    expect(rig.exec(0x0f, 0x30)).toEqual({ vector: 13, errorCode: 0 })
    rig.state.setReg32(1, 0xfe)
    expect(rig.exec(0x0f, 0x32)).toBeUndefined()
    expect([rig.state.reg32(0), rig.state.reg32(2)]).toEqual([0x508, 0])
    expect(rig.exec(0x0f, 0x30)).toEqual({ vector: 13, errorCode: 0 })
  })
  it('hold the entry point of SYSENTER', () => {
    const rig = new Rig()
    rig.state.setReg32(1, 0x176)
    rig.state.setReg32(0, 0xc010_1234)
    expect(rig.exec(0x0f, 0x30)).toBeUndefined()
    expect(rig.msrs.sysenterEip >>> 0).toBe(0xc010_1234)
    expect(read(rig, 0x176)).toBe(0xc010_1234n)
  })
  it('set the time stamp counter: the low half, the upper becomes 0', () => {
    const rig = new Rig()
    rig.time = 1000n
    write(rig, 0x10, 0x5_0000_0064n)
    rig.time = 1010n
    expect(read(rig, 0x10)).toBe(110n)
  })
  it('check memory types of MTRRs and PAT', () => {
    const rig = new Rig()
    expect([write(rig, 0x200, 0x6n), write(rig, 0x200, 0x2n), write(rig, 0x200, 0x10_0000_0006n)]).toEqual([
      true,
      false,
      false,
    ])
    expect([write(rig, 0x201, 0xf_8000_0800n), write(rig, 0x201, 1n)]).toEqual([true, false])
    expect([write(rig, 0x250, 0x0606_0606_0606_0606n), write(rig, 0x250, 7n)]).toEqual([true, false])
    expect([write(rig, 0x2ff, 0xc06n), write(rig, 0x2ff, 0x3n)]).toEqual([true, false])
    expect(read(rig, 0x277)).toBe(0x0007_0406_0007_0406n)
    expect([write(rig, 0x277, 0x0007_0106_0007_0106n), write(rig, 0x277, 3n)]).toEqual([true, false])
  })
  it('tell the paging unit of EFER.NXE, and refuse the rest of EFER', () => {
    const rig = new Rig()
    expect([write(rig, 0xc000_0080, 0x800n), write(rig, 0xc000_0080, 0x100n)]).toEqual([true, false])
    expect([rig.pagingLog, rig.state.get32(Layout.efer), read(rig, 0xc000_0080)]).toEqual([['efer'], 0x800, 0x800n])
  })
  it('keep the bootstrap bit of APIC_BASE', () => {
    const rig = new Rig()
    expect(write(rig, 0x1b, 0xfed0_0800n)).toBe(true)
    expect(read(rig, 0x1b)).toBe(0xfed0_0900n)
    expect(write(rig, 0x1b, 0x400n)).toBe(false)
  })
  it('report no machine checks', () => {
    const rig = new Rig()
    expect([read(rig, 0x179), read(rig, 0x401), write(rig, 0x401, 0n), write(rig, 0x401, 1n)]).toEqual([
      5n,
      0n,
      true,
      false,
    ])
  })
})
