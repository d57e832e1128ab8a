import { describe, expect, it } from 'vitest'
import { At, Rig } from '../../test/system/rig.ts'
import { Flag, Layout } from '../state/layout.ts'
import { afterInstruction, beforeInstruction, DataBreakpoints, mustStep } from './debug.ts'

const DR6 = Layout.dr + 48
const DR7 = Layout.dr + 56
const EXECUTE = 0
const WRITE = 1
const IO = 2
const ACCESS = 3
/** Set breakpoint `n`; `length` in bytes. */
function arm(rig: Rig, n: number, address: number, condition: number, length: 1 | 2 | 4 = 1, enable = true): void {
  rig.state.setNumber(Layout.dr + n * 8, address)
  const field = condition | ((length - 1) << 2)
  rig.state.set32(DR7, rig.state.get32(DR7) | (field << (16 + n * 4)) | (enable ? 2 << (n * 2) : 0))
}

describe('MOV to and from debug registers', () => {
  const to = (rig: Rig, dr: number, value: number): ReturnType<Rig['exec']> => {
    rig.state.setReg32(0, value)
    return rig.exec(0x0f, 0x23, 0xc0 | (dr << 3))
  }
  it('fixes the reserved bits of DR6 and DR7', () => {
    const rig = new Rig()
    to(rig, 6, -1)
    to(rig, 7, -1)
    expect([rig.state.get32(DR6) >>> 0, rig.state.get32(DR7) >>> 0]).toEqual([0xffff_efff, 0xffff_27ff])
    rig.state.set32(DR7, 0x400)
    to(rig, 6, 0)
    to(rig, 7, 0)
    expect([rig.state.get32(DR6) >>> 0, rig.state.get32(DR7)]).toEqual([0xffff_0ff0, 0x400])
  })
  it('DR4 and DR5 are DR6 and DR7, or undefined with CR4.DE', () => {
    const rig = new Rig()
    expect(to(rig, 5, 0x3ff)).toBeUndefined()
    expect(rig.state.get32(DR7)).toBe(0x7ff)
    rig.state.set32(Layout.cr4, 8)
    expect(to(rig, 4, 0)).toEqual({ vector: 6, errorCode: undefined })
  })
  it('raises #DB with BD while DR7.GD is set', () => {
    const rig = new Rig()
    rig.state.set32(DR7, 0x2400)
    const changed = rig.watch()
    expect(rig.exec(0x0f, 0x21, 0xf8)).toEqual({ vector: 1, errorCode: undefined })
    expect([changed(), rig.events.pendingDebug]).toEqual([[], 0x2000])
  })
})

describe('breakpoints on data', () => {
  const hit = (
    condition: number,
    length: 1 | 2 | 4,
    address: number,
    linear: number,
    bytes: number,
    write: boolean,
  ): number => {
    const rig = new Rig()
    arm(rig, 1, address, condition, length)
    new DataBreakpoints(rig.state, rig.events).access(linear, bytes, write)
    return rig.events.pendingDebug
  }
  it('match when the ranges overlap; the low bits of the address do not count', () => {
    for (const length of [1, 2, 4] as const) {
      for (let address = 0x1000; address < 0x1004; address++) {
        for (let linear = 0xff0; linear < 0x1010; linear++) {
          for (const bytes of [1, 2, 4, 8]) {
            const start = address & ~(length - 1)
            const overlap = linear < start + length && start < linear + bytes
            expect(hit(WRITE, length, address, linear, bytes, true)).toBe(overlap ? 2 : 0)
          }
        }
      }
    }
  })
  it('match writes, or reads and writes', () => {
    expect(hit(WRITE, 4, 0x1000, 0x1000, 4, false)).toBe(0)
    expect(hit(ACCESS, 4, 0x1000, 0x1000, 4, false)).toBe(2)
    expect(hit(ACCESS, 4, 0x1000, 0x1000, 4, true)).toBe(2)
    expect(hit(EXECUTE, 1, 0x1000, 0x1000, 4, false)).toBe(0)
    expect(hit(IO, 1, 0x1000, 0x1000, 4, true)).toBe(0)
  })
  it('report those not enabled too, once one that is has matched', () => {
    const rig = new Rig()
    const watch = new DataBreakpoints(rig.state, rig.events)
    arm(rig, 0, 0x1000, WRITE, 4, false)
    watch.access(0x1000, 1, true)
    expect([rig.events.pendingDebug, watch.armed]).toEqual([0, false])
    arm(rig, 3, 0x1000, ACCESS, 1)
    watch.access(0x1000, 1, true)
    expect([rig.events.pendingDebug, watch.armed]).toEqual([9, true])
  })
})

describe('breakpoints on ports', () => {
  it('match with CR4.DE', () => {
    for (const de of [0, 8]) {
      const rig = new Rig()
      rig.state.set32(Layout.cr4, de)
      arm(rig, 2, 0x60, IO, 1)
      rig.exec(0xe4, 0x60)
      expect(rig.events.pendingDebug).toBe(de ? 4 : 0)
      rig.exec(0xe4, 0x61)
      expect(rig.events.pendingDebug).toBe(de ? 4 : 0)
    }
  })
})

describe('stepping', () => {
  it('stops before the instruction at a breakpoint, unless RF is set, which then is cleared', () => {
    const rig = new Rig()
    arm(rig, 0, At.code, EXECUTE)
    expect(mustStep(rig)).toBe(true)
    expect(beforeInstruction(rig, At.code + 1)).toBe(false)
    expect(beforeInstruction(rig, At.code)).toBe(true)
    expect(rig.events.pendingDebug).toBe(1)
    rig.events.pendingDebug = 0
    rig.state.setFlag(Flag.RF, true)
    expect(beforeInstruction(rig, At.code)).toBe(false)
    expect(rig.state.flag(Flag.RF)).toBe(false)
    expect(beforeInstruction(rig, At.code, true)).toBe(false)
  })
  it('arms the single-step trap with TF as it was before the instruction', () => {
    const rig = new Rig()
    rig.state.setFlag(Flag.TF, true)
    beforeInstruction(rig, At.code)
    rig.word(0x7000, 0)
    rig.exec(0x9d)
    expect(afterInstruction(rig)).toBe(true)
    expect(rig.events.pendingDebug).toBe(0x4000)
  })
  it('does not break on the instruction behind MOV SS', () => {
    const rig = new Rig()
    arm(rig, 0, At.code, EXECUTE)
    rig.events.shadow = 'ss'
    expect([beforeInstruction(rig, At.code), rig.events.pendingDebug]).toEqual([false, 0])
    rig.events.shadow = 'none'
    expect(beforeInstruction(rig, At.code)).toBe(true)
  })
  it('does not step into the handler of INT, nor stop after MOV SS', () => {
    const rig = new Rig()
    rig.state.setFlag(Flag.TF, true)
    beforeInstruction(rig, At.code)
    rig.exec(0xcd, 0x21)
    expect(afterInstruction(rig)).toBe(false)
    const shadowed = new Rig()
    shadowed.state.setFlag(Flag.TF, true)
    beforeInstruction(shadowed, At.code)
    shadowed.events.pendingDebug |= 2
    shadowed.exec(0x8e, 0xd0)
    expect(afterInstruction(shadowed)).toBe(false)
    expect(shadowed.events.pendingDebug).toBe(2)
  })
})
