import { expect, test } from 'vitest'
import { Evaluator, type Value } from '../ops/evaluate.ts'
import type { Ops } from '../ops/ops.ts'
import { divideWide, multiplyWide, shiftRightSticky, squareRootWide } from './wide.ts'

const memory = new Uint8Array(16)
const o = new Evaluator({ view: new DataView(memory.buffer), u8: memory }, 0) as Ops<Value>
const u64 = (v: Value): bigint => BigInt.asUintN(64, v as bigint)

/** A fixed sequence of 64-bit values, runs of equal bits preferred: carries and borrows live at their ends. */
function* values(count: number): Generator<bigint> {
  let state = 0x9e3779b97f4a7c15n
  for (let i = 0; i < count; i++) {
    let value = 0n
    for (let bits = 0; bits < 64; ) {
      state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n)
      const run = 1 + Number((state >> 40n) % (i % 2 ? 64n : 5n))
      value = (value << BigInt(run)) | ((state >> 33n) & 1n ? (1n << BigInt(run)) - 1n : 0n)
      bits += run
    }
    yield BigInt.asUintN(64, value)
  }
}
const list = [0n, 1n, 2n ** 63n, 2n ** 64n - 1n, 2n ** 32n, 2n ** 32n - 1n, 2n ** 62n, ...values(160)]
const TOP = 2n ** 63n

test('products, quotients and roots are those of unbounded integers', () => {
  for (const a of list) {
    for (const b of list) {
      const p = multiplyWide(o, o.i64(a), o.i64(b))
      expect((u64(p.high) << 64n) | u64(p.low)).toBe(a * b)
      const divisor = b | TOP
      const high = a % divisor
      const q = divideWide(o, o.i64(high), o.i64(b), o.i64(divisor))
      const whole = (high << 64n) | b
      expect([u64(q.quotient), u64(q.remainder)]).toEqual([whole / divisor, whole % divisor])
    }
  }
})

test('a root comes with what lies below it', () => {
  for (const a of list) {
    for (const b of list) {
      const high = a >= 2n ** 62n ? a : a | TOP
      const n = (high << 64n) | b
      const { root, below } = squareRootWide(o, o.i64(high), o.i64(b))
      const s = u64(root)
      expect(s * s <= n && n < (s + 1n) * (s + 1n)).toBe(true)
      expect(u64(below)).toBe((n - s * s > s ? TOP : 0n) | (n === s * s ? 0n : 1n))
    }
  }
})

test('a shift keeps a trace of what it loses', () => {
  expect(shiftRightSticky(o, o.i64(0b1001n), o.i64(2n))).toBe(0b11n)
  expect(shiftRightSticky(o, o.i64(0b1000n), o.i64(2n))).toBe(0b10n)
  expect(shiftRightSticky(o, o.i64(5n), o.i64(0n))).toBe(5n)
})
