/**
 * The abstract operations as WebAssembly: values are {@link Node}s over locals that are written once, so an expression
 * may stand anywhere after its operands; what has an effect or depends on the moment is emitted where it is asked for.
 */
import { type FunctionBuilder, Lane, Load, Op, Simd, Store } from '@vmexit/wasm-asm'
import {
  binaryNode,
  i32Node,
  i64Node,
  isConstant,
  isZero,
  laneGetNode,
  laneSetNode,
  localNode,
  type Node,
  NodeKind,
  selectNode,
  shuffleNode,
  unaryNode,
  v128Node,
} from './node.ts'
import type { Ops, Routine, Shape, SimdName, ValueType, Variable } from './ops.ts'
import { simdOpcode } from './simd.ts'

const areI32 = (a: Node, b: Node): boolean => a.kind === NodeKind.i32 && b.kind === NodeKind.i32

/** Finds the index, in the module being built, of a routine's function. */
export type RoutineLinker = (routine: Routine) => number

const SIMD_PREFIX = 0xfd00
const SPLAT: Record<Shape, number> = {
  i8x16: Simd.i8x16Splat,
  i16x8: Simd.i16x8Splat,
  i32x4: Simd.i32x4Splat,
  i64x2: Simd.i64x2Splat,
}
const REPLACE: Record<Shape, number> = {
  i8x16: Lane.i8x16ReplaceLane,
  i16x8: Lane.i16x8ReplaceLane,
  i32x4: Lane.i32x4ReplaceLane,
  i64x2: Lane.i64x2ReplaceLane,
}
const EXTRACT_U: Record<Shape, number> = {
  i8x16: Lane.i8x16ExtractLaneU,
  i16x8: Lane.i16x8ExtractLaneU,
  i32x4: Lane.i32x4ExtractLane,
  i64x2: Lane.i64x2ExtractLane,
}
const EXTRACT_S: Record<Shape, number> = { ...EXTRACT_U, i8x16: Lane.i8x16ExtractLaneS, i16x8: Lane.i16x8ExtractLaneS }

const i32Loads: Record<number, [unsigned: number, signed: number]> = {
  8: [Load.i32Load8U, Load.i32Load8S],
  16: [Load.i32Load16U, Load.i32Load16S],
  32: [Load.i32Load, Load.i32Load],
}
const i64Loads: Record<number, [unsigned: number, signed: number]> = {
  8: [Load.i64Load8U, Load.i64Load8S],
  16: [Load.i64Load16U, Load.i64Load16S],
  32: [Load.i64Load32U, Load.i64Load32S],
  64: [Load.i64Load, Load.i64Load],
}
const i32Stores: Record<number, number> = { 8: Store.i32Store8, 16: Store.i32Store16, 32: Store.i32Store }
const i64Stores: Record<number, number> = {
  8: Store.i64Store8,
  16: Store.i64Store16,
  32: Store.i64Store32,
  64: Store.i64Store,
}

/** Emits into one function at a time. The CPU's base address is local 0 of it. */
export class Emitter implements Ops<Node> {
  fn!: FunctionBuilder
  readonly #link: RoutineLinker
  /** Temporaries in use, to be freed when a new body begins. */
  #temporaries: number[] = []

  constructor(link: RoutineLinker) {
    this.#link = link
  }

