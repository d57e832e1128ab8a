/** What a random machine has in memory: descriptor tables, page tables, handlers, and the code that enters its mode. */

import type { Random } from '../random.ts'
import { ALIAS_PAGES, ALIASES, At, CODE_BYTES, type Kind, LARGE, type Segments, Sel, segmentsOf } from './layout.ts'

/** Ports of the device that handlers ask: an offset in the code, the offset of a page-table entry, bits to set, bits to flip. */
export const Port = { code: 0x40, entry: 0x44, set: 0x48, flip: 0x4c } as const

/** Bytes to be placed. */
export interface Piece {
  readonly at: number
  readonly bytes: Uint8Array
}

const word = (value: number): number[] => [value & 0xff, (value >>> 8) & 0xff]
const dword = (value: number): number[] => [...word(value), ...word(value >>> 16)]

/** A descriptor: base, limit in bytes (or pages when above 1 MB), access byte, D/B. */
function descriptor(base: number, limit: number, access: number, wide: boolean): number[] {
  const pages = limit > 0xf_ffff
  const scaled = pages ? limit >>> 12 : limit
  const high = ((scaled >>> 16) & 15) | (wide ? 0x40 : 0) | (pages ? 0x80 : 0)
  return [...word(scaled), ...word(base), (base >>> 16) & 0xff, access, high, base >>> 24]
}

function gdt(kind: Kind, random: Random): number[] {
  const user = kind.cpl << 5
  const wide = kind.bits === 32
  const all = 0xffff_ffff
  const limit = (): number => (kind.based ? random.pick([0x7fff, 0x7ffe, 0xffff, 0x6ff7]) : all)
  const base = kind.based ? At.code : 0
  const stack = kind.based && random.one(2)
  return [
    ...descriptor(0, 0, 0, false),
    ...descriptor(0, all, 0x9a, !(kind.mode === 'protected' && kind.bits === 16)),
    ...descriptor(0, all, 0x92, true),
    ...descriptor(
      base,
      kind.based ? random.pick([CODE_BYTES - 1, CODE_BYTES - 6, 0x7fff, 0xffff]) : all,
      0x9a | user,
      wide,
    ),
    ...descriptor(base, limit(), 0x92 | user, wide),
    // Expand-down with a small limit, or expand-up.
    ...(stack
      ? descriptor(At.stack, 0x0f, 0x96 | user, wide)
      : descriptor(kind.based ? At.stack : 0, limit(), 0x92 | user, wide)),
    ...descriptor(At.tss, 0x87, 0x89, false),
    ...descriptor(0, 0xfff, 0x12 | user, wide),
    ...descriptor(At.data, 0x7b, 0x90 | user, wide),
    ...descriptor(0, all, 0x9a, true),
  ]
}
const BOOT_CODE = 0x48

const WITH_ERROR_CODE = new Set([8, 10, 11, 12, 13, 14, 17])
/** Offsets of the handlers from `At.handlers`. */
const Handler = { plain: 0, error: 0x100, page: 0x200 } as const
/** Handlers that lie among the code, so that the page left and the handler's may be one. */
const AMONG_CODE = At.code + 0xc00
const handlerOf = (vector: number, base: number): number =>
  base + (vector === 14 ? Handler.page : WITH_ERROR_CODE.has(vector) ? Handler.error : Handler.plain)

function idt(kind: Kind, base: number): number[] {
  const wide = kind.mode !== 'protected' || kind.bits === 32
  const gates: number[] = []
  for (let vector = 0; vector < 256; vector++) {
    const at = handlerOf(vector, base)
    const open = vector === 3 || vector === 4 || vector >= 0x30 ? 0x60 : 0
    gates.push(
      ...word(at),
      ...word(Sel.code0),
      0,
      0x80 | open | (wide ? 0x0e : 0x06) | (vector === 0x31 ? 1 : 0),
      ...word(at >>> 16),
    )
  }
  return gates
}

