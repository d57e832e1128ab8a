/**
 * The abstract operations in which an instruction's meaning is written, once, for every engine.
 *
 * `V` is a value: a JavaScript number, bigint or byte array when the reference engine evaluates at once; a node of
 * WebAssembly code when an engine is generated. A value has one of three types: `i32`, `i64`, `v128`. Both operands of an
 * operation have the same type; operations on integers behave as WebAssembly's (wrap-around, counts modulo the width).
 *
 * Rules for whoever writes semantics:
 * - Never branch in TypeScript on a value: use {@link Ops.if}, {@link Ops.while}, {@link Ops.select}. Branching on the
 *   instruction's fixed fields (sizes, operand kinds, registers) is right and free.
 * - A value used more than once goes through {@link Ops.let}, or its computation is emitted twice.
 * - No architectural write before the last operation that can fault.
 */
export type ValueType = 'i32' | 'i64' | 'v128'

/** A mutable variable: made by {@link Ops.variable}; its current value is read with {@link Ops.get}, at that moment. */
export interface Variable<V> {
  readonly type: ValueType
  /** Only for the engine. */
  value: V
}

/** A function over operations, shared by all its callers: emitted once per module, evaluated directly by the reference. */
export interface Routine {
  readonly name: string
  readonly params: readonly ValueType[]
  readonly results: readonly ValueType[]
  /** Must not fault. The returned values have the types of `results`. */
  readonly body: <V>(o: Ops<V>, ...params: V[]) => readonly V[]
  /** What the body does first: an engine may put it where the call would be. */
  readonly shortcut?: Shortcut
}

/** A short way to a routine's results, for parameters such as it is given most of the time. */
export interface ShortWay<V> {
  /** i32: it leads there. */
  readonly serves: V
  readonly results: () => readonly V[]
}
/** The parameters are used more than once. */
export type Shortcut = <V>(o: Ops<V>, ...params: V[]) => ShortWay<V>

export interface Ops<V> {
  i32(value: number): V
  i64(value: bigint): V
  /** Evaluate now, use as often as you like. */
  let(value: V): V

  add(a: V, b: V): V
  sub(a: V, b: V): V
  mul(a: V, b: V): V
  and(a: V, b: V): V
  or(a: V, b: V): V
  xor(a: V, b: V): V
  /** Shifts and rotates: the count has the value's type and is taken modulo its width. */
  shl(a: V, count: V): V
  /** Logical right shift. */
  shr(a: V, count: V): V
  /** Arithmetic right shift. */
  sar(a: V, count: V): V
  rotl(a: V, count: V): V
  rotr(a: V, count: V): V
  /** Divisions: the divisor is not zero and the quotient fits (the caller has checked). */
  divU(a: V, b: V): V
  remU(a: V, b: V): V
  divS(a: V, b: V): V
  remS(a: V, b: V): V
  clz(a: V): V
  ctz(a: V): V
  popcnt(a: V): V

  /** Comparisons: i32 0 or 1. */
  eqz(a: V): V
  eq(a: V, b: V): V
  ne(a: V, b: V): V
  ltU(a: V, b: V): V
  ltS(a: V, b: V): V
  leU(a: V, b: V): V
  leS(a: V, b: V): V
  gtU(a: V, b: V): V
  gtS(a: V, b: V): V
  geU(a: V, b: V): V
  geS(a: V, b: V): V

  /** i64 → i32, the low half. */
  wrap(a: V): V
  /** i32 → i64. */
  extendS(a: V): V
  extendU(a: V): V
  /** Sign-extend the low `bits` (8, 16, 32) within the value's own type. */
  signExtend(a: V, bits: number): V
  zeroExtend(a: V, bits: number): V
  /** `condition` (i32) ? a : b; both are evaluated. */
  select(condition: V, a: V, b: V): V