  /** Begin a body in `fn`: temporaries of the last one are free again. */
  begin(fn: FunctionBuilder): void {
    if (fn === this.fn) for (const index of this.#temporaries) fn.free(index)
    this.#temporaries = []
    this.fn = fn
  }

  /** A fresh local. */
  temporary(type: ValueType): number {
    const index = this.fn.temp(type)
    this.#temporaries.push(index)
    return index
  }

  /** Put a value on the stack. */
  emit(n: Node): void {
    const fn = this.fn
    switch (n.kind) {
      case NodeKind.i32:
        fn.i32Const(n.value)
        return
      case NodeKind.i64:
        fn.i64Const(n.big)
        return
      case NodeKind.v128:
        fn.v128Const(n.bytes!)
        return
      case NodeKind.local:
        fn.localGet(n.value)
        return
      case NodeKind.unary:
        this.emit(n.a!)
        break
      case NodeKind.binary:
        this.emit(n.a!)
        this.emit(n.b!)
        break
      case NodeKind.select:
        this.emit(n.a!)
        this.emit(n.b!)
        this.emit(n.c!)
        fn.select()
        return
      case NodeKind.laneGet:
        this.emit(n.a!)
        fn.lane(n.op as never, n.value)
        return
      case NodeKind.laneSet:
        this.emit(n.a!)
        this.emit(n.b!)
        fn.lane(n.op as never, n.value)
        return
      default:
        this.emit(n.a!)
        this.emit(n.b!)
        fn.shuffle(n.bytes!)
        return
    }
    if (n.op >= SIMD_PREFIX) fn.simd(n.op as never)
    else fn.op(n.op as never)
  }

  i32(value: number): Node {
    return i32Node(value)
  }
  i64(value: bigint): Node {
    return i64Node(value)
  }
  let(value: Node): Node {
    if (value.kind <= NodeKind.local) return value
    const local = this.temporary(value.type)
    this.emit(value)
    this.fn.localSet(local)
    return localNode(value.type, local)
  }
  #take(type: ValueType): Node {
    const local = this.temporary(type)
    this.fn.localSet(local)
    return localNode(type, local)
  }

