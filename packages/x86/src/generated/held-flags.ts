/**
 * Status flags as what they were made of: a kind and up to three values. A translation holds them so, for most are never
 * asked for; whoever needs the slots of the state has them settled there first.
 */
import type { Ops, Routine } from '../ops/ops.ts'
import type { FlagSlot } from '../semantics/lazy-flags.ts'
import { slotOffset } from '../semantics/lazy-flags.ts'
import { Flag, Layout } from '../state/layout.ts'

/** Kinds, to which the operands' size in bits is added 16-fold. Values are sign-extended from that size. */
export const HeldFlags = {
  /** The slots of the state have them, unless something is pending there. */
  settled: 0,
  /** Of a + b and a − b. */
  add: 1,
  sub: 2,
  /** Of the result a. */
  logic: 3,
  /** Of a + 1 and a − 1; c is CF, which stays. */
  inc: 4,
  dec: 5,
  /** Of the result a; b is CF, OF in bit 1, and AF in bit 4. */
  result: 6,
  /** An image of EFLAGS in a. */
  image: 7,
  /** Of a + b + c and a − b − c, c being the carry. */
  addCarry: 8,
  subBorrow: 9,
} as const

const KIND = 15
const SIZE_SHIFT = 4

/**
 * (base, kind, a, b, c): have the slots of the state hold those flags; with kind 0 those that are pending in the state, if
 * any. Nothing is pending then.
 */
export const settleFlags: Routine = {
  name: 'settleFlags',
  params: ['i32', 'i32', 'i32', 'i32', 'i32'],
  results: [],
  body: (o, _base, kind, a, b, c) => {
    const state = o.state()
    const pending = (offset: number) => o.peek('i32', state, offset, 32)
    o.if(
      kind!,
      () => settle(o, kind!, a!, b!, c!),
      () => {
        const held = o.let(pending(Layout.heldFlags))
        o.if(held, () => {
          const [x, y, z] = [4, 8, 12].map((offset) => o.let(pending(Layout.heldFlags + offset)))
          settle(o, held, x!, y!, z!)
        })
      },
    )
    o.poke(state, Layout.heldFlags, o.i32(0), 32)
    return []
  },
}

function settle<V>(o: Ops<V>, kind: V, a: V, b: V, c: V): void {
  const unused = o.let(o.sub(o.i32(32), o.shr(kind, o.i32(SIZE_SHIFT))))
  const canonical = (value: V): V => o.let(o.sar(o.shl(value, unused), unused))
  const slots = (values: Readonly<Record<FlagSlot, V>>): void => {
    for (const [slot, value] of Object.entries(values)) o.poke(o.state(), slotOffset[slot as FlagSlot], value, 32)
  }
  const zero = o.i32(0)
  const cases: Readonly<Record<number, () => void>> = {
    [HeldFlags.add]: () => {
      const r = canonical(o.add(a, b))
      slots({ FR: r, FX: zero, X: a, Y: b, S: r, CA: r, CB: a })
    },
    [HeldFlags.sub]: () => {
      const r = canonical(o.sub(a, b))
      slots({ FR: r, FX: zero, X: r, Y: b, S: a, CA: a, CB: b })
    },
    [HeldFlags.addCarry]: () => {
      const r = canonical(o.add(o.add(a, b), c))
      const carry = o.let(o.or(o.ltU(r, a), o.and(c, o.eq(r, a))))
      slots({ FR: r, FX: zero, X: a, Y: b, S: r, CA: zero, CB: carry })
    },
    [HeldFlags.subBorrow]: () => {
      const r = canonical(o.sub(o.sub(a, b), c))
      const borrow = o.let(o.or(o.ltU(a, b), o.and(c, o.eq(a, b))))
      slots({ FR: r, FX: zero, X: r, Y: b, S: a, CA: zero, CB: borrow })
    },
    [HeldFlags.logic]: () => slots({ FR: a, FX: zero, X: zero, Y: zero, S: zero, CA: zero, CB: zero }),
    [HeldFlags.inc]: () => {
      const r = canonical(o.add(a, o.i32(1)))
      slots({ FR: r, FX: zero, X: a, Y: o.i32(1), S: r, CA: zero, CB: c })
    },
    [HeldFlags.dec]: () => {
      const r = canonical(o.sub(a, o.i32(1)))
      slots({ FR: r, FX: zero, X: r, Y: o.i32(1), S: a, CA: zero, CB: c })
    },
    [HeldFlags.result]: () => {
      const overflow = o.let(o.sub(zero, o.and(o.shr(b, o.i32(1)), o.i32(1))))
      const auxiliary = o.xor(overflow, o.and(b, o.i32(0x10)))
      slots({ FR: a, FX: zero, X: auxiliary, Y: overflow, S: zero, CA: zero, CB: o.and(b, o.i32(1)) })
    },
    [HeldFlags.image]: () => {
      // As `setStatusFlags` of the lazy flags has it.
      const bit = (n: number): V => o.and(o.shr(a, o.i32(n)), o.i32(1))
      const zf = o.let(bit(6))
      const sign = o.let(o.sub(zero, bit(7)))
      const overflow = o.let(o.sub(zero, bit(11)))
      const mend = o.shl(o.xor(zf, bit(2)), o.i32(1))
      slots({
        FR: o.xor(zf, o.i32(1)),
        FX: o.xor(sign, mend),
        X: o.xor(overflow, o.and(a, o.i32(0x10))),
        Y: overflow,
        S: zero,
        CA: zero,
        CB: bit(0),
      })
    },
  }
  choose(o, o.let(o.and(kind, o.i32(KIND))), cases)
}

