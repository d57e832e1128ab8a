/** A value in code being generated: a constant, a local that is never written again, or an operation upon such. */
import type { ValueType } from './ops.ts'

export const NodeKind = {
  i32: 0,
  i64: 1,
  v128: 2,
  local: 3,
  unary: 4,
  binary: 5,
  select: 6,
  laneGet: 7,
  laneSet: 8,
  shuffle: 9,
} as const
export type NodeKind = (typeof NodeKind)[keyof typeof NodeKind]

/** One shape for all kinds, so that V8 sees one. */
export interface Node {
  readonly kind: NodeKind
  readonly type: ValueType
  /** Opcode of an operation. */
  readonly op: number
  /** i32 constant, local index, or lane. */
  readonly value: number
  /** i64 constant. */
  readonly big: bigint
  readonly a: Node | undefined
  readonly b: Node | undefined
  readonly c: Node | undefined
  /** v128 constant or shuffle lanes. */
  readonly bytes: Uint8Array | undefined
}

const node = (
  kind: NodeKind,
  type: ValueType,
  op: number,
  value: number,
  big: bigint,
  a: Node | undefined,
  b: Node | undefined,
  c: Node | undefined,
  bytes: Uint8Array | undefined,
): Node => ({ kind, type, op, value, big, a, b, c, bytes })

export const i32Node = (value: number): Node =>
  node(NodeKind.i32, 'i32', 0, value | 0, 0n, undefined, undefined, undefined, undefined)
export const i64Node = (value: bigint): Node =>
  node(NodeKind.i64, 'i64', 0, 0, BigInt.asIntN(64, value), undefined, undefined, undefined, undefined)
export const v128Node = (bytes: Uint8Array): Node =>
  node(NodeKind.v128, 'v128', 0, 0, 0n, undefined, undefined, undefined, bytes)
export const localNode = (type: ValueType, index: number): Node =>
  node(NodeKind.local, type, 0, index, 0n, undefined, undefined, undefined, undefined)
export const unaryNode = (type: ValueType, op: number, a: Node): Node =>
  node(NodeKind.unary, type, op, 0, 0n, a, undefined, undefined, undefined)
export const binaryNode = (type: ValueType, op: number, a: Node, b: Node): Node =>
  node(NodeKind.binary, type, op, 0, 0n, a, b, undefined, undefined)
export const selectNode = (type: ValueType, condition: Node, a: Node, b: Node): Node =>
  node(NodeKind.select, type, 0, 0, 0n, a, b, condition, undefined)
export const laneGetNode = (type: ValueType, op: number, a: Node, lane: number): Node =>
  node(NodeKind.laneGet, type, op, lane, 0n, a, undefined, undefined, undefined)
export const laneSetNode = (op: number, a: Node, lane: number, b: Node): Node =>
  node(NodeKind.laneSet, 'v128', op, lane, 0n, a, b, undefined, undefined)
export const shuffleNode = (a: Node, b: Node, lanes: Uint8Array): Node =>
  node(NodeKind.shuffle, 'v128', 0, 0, 0n, a, b, undefined, lanes)

export const isConstant = (n: Node): boolean => n.kind === NodeKind.i32 || n.kind === NodeKind.i64
export const isZero = (n: Node): boolean =>
  (n.kind === NodeKind.i32 && n.value === 0) || (n.kind === NodeKind.i64 && n.big === 0n)
