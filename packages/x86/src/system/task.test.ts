import { describe, expect, it } from 'vitest'
import { At, Rig, Sel } from '../../test/system/rig.ts'
import { Flag, Layout, LDTR, TR } from '../state/layout.ts'
import { deliver, vectorThrough } from './exceptions.ts'
import { writeSegment } from './segments.ts'

const TARGET = 0x9000
const REGISTERS = [0x1111_0000, 0x1111_0001, 0x1111_0002, 0x1111_0003, 0x30000, 0x1111_0005, 0x1111_0006, 0x1111_0007]

interface TaskFields {
  readonly ip?: number
  readonly flags?: number
  readonly segments?: readonly number[]
  readonly ldt?: number
  readonly cr3?: number
  readonly trap?: boolean
}
const flat = (cpl: number): number[] =>
  [0, 1, 2, 3, 4, 5].map((seg) => (seg === 1 ? (Sel.code0 + cpl * 16) | cpl : (Sel.data0 + cpl * 16) | cpl))

function tss32(
  rig: Rig,
  { ip = TARGET, flags = 2, segments = flat(0), ldt = Sel.ldt, cr3 = 0x5000, trap = false }: TaskFields = {},
): Rig {
  rig.dword(At.otherTss + 0x1c, cr3)
  rig.dword(At.otherTss + 0x20, ip)
  rig.dword(At.otherTss + 0x24, flags)
  for (const [n, value] of REGISTERS.entries()) rig.dword(At.otherTss + 0x28 + n * 4, value)
  for (const [n, value] of segments.entries()) rig.dword(At.otherTss + 0x48 + n * 4, value)
  rig.dword(At.otherTss + 0x60, ldt)
  rig.word(At.otherTss + 0x64, trap ? 1 : 0)
  return rig
}
const jump = (selector: number): number[] => [0xea, 0, 0, 0, 0, selector & 0xff, selector >> 8]
const call = (selector: number): number[] => [0x9a, 0, 0, 0, 0, selector & 0xff, selector >> 8]

describe('a switch by JMP to a 32-bit TSS', () => {
  it('saves the old task, loads the new one, and moves the busy bit', () => {
    const rig = tss32(new Rig().protectedMode(0), { flags: Flag.IF | 0x3002 | Flag.CF, segments: flat(3), trap: true })
    for (let n = 0; n < 8; n++) if (n !== 4) rig.state.setReg32(n, 0xaaaa_0000 + n)
    rig.state.eflags = Flag.ZF | Flag.NT
    rig.state.set32(Layout.dr + 56, 0x7ff)
    expect(rig.exec(...jump(Sel.other))).toBeUndefined()
    const old = Array.from({ length: 16 }, (_, n) => rig.dwordAt(At.tss32 + 0x20 + n * 4))
    expect(old.slice(0, 3)).toEqual([At.code + 7, Flag.ZF | Flag.NT | 2, 0xaaaa_0000])
    expect(old.slice(10)).toEqual([Sel.data0, Sel.code0, Sel.data0, Sel.data0, Sel.data0, Sel.data0])
    expect(REGISTERS.map((_, n) => rig.state.reg32(n))).toEqual(REGISTERS)
    expect(rig.selectors()).toEqual(flat(3))
    expect([rig.state.ip, rig.state.eflags, rig.state.cpl]).toEqual([TARGET, 0x3203, 3])
    expect([rig.access(Sel.tss32), rig.access(Sel.other)]).toEqual([0x89, 0x8b])
    expect([rig.state.selector(TR), rig.state.segBase(TR), rig.state.selector(LDTR)]).toEqual([
      Sel.other,
      At.otherTss,
      Sel.ldt,
    ])
    expect(rig.state.get32(Layout.cr0) & 8).toBe(8)
    expect(rig.state.get32(Layout.dr + 56)).toBe(0x7ff & ~0x155)
    expect(rig.events.pendingDebug).toBe(0x8000)
    expect(rig.wordAt(At.otherTss)).toBe(0)
  })

  it('loads CR3 only while paging is on', () => {
    const off = tss32(new Rig().protectedMode(0))
    off.exec(...jump(Sel.other))
    expect([off.state.getNumber(Layout.cr3), off.pagingLog]).toEqual([0, []])
    const on = tss32(new Rig().protectedMode(0))
    on.state.set32(Layout.cr0, 0x8000_0011)
    on.exec(...jump(Sel.other))
    expect([on.state.getNumber(Layout.cr3), on.pagingLog]).toEqual([0x5000, ['cr3']])
  })

  it('goes through a task gate as well, to the offset of the TSS', () => {
    const rig = tss32(new Rig().protectedMode(3))
    rig.gate(Sel.free, Sel.other, 0x1234, 0xe5)
    expect(rig.exec(...jump(Sel.free | 3))).toBeUndefined()
    expect([rig.state.ip, rig.state.cpl]).toEqual([TARGET, 0])
  })

  it('enters virtual-8086 mode', () => {
    const rig = tss32(new Rig().protectedMode(0), {
      ip: 0x100,
      flags: Flag.VM | 2,
      segments: [0x1000, 0x2000, 0x3000, 0x4000, 0x5000, 0x6000],
    })
    expect(rig.exec(...jump(Sel.other))).toBeUndefined()
    expect([rig.state.virtual8086, rig.state.cpl, rig.state.segBase(1), rig.state.ip]).toEqual([
      true,
      3,
      0x20000,
      0x100,
    ])
  })
})

