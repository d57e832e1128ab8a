/**
 * The state in which a sequence of a host vector begins, from its seed: what is recorded holds for exactly this function.
 * Memory is one page; each part of it holds numbers of one kind.
 */
import { Random } from '../random.ts'
import { double, extended, quadword, single, word } from './random.ts'

/** Where code and data lie, in linear memory; below 64 KB, so that 16-bit addresses reach them. */
export const CODE = 0x4000
export const DATA = 0x8000
export const PAGE = 0x1000

/** Parts of the page: offset and bytes. */
export const Part = {
  integers: { start: 0x000, bytes: 0x200 },
  singles: { start: 0x200, bytes: 0x200 },
  doubles: { start: 0x400, bytes: 0x200 },
  /** One number in 16 bytes. */
  extended: { start: 0x600, bytes: 0x200 },
  /** Packed decimals, one in 16 bytes. */
  decimals: { start: 0x800, bytes: 0x100 },
  /** An image that FXRSTOR takes. */
  image: { start: 0xa00, bytes: 0x200 },
  stack: { start: 0xc00, bytes: 0x200 },
  free: { start: 0xe00, bytes: 0x200 },
} as const

/** Offset of the stack pointer in the page: room on both sides. */
const STACK_TOP = 0xd00
const SP = 4

/** Offsets in an image as FXSAVE writes it (SDM vol. 1, table 10-2). */
export const Fx = { fcw: 0, fsw: 2, tags: 4, mxcsr: 24, st: 32, xmm: 160 } as const

/** What a sequence begins with and ends with. */
export interface UserState {
  /** 16 registers of two words. */
  readonly gpr: Uint32Array
  flags: number
  /** x87 and XMM registers as FXSAVE lays them out. */
  readonly fx: Uint8Array
}

export const createUserState = (): UserState => ({ gpr: new Uint32Array(32), flags: 0, fx: new Uint8Array(512) })

/** What vector registers hold: chosen by a seed's low two bits. */
export const Profile = { integers: 0, singles: 1, doubles: 2, mixed: 3 } as const
const PAGES = 32

const CF_PF_AF_ZF_SF_OF = 0x8d5
const IF_AND_1 = 0x202
const DF = 0x400
const AC = 0x4_0000

function setWord(bytes: Uint8Array, at: number, value: number): void {
  for (let i = 0; i < 4; i++) bytes[at + i] = value >>> (8 * i)
}
function setHalf(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value
  bytes[at + 1] = value >> 8
}

const pair = new Uint32Array(2)
function setPair(bytes: Uint8Array, at: number): void {
  setWord(bytes, at, pair[0]!)
  setWord(bytes, at + 4, pair[1]!)
}

function vector(random: Random, profile: number, bytes: Uint8Array, at: number): void {
  const kind = profile === Profile.mixed ? random.below(3) : profile
  for (let i = 0; i < 16; i += 8) {
    if (kind === Profile.doubles) {
      double(random, pair, 0)
      setPair(bytes, at + i)
    } else if (kind === Profile.singles) {
      setWord(bytes, at + i, single(random))
      setWord(bytes, at + i + 4, single(random))
    } else {
      quadword(random, pair, 0)
      setPair(bytes, at + i)
    }
  }
}

/** Control and status word that agree on whether an exception is pending; mostly none is, and all are masked. */
function x87Words(random: Random, fx: Uint8Array): void {
  const masks = random.one(6) ? random.next() & 0x3f : 0x3f
  const fcw =
    0x40 |
    masks |
    (random.one(3) ? (random.next() & 3) << 10 : 0) |
    (random.one(3) ? random.pick([0, 0, 0x200]) : 0x300)
  const raised = random.one(3) ? random.next() & 0x3f & (random.one(8) ? 0x3f : masks) : 0
  const stackFault = raised & 1 && random.one(2) ? 0x40 : 0
  const pending = raised & ~masks ? 0x8080 : 0
  const codes = random.next() & 0x7f00
  setHalf(fx, Fx.fcw, fcw)
  setHalf(fx, Fx.fsw, codes | raised | stackFault | pending)
  fx[Fx.tags] = tags(random, (codes >> 11) & 7)
}

/** All registers in use, some from the top on, or any. */
function tags(random: Random, top: number): number {
  const how = random.below(4)
  if (how === 0) return 0xff
  if (how === 1) return random.next() & 0xff
  const inUse = (1 << (1 + random.below(7))) - 1
  return ((inUse << top) | (inUse >> (8 - top))) & 0xff
}

function mxcsr(random: Random): number {
  const masks = random.one(6) ? (random.next() & 0x3f) << 7 : 0x1f80
  const flags = random.one(4) ? random.next() & 0x3f : 0
  const rounding = random.one(2) ? (random.next() & 3) << 13 : 0
  return masks | flags | rounding | (random.one(6) ? 0x8000 : 0) | (random.one(6) ? 0x40 : 0)
}

/** Fill in the state that `seed` stands for, in code of so many bits. */
export function fillState(seed: number, state: UserState, bits: 16 | 32 | 64): void {
  const random = new Random(seed)
  const { gpr, fx } = state
  for (let reg = 0; reg < 16; reg++) quadword(random, gpr, reg * 2)
  if (bits !== 64) for (let reg = 0; reg < 16; reg++) gpr.fill(0, reg < 8 ? reg * 2 + 1 : reg * 2, reg * 2 + 2)
  gpr[SP * 2] = DATA + STACK_TOP + (random.one(8) ? random.below(16) : 0)
  gpr[SP * 2 + 1] = 0
  state.flags = IF_AND_1 | (random.next() & CF_PF_AF_ZF_SF_OF) | (random.one(4) ? DF : 0) | (random.one(64) ? AC : 0)
  fx.fill(0)
  x87Words(random, fx)
  for (let i = 0; i < 8; i++) extended(random, fx, Fx.st + i * 16)
  setWord(fx, Fx.mxcsr, mxcsr(random))
  for (let i = 0; i < 16; i++) vector(random, seed & 3, fx, Fx.xmm + i * 16)
}

const pages: (Uint8Array | undefined)[] = []

/** The page of data that `seed` stands for. Nobody changes it. */
export function pageOf(seed: number): Uint8Array {
  const number = (seed >>> 2) % PAGES
  return (pages[number] ??= createPage(number))
}

function createPage(number: number): Uint8Array {
  const random = new Random(0x5eed_0000 + number)
  const page = new Uint8Array(PAGE)
  const fill = ({ start, bytes }: { start: number; bytes: number }, step: number, put: (at: number) => void): void => {
    for (let at = start; at < start + bytes; at += step) put(at)
  }
  const integers = (at: number): void => {
    quadword(random, pair, 0)
    setPair(page, at)
  }
  fill(Part.integers, 8, integers)
  fill(Part.singles, 4, (at) => setWord(page, at, single(random)))
  fill(Part.doubles, 8, (at) => {
    double(random, pair, 0)
    setPair(page, at)
  })
  fill(Part.extended, 16, (at) => extended(random, page, at))
  fill(Part.decimals, 1, (at) => {
    page[at] = random.one(30) ? random.next() : random.below(10) * 16 + random.below(10)
  })
  fill(Part.stack, 8, integers)
  fill(Part.free, 4, (at) => setWord(page, at, word(random)))
  const image = createUserState()
  fillState(random.next(), image, 64)
  page.set(image.fx, Part.image.start)
  return page
}