  /** Run `then` when `condition` (i32) is not zero, else `otherwise`. `likely`: whether it mostly is not, if that is known. */
  if(condition: V, then: () => void, otherwise?: () => void, likely?: boolean): void
  /** While `condition()` (i32) is not zero run `body`. */
  while(condition: () => V, body: () => void): void
  variable(initial: V): Variable<V>
  get(variable: Variable<V>): V
  set(variable: Variable<V>, value: V): void
  call(routine: Routine, ...args: V[]): readonly V[]

  /** Host memory at `address` (i32) + `offset`: `bits` wide, zero- or sign-extended into `type`. Never faults. */
  peek(type: ValueType, address: V, offset: number, bits: number, signed?: boolean): V
  poke(address: V, offset: number, value: V, bits: number): void
  /** Base address (i32) of this CPU's state: `peek('i32', o.state(), Layout.fcw, 32)`. */
  state(): V

  /** 128-bit values. */
  v128(low: bigint, high: bigint): V
  /** A fixed-width SIMD instruction by its WebAssembly name: `i8x16.add`, `i16x8.narrow_i32x4_s`, `v128.andnot`, `f64x2.add` (floating-point names only where rounding mode and flags do not matter). */
  simd(name: SimdName, ...args: V[]): V
  /** Lanes 0–31 of a followed by b. */
  shuffle(a: V, b: V, lanes: readonly number[]): V
  splat(shape: Shape, value: V): V
  extractLane(shape: Shape, value: V, lane: number, signed?: boolean): V
  replaceLane(shape: Shape, value: V, lane: number, lane_value: V): V
}

export type Shape = 'i8x16' | 'i16x8' | 'i32x4' | 'i64x2'
/**
 * Names as in the WebAssembly specification, those that exist and serve. Floating-point arithmetic is there for paths on
 * which rounding is to nearest, flags do not matter and no result is a NaN; comparisons, `pmin` and `pmax` serve everywhere.
 */
export type SimdName =
  | `v128.${'and' | 'or' | 'xor' | 'andnot' | 'not' | 'bitselect' | 'any_true'}`
  | `${Shape}.${'add' | 'sub' | 'neg' | 'abs' | 'eq' | 'ne' | 'lt_s' | 'gt_s' | 'le_s' | 'ge_s' | 'shl' | 'shr_s' | 'shr_u' | 'bitmask' | 'all_true'}`
  | `${'i8x16' | 'i16x8' | 'i32x4'}.${'lt_u' | 'gt_u' | 'le_u' | 'ge_u' | 'min_s' | 'min_u' | 'max_s' | 'max_u'}`
  | `${'i8x16' | 'i16x8'}.${'avgr_u' | 'add_sat_s' | 'add_sat_u' | 'sub_sat_s' | 'sub_sat_u'}`
  | `${'i16x8' | 'i32x4' | 'i64x2'}.mul`
  | 'i8x16.swizzle'
  | 'i32x4.dot_i16x8_s'
  | `i8x16.narrow_i16x8_${'s' | 'u'}`
  | `i16x8.narrow_i32x4_${'s' | 'u'}`
  | `i16x8.${'extend_low' | 'extend_high' | 'extmul_low' | 'extmul_high' | 'extadd_pairwise'}_i8x16_${'s' | 'u'}`
  | `i32x4.${'extend_low' | 'extend_high' | 'extmul_low' | 'extmul_high' | 'extadd_pairwise'}_i16x8_${'s' | 'u'}`
  | `i64x2.${'extend_low' | 'extend_high' | 'extmul_low' | 'extmul_high'}_i32x4_${'s' | 'u'}`
  | `${'f32x4' | 'f64x2'}.${'eq' | 'ne' | 'lt' | 'gt' | 'le' | 'ge' | 'pmin' | 'pmax' | 'add' | 'sub' | 'mul' | 'div' | 'sqrt' | 'trunc' | 'nearest'}`
  | 'i32x4.trunc_sat_f32x4_s'
  | 'i32x4.trunc_sat_f64x2_s_zero'
  | 'f32x4.convert_i32x4_s'
  | 'f32x4.demote_f64x2_zero'
  | 'f64x2.convert_low_i32x4_s'
  | 'f64x2.promote_low_f32x4'