describe('nesting', () => {
  it('CALL links back and sets NT; IRET returns along the link', () => {
    const rig = tss32(new Rig().protectedMode(0))
    rig.state.eflags = Flag.CF
    expect(rig.exec(...call(Sel.other))).toBeUndefined()
    expect([rig.wordAt(At.otherTss), rig.state.flag(Flag.NT)]).toEqual([Sel.tss32, true])
    expect([rig.access(Sel.tss32), rig.access(Sel.other)]).toEqual([0x8b, 0x8b])
    rig.state.setReg32(0, 0x7777)
    expect(rig.exec(0xcf)).toBeUndefined()
    expect([rig.access(Sel.tss32), rig.access(Sel.other)]).toEqual([0x8b, 0x89])
    expect([rig.state.selector(TR), rig.state.ip, rig.state.eflags]).toEqual([Sel.tss32, At.code + 7, 3])
    expect([rig.dwordAt(At.otherTss + 0x28), rig.dwordAt(At.otherTss + 0x24) & Flag.NT]).toEqual([0x7777, 0])
  })

  it('an exception through a task gate pushes its error code on the new stack and saves RF', () => {
    const rig = tss32(new Rig().protectedMode(3))
    rig.idt(13, Sel.other, 0, 0x85)
    deliver(rig, { vector: 13, source: 'fault', errorCode: 0x1234 })
    expect([rig.stack(1), rig.state.reg32(4)]).toEqual([[0x1234], 0x30000 - 4])
    expect([rig.dwordAt(At.tss32 + 0x20), rig.dwordAt(At.tss32 + 0x24)]).toEqual([At.code, Flag.RF | 2])
    expect([rig.state.flag(Flag.NT), rig.wordAt(At.otherTss)]).toEqual([true, Sel.tss32])
  })

  it.each([
    { name: 'in the LDT', link: Sel.other | 4, vector: 10, errorCode: Sel.other | 4 },
    { name: 'beyond the GDT', link: 0x200, vector: 10, errorCode: 0x200 },
    { name: 'to an available TSS', link: Sel.other, vector: 10, errorCode: Sel.other },
    { name: 'to a code segment', link: Sel.code0, vector: 10, errorCode: Sel.code0 },
    { name: 'to a TSS not present', link: Sel.free, vector: 11, errorCode: Sel.free },
    { name: 'null', link: 0, vector: 10, errorCode: 0 },
  ])('IRET refuses a link $name', ({ link, vector, errorCode }) => {
    const rig = tss32(new Rig().protectedMode(0))
    rig.descriptor(Sel.free, At.otherTss, 0x67, 0x0b)
    rig.word(At.tss32, link)
    rig.state.eflags = Flag.NT
    const changed = rig.watch()
    expect(rig.exec(0xcf)).toEqual({ vector, errorCode })
    expect(changed()).toEqual([])
  })
})

