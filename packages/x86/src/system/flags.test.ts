import { describe, expect, it } from 'vitest'
import { At, Rig } from '../../test/system/rig.ts'
import { Flag, Layout } from '../state/layout.ts'

const GP = { vector: 13, errorCode: 0 }
const VME = 1
const PVI = 2
const levels = [0, 1, 2, 3] as const

/** Protected mode at a level with an IOPL. */
function prot(cpl: 0 | 1 | 2 | 3, iopl: number, cr4 = 0): Rig {
  const rig = new Rig().protectedMode(cpl)
  rig.state.set32(Layout.flags, iopl << 12)
  rig.state.set32(Layout.cr4, cr4)
  return rig
}
function v86(iopl: number, cr4 = 0): Rig {
  const rig = new Rig().virtual8086(iopl)
  rig.state.setFlag(Flag.IF, false)
  rig.state.set32(Layout.cr4, cr4)
  return rig
}
const topOf = (rig: Rig): number =>
  rig.state.segBase(2) + (rig.state.stackBits === 16 ? rig.state.reg16(4) : rig.state.reg32(4))
function popf(rig: Rig, image: number, bits: 16 | 32): ReturnType<Rig['exec']> {
  rig.dword(topOf(rig), image)
  return rig.state.codeBits === bits ? rig.exec(0x9d) : rig.exec(0x66, 0x9d)
}

describe('CLI and STI', () => {
  it('need CPL ≤ IOPL, or PVI at CPL 3', () => {
    for (const cpl of levels) {
      for (const iopl of levels) {
        for (const cr4 of [0, PVI, VME]) {
          const own = cpl <= iopl
          const virtual = !own && cpl === 3 && cr4 === PVI
          const sti = prot(cpl, iopl, cr4)
          expect(sti.exec(0xfb)).toEqual(own || virtual ? undefined : GP)
          expect([sti.state.flag(Flag.IF), sti.state.flag(Flag.VIF)]).toEqual([own, virtual])
          expect(sti.events.shadow).toBe(own ? 'sti' : 'none')
          const cli = prot(cpl, iopl, cr4)
          cli.state.setFlag(Flag.IF | Flag.VIF, true)
          expect(cli.exec(0xfa)).toEqual(own || virtual ? undefined : GP)
          expect([cli.state.flag(Flag.IF), cli.state.flag(Flag.VIF)]).toEqual([!own, !virtual])
        }
      }
    }
  })
  it('in virtual-8086 mode need IOPL 3, or VME', () => {
    for (const iopl of levels) {
      for (const cr4 of [0, PVI, VME]) {
        const rig = v86(iopl, cr4)
        expect(rig.exec(0xfb)).toEqual(iopl === 3 || cr4 === VME ? undefined : GP)
        expect([rig.state.flag(Flag.IF), rig.state.flag(Flag.VIF)]).toEqual([iopl === 3, iopl < 3 && cr4 === VME])
      }
    }
  })
  it('raise #GP(0) on STI while a virtual interrupt is pending', () => {
    for (const rig of [v86(0, VME), prot(3, 0, PVI)]) {
      rig.state.setFlag(Flag.VIP, true)
      expect(rig.exec(0xfb)).toEqual(GP)
      expect(rig.exec(0xfa)).toBeUndefined()
    }
  })
  it('cast no shadow when IF is set already', () => {
    const rig = prot(0, 0)
    rig.state.setFlag(Flag.IF, true)
    rig.exec(0xfb)
    expect(rig.events.shadow).toBe('none')
  })
})

describe('PUSHF', () => {
  it('shows everything but RF and VM', () => {
    const rig = prot(0, 3)
    rig.state.eflags = 0x3f_7fd7 & ~Flag.VM
    expect(rig.exec(0x9c)).toBeUndefined()
    expect(rig.stack(1)).toEqual([0x3c_7fd7])
    const program = v86(3)
    expect(program.exec(0x66, 0x9c)).toBeUndefined()
    expect(program.stack(1)).toEqual([0x3002])
  })
  it('in virtual-8086 mode below IOPL 3 needs VME and 16 bits, and shows VIF as IF and IOPL 3', () => {
    expect(v86(0).exec(0x9c)).toEqual(GP)
    expect(v86(0, VME).exec(0x66, 0x9c)).toEqual(GP)
    for (const vif of [false, true]) {
      const rig = v86(1, VME)
      rig.state.setFlag(Flag.VIF, vif)
      rig.state.setFlag(Flag.IF, !vif)
      expect(rig.exec(0x9c)).toBeUndefined()
      expect(rig.stack(1, 16)).toEqual([0x3002 | (vif ? Flag.IF : 0)])
    }
  })
})