/** Continue elsewhere in the code, with valid pointers in the registers and valid data segments. */
function handler16(kind: Kind, segments: Segments, skip: number): number[] {
  return [
    ...(skip ? [0x83, 0xc4, skip] : []),
    0x60, 0x89, 0xe5, // PUSHA; MOV BP, SP
    0xe5, Port.code, 0x89, 0x46, 0x10, // IN AX; MOV [BP+16], AX
    ...(kind.mode === 'real' ? [0xc7, 0x46, 0x12, ...word(segments.codeSelector)] : []),
    0xb8, ...word(segments.dataSelector), 0x8e, 0xd8, 0x8e, 0xc0,
    0x61,
    0xbe, ...word(segments.data + 0x100), 0xbf, ...word(segments.data + 0x200), 0xbb, ...word(segments.data + 0x300), 0xb9, ...word(10),
    0xcf,
  ] // biome-ignore format: one instruction a group
}
function handler32(segments: Segments, skip: number, entryBase: number): number[] {
  return [
    ...(skip ? [0x83, 0xc4, skip] : []),
    0x60, 0xe5, Port.code, 0x89, 0x44, 0x24, 0x20, // PUSHA; IN EAX; MOV [ESP+32], EAX
    ...(entryBase === 0 ? [] : [
      0xb8, ...dword(Sel.data0), 0x8e, 0xd8, // MOV DS
      0xe5, Port.entry, 0x89, 0xc3, // IN EAX; MOV EBX, EAX
      0xe5, Port.set, 0x09, 0x83, ...dword(entryBase), // OR [EBX+table], EAX
      0xe5, Port.flip, 0x31, 0x83, ...dword(entryBase), // XOR [EBX+table], EAX
      0xc1, 0xe3, entryBase === At.paeTables ? 9 : 10, 0x0f, 0x01, 0x3b, // SHL EBX; INVLPG [EBX]
    ]),
    0xb8, ...dword(segments.dataSelector), 0x8e, 0xd8, 0x8e, 0xc0,
    0x61,
    0xbe, ...dword(segments.data + 0x100), 0xbf, ...dword(segments.data + 0x200), 0xbb, ...dword(segments.data + 0x300), 0xb9, ...dword(10),
    0xcf,
  ] // biome-ignore format: one instruction a group
}

/** Page numbers that handlers remap. */
export function mappedPages(): number[] {
  const pages: number[] = []
  for (let n = 0; n < CODE_BYTES * 2; n += 0x1000) pages.push((At.code + n) >> 12)
  for (let n = 0; n < ALIAS_PAGES; n++) pages.push((ALIASES >> 12) + n)
  return pages
}

function tables(kind: Kind, random: Random): Piece[] {
  const wide = kind.paging === 'PAE'
  const entries = new Array<number>(512).fill(0).map((_, n) => (n << 12) | (n >= 0x10 ? 7 : 3))
  for (const page of mappedPages()) {
    const frame = page >= ALIASES >> 12 ? (At.code >> 12) + random.below(8) : page
    let bits = 7
    if (random.one(8)) bits &= ~1
    if (random.one(7)) bits &= ~2
    if (random.one(14)) bits &= ~4
    if (random.one(5)) bits |= 0x100
    entries[page] = (frame << 12) | bits
  }
  const long = (low: number, high = 0): number[] => [...dword(low), ...dword(high)]
  const table = (values: readonly number[], at: number): Piece => ({ at, bytes: Uint8Array.from(values) })
  const large = random.pick([0x87, 0x87, 0x187, 0x85, 0x83])
  if (!wide)
    return [
      table([...dword(At.tables | 7), ...dword(large), ...new Array<number>(0xff8).fill(0)], At.root),
      table(entries.flatMap(dword), At.tables),
    ]
  const execute = (page: number): number => (page >= 0x14 && random.one(4) ? 0x8000_0000 | 0 : 0)
  return [
    table([...long(At.tables | 1), ...long(0), ...long(0), ...long(0)], At.root),
    table([...long(At.paeTables | 7), ...long(0), ...long(large), ...new Array<number>(0xfe8).fill(0)], At.tables),
    table(
      entries.flatMap((low, page) => long(low, execute(page))),
      At.paeTables,
    ),
  ]
}

