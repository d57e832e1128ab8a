import { describe, expect, it } from 'vitest'
import { At, attributesOf, Rig, Sel } from '../../test/system/rig.ts'
import { Layout, LDTR, SegmentSlot } from '../state/layout.ts'
import { checkSegment, writeSegment } from './segments.ts'

const ES = 0
const SS = 2
const DS = 3
const FS = 4
const levels = [0, 1, 2, 3] as const

/** MOV Sreg, AX. */
const movFromAx = (seg: number): number[] => [0x8e, 0xc0 | (seg << 3)]

function loadSelector(rig: Rig, seg: number, selector: number): ReturnType<Rig['exec']> {
  rig.state.setReg16(0, selector)
  return rig.exec(...movFromAx(seg))
}

describe('loading a segment register in protected mode', () => {
  it('lets DS in by type, DPL, CPL and RPL as the manual says, for every combination', () => {
    for (const cpl of levels) {
      for (const rpl of levels) {
        for (let access = 0; access < 256; access++) {
          const rig = new Rig().protectedMode(cpl)
          rig.descriptor(Sel.free, 0x12345, 0xfff, access)
          const dpl = (access >> 5) & 3
          const segment = (access & 0x10) !== 0
          const code = (access & 8) !== 0
          const readable = segment && (!code || (access & 2) !== 0)
          const conforming = code && (access & 4) !== 0
          const seen = conforming || (cpl <= dpl && rpl <= dpl)
          const expected = !readable || !seen ? 13 : (access & 0x80) === 0 ? 11 : undefined
          const outcome = loadSelector(rig, DS, Sel.free | rpl)
          expect(outcome?.vector, `cpl ${cpl} rpl ${rpl} access ${access.toString(16)}`).toBe(expected)
          if (outcome) expect(outcome.errorCode).toBe(Sel.free)
          else {
            expect(rig.state.selector(DS)).toBe(Sel.free | rpl)
            expect(rig.state.segBase(DS)).toBe(0x12345)
            expect(attributesOf(rig, DS)).toBe(access | 1)
          }
        }
      }
    }
  })

  it('lets SS in only as writable data of exactly this level', () => {
    for (const cpl of levels) {
      for (const rpl of levels) {
        for (let access = 0; access < 256; access++) {
          const rig = new Rig().protectedMode(cpl)
          rig.descriptor(Sel.free, 0, 0xfff, access)
          const right = (access & 0x1a) === 0x12 && ((access >> 5) & 3) === cpl && rpl === cpl
          const expected = !right ? 13 : (access & 0x80) === 0 ? 12 : undefined
          const outcome = loadSelector(rig, SS, Sel.free | rpl)
          expect(outcome?.vector, `cpl ${cpl} rpl ${rpl} access ${access.toString(16)}`).toBe(expected)
          if (outcome) expect(outcome.errorCode).toBe(Sel.free)
        }
      }
    }
  })

  it('takes a null selector for data, and refuses it for SS with error code 0', () => {
    const rig = new Rig().protectedMode(0)
    expect(loadSelector(rig, ES, 3)).toBeUndefined()
    expect(rig.state.selector(ES)).toBe(3)
    expect(rig.attempt(() => checkSegment(rig, ES, 0, 1, 'read'))).toEqual({ vector: 13, errorCode: 0 })
    expect(loadSelector(rig, SS, 0)).toEqual({ vector: 13, errorCode: 0 })
  })

  it('refuses selectors beyond their table, with the TI bit in the error code', () => {
    const rig = new Rig().protectedMode(0)
    expect(loadSelector(rig, DS, 0x103)).toEqual({ vector: 13, errorCode: 0x100 })
    rig.state.set32(Layout.gdtLimit, Sel.data0 + 6)
    expect(loadSelector(rig, DS, Sel.data0)).toEqual({ vector: 13, errorCode: Sel.data0 })
    rig.state.set32(Layout.gdtLimit, Sel.data0 + 7)
    expect(loadSelector(rig, DS, Sel.data0)).toBeUndefined()
    expect(loadSelector(rig, DS, 0x107)).toEqual({ vector: 13, errorCode: 0x104 })
    rig.descriptor(0x0c, 0x777, 0xfff, 0x93)
    expect(loadSelector(rig, DS, 0x0c)).toBeUndefined()
    expect(rig.state.segBase(DS)).toBe(0x777)
    writeSegment(rig.state, LDTR, 0, 0, 0, 0)
    expect(loadSelector(rig, DS, 0x0c)).toEqual({ vector: 13, errorCode: 0x0c })
  })

  it('writes the accessed bit once, and as the system', () => {
    const rig = new Rig().protectedMode(3)
    rig.linear.deny = (_linear, _write, user) => user
    rig.descriptor(Sel.free, 0, 0xfff, 0xf2)
    expect(loadSelector(rig, DS, Sel.free)).toBeUndefined()
    expect(rig.access(Sel.free)).toBe(0xf3)
    expect(rig.linear.written).toEqual([At.gdt + Sel.free + 5])
    expect(loadSelector(rig, ES, Sel.free)).toBeUndefined()
    expect(rig.linear.written).toHaveLength(1)
  })

  it('changes no register when the descriptor table is not there', () => {
    const rig = new Rig().protectedMode(0)
    rig.linear.deny = (linear) => linear >= At.gdt && linear < At.gdt + 0x1000
    rig.state.setReg16(0, Sel.data0)
    const changed = rig.watch()
    expect(rig.exec(...movFromAx(DS))).toEqual({ vector: 14, errorCode: 0 })
    expect(changed()).toEqual([])
  })

  it('raises #UD for MOV to CS and for segment registers that are not there', () => {
    const rig = new Rig().protectedMode(0)
    for (const seg of [1, 6, 7]) expect(rig.exec(...movFromAx(seg))).toEqual({ vector: 6, errorCode: undefined })
  })

  it('holds interrupts off after SS only', () => {
    const rig = new Rig().protectedMode(0)
    loadSelector(rig, DS, Sel.data0)
    expect(rig.events.shadow).toBe('none')
    loadSelector(rig, SS, Sel.data0)
    expect(rig.events.shadow).toBe('ss')
  })
})