describe('16-bit TSS', () => {
  it('holds 16-bit registers: the upper halves come out as ones, FS and GS as null', () => {
    const rig = new Rig().protectedMode(0)
    rig.descriptor(Sel.data0, 0, 0xffff, 0x93, 0)
    const words = [
      TARGET,
      0x3246,
      0x10,
      0x11,
      0x12,
      0x13,
      0xf000,
      0x15,
      0x16,
      0x17,
      Sel.data0,
      Sel.code16,
      Sel.data0,
      Sel.data0,
      Sel.ldt,
    ]
    for (const [n, value] of words.entries()) rig.word(At.tss16 + 0x0e + n * 2, value)
    expect(rig.exec(...jump(Sel.tss16))).toBeUndefined()
    expect([rig.state.ip, rig.state.eflags]).toEqual([TARGET, 0x3246])
    expect([0, 1, 2, 3, 4, 5, 6, 7].map((n) => rig.state.reg32(n) >>> 0)).toEqual([
      0xffff_0010, 0xffff_0011, 0xffff_0012, 0xffff_0013, 0xffff_f000, 0xffff_0015, 0xffff_0016, 0xffff_0017,
    ])
    expect(rig.selectors()).toEqual([Sel.data0, Sel.code16, Sel.data0, Sel.data0, 0, 0])
  })

  it('saves words and nothing else', () => {
    const rig = tss32(new Rig().protectedMode(0))
    writeSegment(rig.state, TR, Sel.tss16, At.tss16, 0x2b, 0x83)
    rig.descriptor(Sel.tss16, At.tss16, 0x2b, 0x83)
    rig.state.setReg32(0, 0x1234_5678)
    rig.linear.written.length = 0
    expect(rig.exec(...jump(Sel.other))).toBeUndefined()
    expect(rig.wordAt(At.tss16 + 0x12)).toBe(0x5678)
    const inTss = rig.linear.written.filter((at) => at >= At.tss16 && at < At.tss16 + 0x100).map((at) => at - At.tss16)
    expect([Math.min(...inTss), Math.max(...inTss), inTss.length]).toEqual([0x0e, 0x29, 0x1c])
    expect(rig.access(Sel.tss16)).toBe(0x81)
  })

  it('pushes a word of error code', () => {
    const rig = new Rig().protectedMode(0)
    const words = [TARGET, 2, 0, 0, 0, 0, 0xf000, 0, 0, 0, Sel.data0, Sel.code16, Sel.data16, Sel.data0, 0]
    for (const [n, value] of words.entries()) rig.word(At.tss16 + 0x0e + n * 2, value)
    rig.idt(13, Sel.tss16, 0, 0x85)
    deliver(rig, { vector: 13, source: 'fault', errorCode: 0x99 })
    expect([rig.state.reg16(4), rig.wordAt(0xeffe)]).toEqual([0xeffe, 0x99])
  })
})