  #both(i32: number, i64: number, a: Node, b: Node): Node {
    return binaryNode(a.type, a.type === 'i32' ? i32 : i64, a, b)
  }
  #compare(i32: number, i64: number, a: Node, b: Node): Node {
    return binaryNode('i32', a.type === 'i32' ? i32 : i64, a, b)
  }
  add(a: Node, b: Node): Node {
    if (isZero(b)) return a
    if (isZero(a)) return b
    if (areI32(a, b)) return i32Node(a.value + b.value)
    return this.#both(Op.i32Add, Op.i64Add, a, b)
  }
  sub(a: Node, b: Node): Node {
    if (isZero(b)) return a
    if (areI32(a, b)) return i32Node(a.value - b.value)
    return this.#both(Op.i32Sub, Op.i64Sub, a, b)
  }
  mul(a: Node, b: Node): Node {
    if (areI32(a, b)) return i32Node(Math.imul(a.value, b.value))
    return this.#both(Op.i32Mul, Op.i64Mul, a, b)
  }
  and(a: Node, b: Node): Node {
    if (areI32(a, b)) return i32Node(a.value & b.value)
    if (isZero(a)) return a
    if (isZero(b)) return b
    return this.#both(Op.i32And, Op.i64And, a, b)
  }
  or(a: Node, b: Node): Node {
    if (isZero(b)) return a
    if (isZero(a)) return b
    if (areI32(a, b)) return i32Node(a.value | b.value)
    return this.#both(Op.i32Or, Op.i64Or, a, b)
  }
  xor(a: Node, b: Node): Node {
    if (isZero(b)) return a
    if (isZero(a)) return b
    if (areI32(a, b)) return i32Node(a.value ^ b.value)
    return this.#both(Op.i32Xor, Op.i64Xor, a, b)
  }
  shl(a: Node, n: Node): Node {
    if (areI32(a, n)) return i32Node(a.value << n.value)
    return isZero(n) ? a : this.#both(Op.i32Shl, Op.i64Shl, a, n)
  }
  shr(a: Node, n: Node): Node {
    if (areI32(a, n)) return i32Node(a.value >>> n.value)
    return isZero(n) ? a : this.#both(Op.i32ShrU, Op.i64ShrU, a, n)
  }
  sar(a: Node, n: Node): Node {
    return isZero(n) ? a : this.#both(Op.i32ShrS, Op.i64ShrS, a, n)
  }
  rotl(a: Node, n: Node): Node {
    return this.#both(Op.i32Rotl, Op.i64Rotl, a, n)
  }
  rotr(a: Node, n: Node): Node {
    return this.#both(Op.i32Rotr, Op.i64Rotr, a, n)
  }
  divU(a: Node, b: Node): Node {
    return this.let(this.#both(Op.i32DivU, Op.i64DivU, a, b))
  }
  remU(a: Node, b: Node): Node {
    return this.let(this.#both(Op.i32RemU, Op.i64RemU, a, b))
  }
  divS(a: Node, b: Node): Node {
    return this.let(this.#both(Op.i32DivS, Op.i64DivS, a, b))
  }
  remS(a: Node, b: Node): Node {
    return this.let(this.#both(Op.i32RemS, Op.i64RemS, a, b))
  }
  #one(i32: number, i64: number, a: Node): Node {
    return unaryNode(a.type, a.type === 'i32' ? i32 : i64, a)
  }
  clz(a: Node): Node {
    return this.#one(Op.i32Clz, Op.i64Clz, a)
  }
  ctz(a: Node): Node {
    return this.#one(Op.i32Ctz, Op.i64Ctz, a)
  }
  popcnt(a: Node): Node {
    return this.#one(Op.i32Popcnt, Op.i64Popcnt, a)
  }

  eqz(a: Node): Node {
    if (isConstant(a)) return i32Node(isZero(a) ? 1 : 0)
    return unaryNode('i32', a.type === 'i32' ? Op.i32Eqz : Op.i64Eqz, a)
  }
  eq(a: Node, b: Node): Node {
    if (areI32(a, b)) return i32Node(a.value === b.value ? 1 : 0)
    if (isZero(b)) return this.eqz(a)
    return this.#compare(Op.i32Eq, Op.i64Eq, a, b)
  }
  ne(a: Node, b: Node): Node {
    return this.#compare(Op.i32Ne, Op.i64Ne, a, b)
  }
  ltU(a: Node, b: Node): Node {
    return this.#compare(Op.i32LtU, Op.i64LtU, a, b)
  }
  ltS(a: Node, b: Node): Node {
    return this.#compare(Op.i32LtS, Op.i64LtS, a, b)
  }
  leU(a: Node, b: Node): Node {
    return this.#compare(Op.i32LeU, Op.i64LeU, a, b)
  }
  leS(a: Node, b: Node): Node {
    return this.#compare(Op.i32LeS, Op.i64LeS, a, b)
  }
  gtU(a: Node, b: Node): Node {
    return this.#compare(Op.i32GtU, Op.i64GtU, a, b)
  }
  gtS(a: Node, b: Node): Node {
    return this.#compare(Op.i32GtS, Op.i64GtS, a, b)
  }
  geU(a: Node, b: Node): Node {
    return this.#compare(Op.i32GeU, Op.i64GeU, a, b)
  }
  geS(a: Node, b: Node): Node {
    return this.#compare(Op.i32GeS, Op.i64GeS, a, b)
  }

  wrap(a: Node): Node {
    if (a.kind === NodeKind.i64) return i32Node(Number(BigInt.asIntN(32, a.big)))
    return unaryNode('i32', Op.i32WrapI64, a)
  }
  extendS(a: Node): Node {
    if (a.kind === NodeKind.i32) return i64Node(BigInt(a.value))
    return unaryNode('i64', Op.i64ExtendI32S, a)
  }
  extendU(a: Node): Node {
    if (a.kind === NodeKind.i32) return i64Node(BigInt(a.value >>> 0))
    return unaryNode('i64', Op.i64ExtendI32U, a)
  }
  signExtend(a: Node, bits: number): Node {
    if (a.type === 'i32') {
      if (bits === 32) return a
      if (a.kind === NodeKind.i32) return i32Node((a.value << (32 - bits)) >> (32 - bits))
      return unaryNode('i32', bits === 8 ? Op.i32Extend8S : Op.i32Extend16S, a)
    }
    return unaryNode('i64', bits === 8 ? Op.i64Extend8S : bits === 16 ? Op.i64Extend16S : Op.i64Extend32S, a)
  }
  zeroExtend(a: Node, bits: number): Node {
    if (a.type === 'i32') return bits === 32 ? a : this.and(a, i32Node((1 << bits) - 1))
    return this.and(a, i64Node((1n << BigInt(bits)) - 1n))
  }
  select(condition: Node, a: Node, b: Node): Node {
    if (condition.kind === NodeKind.i32) return condition.value !== 0 ? a : b
    if (isZero(a) && isZero(b)) return a
    return selectNode(a.type, condition, a, b)
  }

  if(condition: Node, then: () => void, otherwise?: () => void, likely?: boolean): void {
    if (condition.kind === NodeKind.i32) {
      if (condition.value !== 0) then()
      else if (otherwise) otherwise()
      return
    }
    this.emit(condition)
    if (likely !== undefined) this.fn.hint(likely)
    this.fn.if_()
    then()
    if (otherwise) {
      this.fn.else_()
      otherwise()
    }
    this.fn.end()
  }
  while(condition: () => Node, body: () => void): void {
    const fn = this.fn
    const done = fn.block()
    const again = fn.loop()
    this.emit(this.eqz(condition()))
    fn.brIf(done)
    body()
    fn.br(again)
    fn.end()
    fn.end()
  }
  variable(initial: Node): Variable<Node> {
    const local = this.temporary(initial.type)
    this.emit(initial)
    this.fn.localSet(local)
    return { type: initial.type, value: localNode(initial.type, local) }
  }
  /** A copy: the variable may be set before the value is used. */
  get(variable: Variable<Node>): Node {
    this.fn.localGet(variable.value.value)
    return this.#take(variable.type)
  }
  set(variable: Variable<Node>, value: Node): void {
    this.emit(value)
    this.fn.localSet(variable.value.value)
  }
  call(routine: Routine, ...args: Node[]): readonly Node[] {
    for (const argument of args) this.emit(argument)
    this.fn.call(this.#link(routine))
    const results: Node[] = []
    for (let i = routine.results.length - 1; i >= 0; i--) results[i] = this.#take(routine.results[i]!)
    return results
  }

  peek(type: ValueType, address: Node, offset: number, bits: number, signed = false): Node {
    this.emit(address)
    const opcode = type === 'v128' ? Load.v128Load : (type === 'i32' ? i32Loads : i64Loads)[bits]![signed ? 1 : 0]
    this.fn.load(opcode as never, offset)
    return this.#take(type)
  }
  poke(address: Node, offset: number, value: Node, bits: number): void {
    this.emit(address)
    this.emit(value)
    const opcode = value.type === 'v128' ? Store.v128Store : (value.type === 'i32' ? i32Stores : i64Stores)[bits]!
    this.fn.store(opcode as never, offset)
  }
  state(): Node {
    return localNode('i32', 0)
  }

  v128(low: bigint, high: bigint): Node {
    const bytes = new Uint8Array(16)
    const view = new DataView(bytes.buffer)
    view.setBigUint64(0, BigInt.asUintN(64, low), true)
    view.setBigUint64(8, BigInt.asUintN(64, high), true)
    return v128Node(bytes)
  }
  simd(name: SimdName, ...args: Node[]): Node {
    const opcode = SIMD_PREFIX + simdOpcode[name]
    const type: ValueType = /any_true|all_true|bitmask/.test(name) ? 'i32' : 'v128'
    if (args.length === 1) return unaryNode(type, opcode, args[0]!)
    if (args.length === 2) return binaryNode(type, opcode, args[0]!, args[1]!)
    for (const argument of args) this.emit(argument)
    this.fn.simd(opcode as never)
    return this.#take(type)
  }
  shuffle(a: Node, b: Node, lanes: readonly number[]): Node {
    return shuffleNode(a, b, Uint8Array.from(lanes))
  }
  splat(shape: Shape, value: Node): Node {
    return unaryNode('v128', SPLAT[shape], value)
  }
  extractLane(shape: Shape, value: Node, lane: number, signed = false): Node {
    return laneGetNode(shape === 'i64x2' ? 'i64' : 'i32', (signed ? EXTRACT_S : EXTRACT_U)[shape], value, lane)
  }
  replaceLane(shape: Shape, value: Node, lane: number, laneValue: Node): Node {
    return laneSetNode(REPLACE[shape], value, lane, laneValue)
  }
}