describe('limits', () => {
  interface Case {
    readonly name: string
    readonly limit: number
    readonly attributes: number
    readonly low: number
    readonly high: number
  }
  const cases: Case[] = [
    { name: 'flat', limit: 0xffff_ffff, attributes: 0xc93, low: 0, high: 0xffff_ffff },
    { name: '64 KB', limit: 0xffff, attributes: 0x93, low: 0, high: 0xffff },
    { name: 'three bytes', limit: 2, attributes: 0x93, low: 0, high: 2 },
    { name: '16 bytes', limit: 15, attributes: 0x93, low: 0, high: 15 },
    { name: 'expand-down, 16-bit', limit: 0x0fff, attributes: 0x97, low: 0x1000, high: 0xffff },
    { name: 'expand-down, 32-bit', limit: 0xffff, attributes: 0x497, low: 0x10000, high: 0xffff_ffff },
    { name: 'expand-down, nothing left', limit: 0xffff, attributes: 0x97, low: 0x10000, high: 0xffff },
  ]
  it.each(cases)(
    'hold exactly, and spans vouch for nothing that they forbid: $name',
    ({ limit, attributes, low, high }) => {
      const rig = new Rig().protectedMode(0)
      writeSegment(rig.state, FS, 8, 0x4000, limit, attributes)
      const slot = Layout.segments + FS * SegmentSlot.size
      const from = rig.state.get32(slot + SegmentSlot.low)
      const span = rig.state.get32(slot + SegmentSlot.writeSpan) >>> 0
      const around = [0, 1, 15, 16, 17, low, high, limit, 0x8000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]
      for (const centre of around) {
        for (let d = -20; d <= 20; d++) {
          const offset = (centre + d) >>> 0
          for (const bytes of [1, 2, 4, 8, 10, 16]) {
            const inside = limit === 0xffff_ffff && low === 0 ? true : offset >= low && offset + bytes - 1 <= high
            const outcome = rig.attempt(() =>
              expect(checkSegment(rig, FS, offset, bytes, 'write')).toBe((0x4000 + offset) >>> 0),
            )
            expect(outcome, `${offset.toString(16)}+${bytes}`).toEqual(
              inside ? undefined : { vector: 13, errorCode: 0 },
            )
            const vouched = (offset - from) >>> 0 < span
            if (vouched) expect(inside).toBe(true)
          }
        }
      }
      if (high - low > 0x1000) expect(span).toBe(high - low - 14)
    },
  )

  it('raise #SS(0) for the stack segment', () => {
    const rig = new Rig().protectedMode(0)
    writeSegment(rig.state, SS, 8, 0, 0xff, 0x93)
    expect(rig.attempt(() => checkSegment(rig, SS, 0xfe, 4, 'read'))).toEqual({ vector: 12, errorCode: 0 })
  })

  it('forbid writing to code and read-only data, and reading of execute-only code', () => {
    const rig = new Rig().protectedMode(0)
    const allowed = (attributes: number): string => {
      writeSegment(rig.state, FS, 8, 0, 0xffff, attributes)
      const kinds = (['read', 'write', 'execute'] as const).filter(
        (kind) => !rig.attempt(() => checkSegment(rig, FS, 0, 4, kind)),
      )
      const slot = Layout.segments + FS * SegmentSlot.size
      expect(rig.state.get32(slot + SegmentSlot.readSpan) > 0).toBe(kinds.includes('read'))
      expect(rig.state.get32(slot + SegmentSlot.writeSpan) > 0).toBe(kinds.includes('write'))
      return kinds.join(' ')
    }
    expect(allowed(0x91)).toBe('read')
    expect(allowed(0x93)).toBe('read write')
    expect(allowed(0x99)).toBe('execute')
    expect(allowed(0x9b)).toBe('read execute')
    expect(allowed(0x13)).toBe('')
  })
})