describe('refused before anything changes', () => {
  it.each([
    {
      name: 'busy',
      break: (rig: Rig) => rig.descriptor(Sel.other, At.otherTss, 0x67, 0x8b),
      vector: 13,
      errorCode: Sel.other,
    },
    {
      name: 'not present',
      break: (rig: Rig) => rig.descriptor(Sel.other, At.otherTss, 0x67, 0x09),
      vector: 11,
      errorCode: Sel.other,
    },
    {
      name: 'too short',
      break: (rig: Rig) => rig.descriptor(Sel.other, At.otherTss, 0x66, 0x89),
      vector: 10,
      errorCode: Sel.other,
    },
    {
      name: '16-bit and too short',
      break: (rig: Rig) => rig.descriptor(Sel.other, At.otherTss, 0x2a, 0x81),
      vector: 10,
      errorCode: Sel.other,
    },
    {
      name: 'the old TSS too short',
      break: (rig: Rig) => writeSegment(rig.state, TR, Sel.tss32, At.tss32, 0x5e, 0x8b),
      vector: 10,
      errorCode: Sel.tss32,
    },
    {
      name: 'the new TSS not mapped',
      break: (rig: Rig) => {
        rig.linear.deny = (linear) => linear === At.otherTss + 0x66
      },
      vector: 14,
      errorCode: 0,
    },
    {
      name: 'the old TSS read-only',
      break: (rig: Rig) => {
        rig.linear.deny = (linear, write) => write && linear === At.tss32 + 0x5c
      },
      vector: 14,
      errorCode: 2,
    },
    {
      name: 'the GDT read-only',
      break: (rig: Rig) => {
        rig.linear.deny = (linear, write) => write && linear === At.gdt + Sel.other + 5
      },
      vector: 14,
      errorCode: 2,
    },
  ])('$name', ({ break: breakIt, vector, errorCode }) => {
    const rig = tss32(new Rig().protectedMode(0))
    breakIt(rig)
    const changed = rig.watch()
    expect(rig.exec(...jump(Sel.other))).toEqual({ vector, errorCode })
    expect(changed()).toEqual([])
  })

  it('by privilege: DPL of TSS and task gate against CPL and RPL', () => {
    for (const cpl of [0, 1, 2, 3] as const) {
      for (const rpl of [0, 1, 2, 3]) {
        for (const dpl of [0, 1, 2, 3]) {
          for (const throughGate of [false, true]) {
            const rig = tss32(new Rig().protectedMode(cpl))
            if (throughGate) rig.gate(Sel.free, Sel.other, 0, 0x85 | (dpl << 5))
            else rig.descriptor(Sel.other, At.otherTss, 0x67, 0x89 | (dpl << 5))
            const selector = throughGate ? Sel.free : Sel.other
            const open = dpl >= cpl && dpl >= rpl
            expect(rig.exec(...jump(selector | rpl))).toEqual(open ? undefined : { vector: 13, errorCode: selector })
          }
        }
      }
    }
  })

  it.each([
    { name: 'a TSS in the LDT', target: 0x84, vector: 13, errorCode: 0x84 },
    { name: 'a selector beyond the GDT', target: 0x200, vector: 13, errorCode: 0x200 },
    { name: 'code', target: Sel.code0, vector: 13, errorCode: Sel.code0 },
    { name: 'a busy TSS', target: Sel.tss32, vector: 13, errorCode: Sel.tss32 },
    { name: 'a TSS not present', target: Sel.free2, vector: 11, errorCode: Sel.free2 },
  ])('a task gate to $name, by instruction and by interrupt', ({ target, vector, errorCode }) => {
    const rig = tss32(new Rig().protectedMode(0))
    rig.descriptor(Sel.free2, At.otherTss, 0x67, 0x09)
    rig.descriptor(0x84, At.otherTss, 0x67, 0x89)
    rig.gate(Sel.free, target, 0, 0xe5)
    rig.idt(0x30, target, 0, 0xe5)
    const changed = rig.watch()
    expect(rig.exec(...call(Sel.free))).toEqual({ vector, errorCode })
    expect(rig.attempt(() => vectorThrough(rig, { vector: 0x30, source: 'external' }))).toEqual({
      vector,
      errorCode: errorCode | 1,
    })
    expect(changed()).toEqual([])
  })
})