describe('POPF', () => {
  const image = 0x3f_7fd7
  const user = 0x4dd7
  it('changes what level and IOPL allow, and no more', () => {
    for (const cpl of levels) {
      for (const iopl of levels) {
        for (const bits of [16, 32] as const) {
          const rig = prot(cpl, iopl)
          expect(popf(rig, image, bits)).toBeUndefined()
          const high = bits === 32 ? Flag.AC | Flag.ID : 0
          const own = cpl === 0 ? Flag.IF | Flag.IOPL : (cpl <= iopl ? Flag.IF : 0) | (iopl << 12)
          expect(rig.state.eflags, `cpl ${cpl} iopl ${iopl}`).toBe(user | high | own)
          expect(rig.state.reg32(4)).toBe(0x20000 + cpl * 0x1000 + bits / 8)
        }
      }
    }
  })
  it('leaves VM, VIF and VIP as they are', () => {
    const rig = prot(0, 0)
    rig.state.setFlag(Flag.VIF | Flag.VIP, true)
    popf(rig, 0, 32)
    expect(rig.state.eflags).toBe(Flag.VIF | Flag.VIP | 2)
  })
  it('in virtual-8086 mode at IOPL 3 changes IF but not IOPL', () => {
    const rig = v86(3)
    expect(popf(rig, 0x0fd7, 16)).toBeUndefined()
    expect(rig.state.eflags).toBe(Flag.VM | 0x3fd7)
  })
  it('in virtual-8086 mode below IOPL 3 needs VME and 16 bits, and changes VIF', () => {
    expect(popf(v86(2), 0, 16)).toEqual(GP)
    expect(popf(v86(2, VME), 0, 32)).toEqual(GP)
    const rig = v86(2, VME)
    expect(popf(rig, Flag.IF | Flag.CF, 16)).toBeUndefined()
    expect(rig.state.eflags).toBe(Flag.VM | Flag.VIF | 0x2003)
  })
  it('refuses TF, and IF while VIP is set, with VME', () => {
    const rig = v86(0, VME)
    rig.state.setFlag(Flag.VIP, true)
    const changed = rig.watch()
    expect(popf(rig, Flag.IF, 16)).toEqual(GP)
    expect(popf(rig, Flag.TF, 16)).toEqual(GP)
    expect(changed().filter((change) => change.startsWith('state'))).toEqual([])
    expect(popf(rig, 0, 16)).toBeUndefined()
  })
  it('tells the engine of TF and AC', () => {
    const rig = prot(3, 0)
    rig.state.set32(Layout.cr0, 0x4_0011)
    rig.events.modeChanges = 0
    popf(rig, Flag.AC, 32)
    expect([rig.events.modeChanges, rig.state.get32(Layout.alignmentCheck)]).toEqual([1, 1])
    rig.state.setReg32(4, 0x23000)
    popf(rig, Flag.CF, 32)
    expect(rig.state.get32(Layout.alignmentCheck)).toBe(0)
  })
  it('faults on a stack that is not there, changing nothing', () => {
    const rig = prot(0, 0)
    rig.linear.deny = (linear) => linear === 0x20003
    const changed = rig.watch()
    expect(rig.exec(0x9d)).toEqual({ vector: 14, errorCode: 0 })
    expect(changed()).toEqual([])
    expect(rig.state.ip).toBe(At.code)
  })
})

describe('64-bit code', () => {
  it('pushes and pops 64 bits', () => {
    const rig = new Rig().protectedMode(3)
    rig.state.set32(Layout.efer, 0x500)
    const slot = Layout.segments + 32 + 16
    rig.state.set32(slot, 0xafb)
    rig.state.eflags = Flag.CF
    expect(rig.exec(0x9c)).toBeUndefined()
    expect([rig.stack(2), rig.state.reg64(4)]).toEqual([[3, 0], 0x22ff8n])
    rig.dword(0x22ff8, 0x4d7)
    rig.dword(0x22ffc, 0x1234_5678)
    expect(rig.exec(0x9d)).toBeUndefined()
    expect([rig.state.eflags, rig.state.reg64(4)]).toEqual([0x4d7, 0x23000n])
  })
})