describe('real mode', () => {
  it('makes bases of selectors and checks the 64 KB limit', () => {
    const rig = new Rig()
    expect(loadSelector(rig, DS, 0xffff)).toBeUndefined()
    expect(rig.state.segBase(DS)).toBe(0xffff0)
    expect(rig.attempt(() => checkSegment(rig, DS, 0xffff, 2, 'read'))).toEqual({ vector: 13, errorCode: 0 })
    expect(rig.attempt(() => checkSegment(rig, SS, 0xffff, 2, 'read'))).toEqual({ vector: 12, errorCode: 0 })
  })

  it('keeps a limit of 4 GB that protected mode has loaded (unreal mode)', () => {
    const rig = new Rig().protectedMode(0)
    rig.state.setReg32(0, 0x10)
    expect(rig.exec(0x0f, 0x22, 0xc0)).toBeUndefined()
    expect(rig.state.protectedMode).toBe(false)
    expect(loadSelector(rig, DS, 0x1234)).toBeUndefined()
    expect(rig.state.segLimit(DS)).toBe(0xffff_ffff)
    expect(checkSegment(rig, DS, 0x8000_0000, 4, 'write')).toBe(0x8001_2340)
  })

  it('does not check types: code left over from protected mode can be written', () => {
    const rig = new Rig().protectedMode(0)
    expect(rig.attempt(() => checkSegment(rig, 1, 0, 4, 'write'))).toEqual({ vector: 13, errorCode: 0 })
    rig.state.setReg32(0, 0x10)
    rig.exec(0x0f, 0x22, 0xc0)
    expect(checkSegment(rig, 1, 0, 4, 'write')).toBe(0)
    expect(rig.state.get32(Layout.segments + SegmentSlot.size + SegmentSlot.writeSpan)).not.toBe(0)
  })
})

describe('virtual-8086 mode', () => {
  it('fixes limit and attributes', () => {
    const rig = new Rig().virtual8086()
    expect(loadSelector(rig, DS, 0x4321)).toBeUndefined()
    expect(rig.state.segBase(DS)).toBe(0x43210)
    expect(rig.state.segLimit(DS)).toBe(0xffff)
    expect(attributesOf(rig, DS)).toBe(0xf3)
    expect(rig.state.cpl).toBe(3)
  })
})
