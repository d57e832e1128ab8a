/** Compares what a CPU made of a sequence with what the host made of it. */

import { Seg } from '@vmexit/x86-decoder'
import type { Step } from './code.ts'
import type { Outcome } from './format.ts'
import { CODE, DATA, Fx, type UserState } from './input.ts'
import type { Mask } from './masks.ts'
import { FS_BASE, GS_BASE_32, GS_BASE_64 } from './segments.ts'

export interface Result {
  readonly vector: number
  readonly ip: number
  readonly state: UserState
  readonly page: Uint8Array
}

/** The flags that user code can see: without RF. */
const FLAGS = 0x24_4fd5
const hex = (value: number): string => (value >>> 0).toString(16)
const bytesOf = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0'))
    .reverse()
    .join('')

/** The differences under the mask; none when they agree. `page` is the page as the sequence began, and is changed. */
export function compare(
  host: Outcome,
  ours: Result,
  mask: Mask,
  steps: readonly Step[],
  before: UserState,
  page: Uint8Array,
  bits: 16 | 32 | 64,
): string[] {
  const found: string[] = []
  if (ours.vector !== host.vector || ours.ip !== host.ip)
    found.push(`vector ${ours.vector} at ${ours.ip}, not ${host.vector} at ${host.ip}`)
  registers(host.state, ours.state, mask, found)
  const flags = (host.state.flags ^ ours.state.flags) & FLAGS & ~mask.flags
  if (flags) found.push(`flags ${hex(ours.state.flags)}, not ${hex(host.state.flags)} (${hex(flags)})`)
  if (!mask.x87) x87(host.state.fx, ours.state.fx, mask, found)
  vectors(host.state.fx, ours.state.fx, mask, bits, found)
  for (const patch of host.memory) page.set(patch.bytes, patch.offset)
  memory(page, ours.page, ignoredBytes(mask, steps, before, bits), found)
  return found
}

function registers(host: UserState, ours: UserState, mask: Mask, found: string[]): void {
  for (let i = 0; i < 32; i++) {
    if (host.gpr[i] === ours.gpr[i] || (i & 1 && mask.highHalf & (1 << (i >> 1)))) continue
    found.push(`register ${i >> 1}${i & 1 ? ' (upper half)' : ''} ${hex(ours.gpr[i]!)}, not ${hex(host.gpr[i]!)}`)
  }
}

function x87(host: Uint8Array, ours: Uint8Array, mask: Mask, found: string[]): void {
  const word = (fx: Uint8Array, at: number): number => fx[at]! | (fx[at + 1]! << 8)
  for (const [name, at, ignored] of [
    ['control word', Fx.fcw, 0],
    ['status word', Fx.fsw, mask.fsw],
  ] as const) {
    if ((word(host, at) ^ word(ours, at)) & ~ignored)
      found.push(`${name} ${hex(word(ours, at))}, not ${hex(word(host, at))}`)
  }
  if (host[Fx.tags] !== ours[Fx.tags]) found.push(`tags ${hex(ours[Fx.tags]!)}, not ${hex(host[Fx.tags]!)}`)
  for (let i = 0; i < 8; i++) {
    const a = ours.subarray(Fx.st + i * 16, Fx.st + i * 16 + 10)
    const b = host.subarray(Fx.st + i * 16, Fx.st + i * 16 + 10)
    if (same(a, b) || (mask.ulps?.st.includes(i) && ulps(a, b) <= mask.ulps.most)) continue
    found.push(`ST(${i}) ${bytesOf(a)}, not ${bytesOf(b)}`)
  }
}

/** Distance of two extended-precision numbers of one sign in units of the last place. */
function ulps(a: Uint8Array, b: Uint8Array): number {
  const value = (bytes: Uint8Array): bigint => {
    const significand = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true)
    const head = bytes[8]! | (bytes[9]! << 8)
    const magnitude = (BigInt(head & 0x7fff) << 63n) + BigInt.asUintN(63, significand)
    return head & 0x8000 ? -magnitude : magnitude
  }
  const distance = value(a) - value(b)
  return Number(distance < 0n ? -distance : distance)
}

function vectors(host: Uint8Array, ours: Uint8Array, mask: Mask, bits: number, found: string[]): void {
  const control = (fx: Uint8Array): number => fx[Fx.mxcsr]! | (fx[Fx.mxcsr + 1]! << 8)
  if (control(host) !== control(ours)) found.push(`MXCSR ${hex(control(ours))}, not ${hex(control(host))}`)
  for (let i = 0; i < (bits === 64 ? 16 : 8); i++) {
    const a = ours.subarray(Fx.xmm + i * 16, Fx.xmm + i * 16 + 16)
    const b = host.subarray(Fx.xmm + i * 16, Fx.xmm + i * 16 + 16)
    if (same(a, b) || (mask.approximate?.xmm === i && closeLanes(a, b, mask.approximate.lanes))) continue
    found.push(`XMM${i} ${bytesOf(a)}, not ${bytesOf(b)}`)
  }
}

/** Both are within 1.5 · 2^−12 of the truth, so within twice that of each other. */
function closeLanes(a: Uint8Array, b: Uint8Array, lanes: number): boolean {
  const left = new DataView(a.buffer, a.byteOffset)
  const right = new DataView(b.buffer, b.byteOffset)
  for (let lane = 0; lane < 4; lane++) {
    if (left.getUint32(lane * 4, true) === right.getUint32(lane * 4, true)) continue
    const [x, y] = [left.getFloat32(lane * 4, true), right.getFloat32(lane * 4, true)]
    if (lane >= lanes || !(Math.abs(x - y) <= Math.abs(y) * 3 * 2 ** -12)) return false
  }
  return true
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** Offset in the page of the first instruction's memory operand, from the registers as they begin. */
function operandOffset({ insn }: Step, { gpr }: UserState, bits: 16 | 32 | 64): number {
  const register = (n: number): bigint => (n < 0 ? 0n : (BigInt(gpr[n * 2 + 1]!) << 32n) | BigInt(gpr[n * 2]!))
  let sum =
    (BigInt(insn.dispHigh) << 32n) +
    BigInt(insn.disp >>> 0) +
    register(insn.base) +
    (register(insn.index) << BigInt(insn.scale))
  if (insn.ripRelative) sum += BigInt(CODE + insn.length)
  sum = BigInt.asUintN(insn.addrSize, sum)
  if (insn.seg === Seg.fs) sum += BigInt(FS_BASE)
  if (insn.seg === Seg.gs) sum += BigInt(bits === 64 ? GS_BASE_64 : GS_BASE_32)
  return Number(BigInt.asUintN(bits === 64 ? 64 : 32, sum)) - DATA
}

function ignoredBytes(mask: Mask, steps: readonly Step[], before: UserState, bits: 16 | 32 | 64): Set<number> {
  const ignored = new Set<number>()
  if (mask.memory.length === 0) return ignored
  const operand = operandOffset(steps[0]!, before, bits)
  for (const { from, bytes } of mask.memory) for (let i = 0; i < bytes; i++) ignored.add(operand + from + i)
  return ignored
}

function memory(host: Uint8Array, ours: Uint8Array, ignored: ReadonlySet<number>, found: string[]): void {
  for (let at = 0; at < host.length; at++) {
    if (host[at] !== ours[at] && !ignored.has(at)) found.push(`[${hex(at)}] ${hex(ours[at]!)}, not ${hex(host[at]!)}`)
  }
}