/** Kinds, the most frequent ones first. */
const BY_FREQUENCY: readonly number[] = [
  ...[HeldFlags.sub, HeldFlags.logic, HeldFlags.inc, HeldFlags.dec, HeldFlags.add],
  ...[HeldFlags.result, HeldFlags.image, HeldFlags.addCarry, HeldFlags.subBorrow],
]

/** What is to be done for a kind, one after the other asked for. */
function choose<V>(o: Ops<V>, which: V, cases: Readonly<Record<number, () => void>>, from = 0): void {
  const kind = BY_FREQUENCY[from]
  if (kind !== undefined) o.if(o.eq(which, o.i32(kind)), cases[kind]!, () => choose(o, which, cases, from + 1))
}

/**
 * () → [what ZF is of, CF], of the flags that the state has, pending or settled; they stay as they are. (In place of settling
 * them for a branch or for INC: a shell takes 6 % less time.)
 */
export const peekFlags: Routine = {
  name: 'peekFlags',
  params: ['i32'],
  results: ['i32', 'i32'],
  body: (o) => {
    const state = o.state()
    const at = (offset: number) => o.let(o.peek('i32', state, offset, 32))
    const held = at(Layout.heldFlags)
    const [result, carry] = [o.variable(o.i32(0)), o.variable(o.i32(0))]
    const are = (r: typeof held, c: typeof held): void => {
      o.set(carry, c)
      o.set(result, r)
    }
    const ofSlots = () => are(at(slotOffset.FR), o.ltU(at(slotOffset.CA), at(slotOffset.CB)))
    const ofHeld = (): void => {
      const [a, b, c] = [4, 8, 12].map((offset) => at(Layout.heldFlags + offset)) as [
        typeof held,
        typeof held,
        typeof held,
      ]
      const unused = o.let(o.sub(o.i32(32), o.shr(held, o.i32(SIZE_SHIFT))))
      const canonical = (value: typeof held) => o.let(o.sar(o.shl(value, unused), unused))
      choose(o, o.let(o.and(held, o.i32(KIND))), {
        [HeldFlags.add]: () => {
          const r = canonical(o.add(a, b))
          are(r, o.ltU(r, a))
        },
        [HeldFlags.sub]: () => are(canonical(o.sub(a, b)), o.ltU(a, b)),
        [HeldFlags.addCarry]: () => {
          const r = canonical(o.add(o.add(a, b), c))
          are(r, o.or(o.ltU(r, a), o.and(c, o.eq(r, a))))
        },
        [HeldFlags.subBorrow]: () => are(canonical(o.sub(o.sub(a, b), c)), o.or(o.ltU(a, b), o.and(c, o.eq(a, b)))),
        [HeldFlags.logic]: () => are(a, o.i32(0)),
        [HeldFlags.inc]: () => are(canonical(o.add(a, o.i32(1))), c),
        [HeldFlags.dec]: () => are(canonical(o.sub(a, o.i32(1))), c),
        [HeldFlags.result]: () => are(a, o.and(b, o.i32(1))),
        [HeldFlags.image]: () => are(o.and(o.xor(a, o.i32(Flag.ZF)), o.i32(Flag.ZF)), o.and(a, o.i32(Flag.CF))),
      })
    }
    o.if(held, ofHeld, ofSlots)
    return [o.get(result), o.get(carry)]
  },
}
