import { describe, expect, it } from 'vitest'
import { At, Rig, Sel } from '../../test/system/rig.ts'
import { Flag, Layout, TR } from '../state/layout.ts'
import { writeSegment } from './segments.ts'

const GP = { vector: 13, errorCode: 0 }
const levels = [0, 1, 2, 3] as const
/** A TSS whose permission map starts at 0x68. */
const withMap = (rig: Rig, limit = 0x2068): Rig => {
  writeSegment(rig.state, TR, Sel.tss32, At.tss32, limit, 0x8b)
  return rig
}

describe('IN and OUT', () => {
  it('move AL, AX and EAX, to ports of DX and of an immediate', () => {
    const rig = new Rig()
    rig.portValue = 0x89ab_cdef
    rig.state.setReg32(0, 0x1234_5678)
    rig.state.setReg32(2, 0x5_0064)
    rig.exec(0xec)
    expect(rig.state.reg32(0)).toBe(0x1234_56ef)
    rig.exec(0xed)
    expect(rig.state.reg32(0)).toBe(0x1234_cdef)
    rig.exec(0x66, 0xe5, 0xff)
    expect(rig.state.reg32(0) >>> 0).toBe(0x89ab_cdef)
    rig.exec(0xe6, 0x80)
    rig.exec(0xef)
    rig.exec(0x66, 0xef)
    expect(rig.portLog).toEqual([
      'in 64/8',
      'in 64/16',
      'in ff/32',
      'out 80/8=ef',
      'out 64/16=cdef',
      'out 64/32=89abcdef',
    ])
  })

  it('need CPL ≤ IOPL or the permission map', () => {
    for (const cpl of levels) {
      for (const iopl of levels) {
        const rig = withMap(new Rig().protectedMode(cpl))
        rig.state.set32(Layout.flags, iopl << 12)
        rig.linear.bytes.fill(0xff, At.tss32 + 0x68, At.tss32 + 0x200)
        expect(rig.exec(0xe4, 0x60)).toEqual(cpl <= iopl ? undefined : GP)
      }
    }
  })

  it('need every bit of the ports they touch clear', () => {
    for (const [width, bytes] of [
      [0xec, 1],
      [0x66ed, 2],
      [0xed, 4],
    ] as const) {
      for (let port = 0x60; port < 0x70; port++) {
        for (let set = 0x5e; set < 0x78; set++) {
          const rig = withMap(new Rig().protectedMode(3))
          rig.linear.bytes[At.tss32 + 0x68 + (set >> 3)] = 1 << (set & 7)
          rig.state.setReg32(2, port)
          const allowed = set < port || set >= port + bytes
          const code = width > 0xff ? [0x66, 0xed] : [width]
          expect(rig.exec(...code)).toEqual(allowed ? undefined : GP)
          expect(rig.portLog.length).toBe(allowed ? 1 : 0)
        }
      }
    }
  })

  it('read two bytes of the map: the limit must cover both', () => {
    const last = 0x68 + (0x60 >> 3) + 1
    expect(withMap(new Rig().protectedMode(3), last).exec(0xe4, 0x60)).toBeUndefined()
    expect(withMap(new Rig().protectedMode(3), last - 1).exec(0xe4, 0x60)).toEqual(GP)
  })

  it('are refused without a 32-bit TSS', () => {
    const short = withMap(new Rig().protectedMode(3), 0x66)
    expect(short.exec(0xe4, 0x60)).toEqual(GP)
    const old = new Rig().protectedMode(3)
    writeSegment(old.state, TR, Sel.tss16, At.tss16, 0x2068, 0x83)
    expect(old.exec(0xe4, 0x60)).toEqual(GP)
  })

  it('in virtual-8086 mode ask the map at any IOPL', () => {
    const open = withMap(new Rig().virtual8086(0))
    expect(open.exec(0xe4, 0x60)).toBeUndefined()
    const closed = withMap(new Rig().virtual8086(3))
    closed.linear.bytes.fill(0xff, At.tss32 + 0x68, At.tss32 + 0x200)
    expect(closed.exec(0xe4, 0x60)).toEqual(GP)
  })
})

describe('INS and OUTS', () => {
  it('do one iteration and go back while (E)CX is not 0', () => {
    const rig = new Rig().protectedMode(0)
    rig.portValue = 0xaa55
    rig.state.setReg32(1, 2)
    rig.state.setReg32(2, 0x1f0)
    rig.state.setReg32(7, 0x7000)
    expect(rig.exec(0xf3, 0x66, 0x6d)).toBeUndefined()
    expect([rig.state.ip, rig.state.reg32(1), rig.state.reg32(7)]).toEqual([At.code, 1, 0x7002])
    expect(rig.exec(0xf3, 0x66, 0x6d)).toBeUndefined()
    expect([rig.state.ip, rig.state.reg32(1), rig.state.reg32(7)]).toEqual([At.code + 3, 0, 0x7004])
    expect(rig.dwordAt(0x7000)).toBe(0xaa55_aa55)
    rig.state.ip = At.code
    expect(rig.exec(0xf3, 0x66, 0x6d)).toBeUndefined()
    expect([rig.state.ip, rig.portLog.length]).toEqual([At.code + 3, 2])
  })

  it('go down with DF, and wrap 16-bit registers without touching their upper halves', () => {
    const rig = new Rig().protectedMode(0)
    rig.state.eflags = Flag.DF
    rig.state.setReg32(6, 0x1234_0000)
    rig.state.setReg32(1, 0x5678_0001)
    rig.linear.bytes[0] = 0x77
    expect(rig.exec(0xf3, 0x67, 0x6e)).toBeUndefined()
    expect([rig.state.reg32(6), rig.state.reg32(1)]).toEqual([0x1234_ffff, 0x5678_0000])
    expect(rig.portLog).toEqual(['out 0/8=77'])
  })

  it('take a segment override for the source only', () => {
    const rig = new Rig().protectedMode(0)
    writeSegment(rig.state, 4, Sel.data0, 0x7000, 0xfff, 0x493)
    rig.linear.bytes[0x7010] = 0x42
    rig.state.setReg32(6, 0x10)
    rig.state.setReg32(7, 0x20)
    rig.portValue = 0x99
    rig.exec(0x64, 0x6e)
    rig.exec(0x64, 0x6c)
    expect(rig.portLog[0]).toBe('out 0/8=42')
    expect(rig.linear.bytes[0x20]).toBe(0x99)
  })

  it('do not touch the port when memory faults', () => {
    const rig = new Rig().protectedMode(0)
    rig.linear.deny = (linear) => linear === 0x7003
    rig.state.setReg32(7, 0x7000)
    rig.state.setReg32(6, 0x7000)
    rig.state.setReg32(1, 5)
    const changed = rig.watch()
    expect(rig.exec(0xf3, 0x6d)).toEqual({ vector: 14, errorCode: 2 })
    expect(rig.exec(0xf3, 0x6f)).toEqual({ vector: 14, errorCode: 0 })
    expect([changed(), rig.portLog]).toEqual([[], []])
  })
})