describe('faults in the new task', () => {
  const withSegment = (seg: number, selector: number): readonly number[] =>
    flat(0).map((value, n) => (n === seg ? selector : value))
  const absent = (rig: Rig, access: number): void => rig.descriptor(Sel.free, 0, 0xfffff, access, 0xc)

  it.each([
    { name: 'LDT in the LDT', fields: { ldt: Sel.ldt | 4 }, vector: 10, errorCode: Sel.ldt | 4 },
    { name: 'LDT beyond the GDT', fields: { ldt: 0x200 }, vector: 10, errorCode: 0x200 },
    { name: 'no LDT descriptor', fields: { ldt: Sel.data0 }, vector: 10, errorCode: Sel.data0 },
    { name: 'LDT not present', fields: { ldt: Sel.free }, access: 0x02, vector: 10, errorCode: Sel.free },
    { name: 'null CS', fields: { segments: withSegment(1, 0) }, vector: 10, errorCode: 0 },
    { name: 'CS beyond the GDT', fields: { segments: withSegment(1, 0x200) }, vector: 10, errorCode: 0x200 },
    { name: 'data in CS', fields: { segments: withSegment(1, Sel.data0) }, vector: 10, errorCode: Sel.data0 },
    {
      name: 'CS of another DPL',
      fields: { segments: withSegment(1, Sel.code0 | 1) },
      vector: 10,
      errorCode: Sel.code0,
    },
    {
      name: 'conforming CS too privileged',
      fields: { segments: withSegment(1, Sel.free) },
      access: 0xbf,
      vector: 10,
      errorCode: Sel.free,
    },
    {
      name: 'CS not present',
      fields: { segments: withSegment(1, Sel.free) },
      access: 0x1b,
      vector: 11,
      errorCode: Sel.free,
    },
    { name: 'null SS', fields: { segments: withSegment(2, 0) }, vector: 10, errorCode: 0 },
    { name: 'SS beyond the GDT', fields: { segments: withSegment(2, 0x200) }, vector: 10, errorCode: 0x200 },
    {
      name: 'SS of another RPL',
      fields: { segments: withSegment(2, Sel.data0 | 1) },
      vector: 10,
      errorCode: Sel.data0,
    },
    { name: 'SS of another DPL', fields: { segments: withSegment(2, Sel.data1) }, vector: 10, errorCode: Sel.data1 },
    {
      name: 'SS read-only',
      fields: { segments: withSegment(2, Sel.free) },
      access: 0x91,
      vector: 10,
      errorCode: Sel.free,
    },
    {
      name: 'SS not present',
      fields: { segments: withSegment(2, Sel.free) },
      access: 0x13,
      vector: 12,
      errorCode: Sel.free,
    },
    { name: 'DS beyond the GDT', fields: { segments: withSegment(3, 0x200) }, vector: 10, errorCode: 0x200 },
    {
      name: 'DS execute-only',
      fields: { segments: withSegment(3, Sel.free) },
      access: 0x99,
      vector: 10,
      errorCode: Sel.free,
    },
    { name: 'ES a TSS', fields: { segments: withSegment(0, Sel.other) }, vector: 10, errorCode: Sel.other },
    {
      name: 'FS with too weak an RPL',
      fields: { segments: withSegment(4, Sel.data0 | 3) },
      vector: 10,
      errorCode: Sel.data0,
    },
    {
      name: 'GS not present',
      fields: { segments: withSegment(5, Sel.free) },
      access: 0x13,
      vector: 11,
      errorCode: Sel.free,
    },
    { name: 'EIP beyond CS', fields: { segments: withSegment(1, Sel.code16), ip: 0x1_0000 }, vector: 13, errorCode: 0 },
  ])('$name', ({ fields, access, vector, errorCode }) => {
    const rig = tss32(new Rig().protectedMode(0), fields)
    if (access !== undefined) absent(rig, access)
    expect(rig.exec(...jump(Sel.other))).toEqual({ vector, errorCode })
    expect([rig.state.selector(TR), rig.state.ip]).toEqual([Sel.other, fields.ip ?? TARGET])
    expect(rig.selectors()).toEqual(fields.segments ?? flat(0))
    expect(rig.state.cpl).toBe((fields.segments ?? flat(0))[1]! & 3)
  })

  it('are an exception of the new task, delivered to it', () => {
    const rig = tss32(new Rig().protectedMode(3), { segments: withSegment(3, 0x200) })
    rig.gate(Sel.free, Sel.other, 0, 0xe5)
    rig.idt(10, Sel.code0, 0xa000, 0x8e)
    expect(rig.exec(...jump(Sel.free))).toEqual({ vector: 10, errorCode: 0x200 })
    deliver(rig, { vector: 10, source: 'fault', errorCode: 0x200 })
    expect(rig.stack(2)).toEqual([0x200, TARGET])
  })

  it('carry EXT when an interrupt was the cause', () => {
    const rig = tss32(new Rig().protectedMode(0), { segments: withSegment(3, 0x200) })
    rig.idt(0x30, Sel.other, 0, 0x85)
    expect(rig.attempt(() => vectorThrough(rig, { vector: 0x30, source: 'external' }))).toEqual({
      vector: 10,
      errorCode: 0x201,
    })
  })

  it('include a stack without room for the error code', () => {
    const rig = tss32(new Rig().protectedMode(0), { segments: withSegment(2, Sel.data16) })
    rig.descriptor(Sel.data16, 0, 0x2fff, 0x93, 4)
    rig.idt(13, Sel.other, 0, 0x85)
    const outcome = rig.attempt(() => vectorThrough(rig, { vector: 13, source: 'fault', errorCode: 0 }))
    expect(outcome).toEqual({ vector: 12, errorCode: 1 })
  })
})