/** From real mode at `At.boot` to the first instruction of the machine's code. */
function boot(kind: Kind, segments: Segments, random: Random): number[] {
  const sse = 0x600
  const paging = kind.paging !== 'none'
  const cr4 =
    sse | (kind.paging === 'PAE' ? 0x20 : paging ? 0x10 : 0) | (random.one(2) ? 0x80 : 0) | (random.one(3) ? 0x08 : 0)
  const flags = (random.one(2) ? 0x200 : 0) | (random.one(2) || kind.mode === 'v86' ? 0x3000 : 0) | 2
  const start = [0xfa, 0x66, 0xb8, ...dword(cr4), 0x0f, 0x22, 0xe0]
  const stackTop = segments.stack + 0xff0
  if (kind.mode === 'real')
    return [
      ...start,
      0xb8, ...word(segments.stackSelector), 0x8e, 0xd0, 0xbc, ...word(stackTop),
      0xb8, ...word(segments.dataSelector), 0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xe0, 0x8e, 0xe8,
      0x9b, 0xdb, 0xe3,
      0xea, ...word(segments.code), ...word(segments.codeSelector),
    ] // biome-ignore format: one instruction a group
  const cr0 =
    0x11 |
    (random.one(2) ? 0x20 : 0) |
    (paging ? 0x8000_0000 : 0) |
    (random.one(2) ? 0x1_0000 : 0) |
    (random.one(6) ? 0x4_0000 : 0)
  const user = kind.cpl === 3
  const v86 = kind.mode === 'v86'
  const frame = v86
    ? [0, 0, segments.dataSelector, segments.dataSelector, segments.stackSelector, stackTop, flags | 0x2_0000]
    : user
      ? [segments.stackSelector, stackTop, flags]
      : [flags]
  const head = [
    ...start,
    0x66, 0x0f, 0x01, 0x16, ...word(At.boot + 0x200), 0x66, 0x0f, 0x01, 0x1e, ...word(At.boot + 0x208),
    ...(paging ? [0x66, 0xb8, ...dword(At.root), 0x0f, 0x22, 0xd8] : []),
    ...(kind.paging === 'PAE' ? [0x66, 0xb9, ...dword(0xc000_0080), 0x0f, 0x32, 0x66, 0x0d, ...dword(0x800), 0x0f, 0x30] : []),
    0x66, 0xb8, ...dword(cr0), 0x0f, 0x22, 0xc0,
  ] // biome-ignore format: one instruction a group
  const next = At.boot + head.length + 8
  const inner = v86 || user
  return [
    ...head,
    0x66, 0xea, ...dword(next), ...word(BOOT_CODE),
    0xb8, ...dword(Sel.tss), 0x0f, 0x00, 0xd8,
    0x9b, 0xdb, 0xe3,
    ...(inner
      ? [0xb8, ...dword(Sel.data0), 0x8e, 0xd0, 0xbc, ...dword(At.innerStack)]
      : [0xb8, ...dword(segments.stackSelector), 0x8e, 0xd0, 0xbc, ...dword(stackTop)]),
    ...(v86 ? [] : [0xb8, ...dword(segments.dataSelector), 0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xe0, 0x8e, 0xe8]),
    ...[...frame, segments.codeSelector, segments.code].flatMap((value) => [0x68, ...dword(value)]),
    0xcf,
  ] // biome-ignore format: one instruction a group
}

/** All but code and data. */
export function image(kind: Kind, random: Random): Piece[] {
  const segments = segmentsOf(kind)
  const pieces: Piece[] = []
  const put = (at: number, bytes: readonly number[]): void => void pieces.push({ at, bytes: Uint8Array.from(bytes) })
  const tss = new Array<number>(0x88).fill(0)
  tss.splice(4, 8, ...dword(At.innerStack), ...dword(Sel.data0))
  tss.splice(0x66, 2, ...word(0x68))
  for (let i = 0x68; i < 0x88; i++) tss[i] = random.one(2) ? 0 : random.next() & 0xff
  put(At.gdt, gdt(kind, random))
  const handlers = kind.bits === 32 && !kind.based && random.one(2) ? AMONG_CODE : At.handlers
  put(At.idt, idt(kind, handlers))
  put(At.tss, tss)
  const real = kind.mode === 'real'
  const narrow = kind.mode !== 'v86' && kind.bits === 16
  const entries = kind.paging === 'none' ? 0 : kind.paging === 'PAE' ? At.paeTables : At.tables
  if (real)
    put(
      At.vectors,
      new Array<number>(256).fill(0).flatMap(() => [...word(At.handlers), ...word(0)]),
    )
  const make = (skip: number, base: number): number[] =>
    narrow ? handler16(kind, segments, skip / 2) : handler32(segments, skip, base)
  put(handlers + Handler.plain, make(0, 0))
  put(handlers + Handler.error, make(4, 0))
  put(handlers + Handler.page, make(4, entries))
  if (kind.paging !== 'none') pieces.push(...tables(kind, random))
  put(At.boot, boot(kind, segments, random))
  put(At.boot + 0x200, [...word(0x50 - 1), ...dword(At.gdt), 0, 0, ...word(0x7ff), ...dword(At.idt)])
  return pieces
}

/** Offsets worth reaching beyond the data. */
export function elsewhere(kind: Kind): number[] {
  if (kind.based) return [0, 0x2000, 0x6ff0, 0x7ff0, 0xfff0]
  const plain = [At.code, At.code + 0x1000, At.rom, 0xf_e000]
  if (kind.paging === 'none') return [...plain, 0x10_0000]
  const aliases = Array.from({ length: 12 }, (_, n) => ALIASES + n * 0x5000)
  return [...plain, ...aliases, LARGE + At.code, LARGE + At.data, 0x70_0000]
}
