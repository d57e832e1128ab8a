/**
 * Accesses to memory: a look-up in the engine's TLB, and the stack without one. What is pushed, popped and reached at fixed distances
 * from the stack pointer goes by the *frame*: the host address of the lowest byte that code here reaches so, or 0 where the
 * bytes do not lie in one page that may be written. It is found by the page that the stack was found in last
 * (`Layout.stackPage`), for less than a look-up costs, and stays until others have been at work, for only they change a TLB.
 * Mostly whoever looks for it and finds none leaves, so that accesses need not ask (decision 0040). (Times are in decisions 0028 and 0038.)
 */
import { Load, Op } from '@vmexit/wasm-asm'
import { Layout } from '@vmexit/x86'
import {
  findStack,
  i32Node,
  localNode,
  type Node,
  NodeKind,
  Tables,
  TLB_ADDEND,
  TLB_ENTRIES,
  TLB_ENTRY_SHIFT,
  TlbKey,
} from '@vmexit/x86/engine'
import { HeldProcessor } from './held.ts'
import type { Passage } from './passage.ts'

/** Number of the stack pointer. */
export const SP = 4
const PAGE = 0x1000

/** What of the stack is reached by way of the frame: from the stack pointer's value that the frame goes with. */
export interface Span {
  readonly low: number
  readonly high: number
}

export abstract class AccessProcessor extends HeldProcessor {
  span: Span = { low: 0, high: 0 }
  /** Where there is a frame, it is not 0: whoever looks for one and finds none leaves. */
  isFrameSure = false
  /** The code is for CPL 3. */
  user = false
  /** Nodes for the stack pointer since the instruction began, and how far above the frame they are. */
  readonly #above = new Map<Node, number>()
  /** Host addresses that are a frame, or the first byte of a window, and a distance from it. */
  readonly #inFrame = new WeakSet<Node>()
  /** The window that the current instruction's operand lies in. */
  passage: Passage | undefined
  /** The operand's address, without and with its displacement. */
  #operand: { readonly sum: Node; readonly disp: number; readonly address: Node } | undefined

  protected override beginHeld(): void {
    super.beginHeld()
    this.#above.clear()
    this.#operand = undefined
  }

  protected key(): Node {
    return i32Node(this.user ? TlbKey.user : TlbKey.system)
  }
  /** The user's key has all bits that an offset may have. */
  override tag(linear: Node): Node {
    return this.user ? this.or(linear, this.key()) : super.tag(linear)
  }
  protected missed(): void {
    throw new TypeError('translations look up the TLB in their own way')
  }

  // ── the frame ──
  /** Find it; the stack pointer is `above` it. `leave`, where it must be sure, ends a path. */
  findFrame(above: number, leave: () => void): void {
    const { fn } = this
    this.hold(SP)
    const { low, high } = this.span
    const pointer = localNode('i32', this.locals.parts[SP]!)
    const first = this.add(pointer, this.i32(low - above))
    const last = this.add(pointer, this.i32(high - 1 - above))
    // With 64 bits: below the page is far above it, and so is every address where there is none.
    const inPage = this.temporary('i64')
    this.emit(first)
    fn.op(Op.i64ExtendI32U)
      .i32Const(0)
      .load(Load.i64Load, this.base + Layout.stackPage)
      .op(Op.i64Sub)
      .localTee(inPage)
      .i64Const(BigInt(PAGE - (high - low)))
      .op(Op.i64GtU)
    fn.hint(false).if_()
    this.emit(this.call(findStack, this.state(), first, last)[0]!)
    if (this.isFrameSure) {
      fn.localTee(this.locals.frame).op(Op.i32Eqz)
      fn.hint(false).if_()
      leave()
      fn.end()
    } else fn.localSet(this.locals.frame)
    fn.else_()
    fn.localGet(inPage)
      .op(Op.i32WrapI64)
      .i32Const(0)
      .load(Load.i32Load, this.base + Layout.stackHost)
      .op(Op.i32Add)
      .localSet(this.locals.frame)
    fn.end()
    this.frame = above
  }
  protected override whole(part: number): Node {
    const node = super.whole(part)
    if (part === SP && this.frame !== undefined) this.#above.set(node, this.frame)
    return node
  }
  /** How far a value is above the frame, if that is known. */
  protected aboveFrame(value: Node): number | undefined {
    if (value.kind === NodeKind.local) return this.#above.get(value)
    if (value.kind !== NodeKind.binary || value.b!.kind !== NodeKind.i32) return undefined
    if (value.op !== Op.i32Add && value.op !== Op.i32Sub) return undefined
    const above = this.aboveFrame(value.a!)
    return above === undefined ? undefined : above + (value.op === Op.i32Add ? value.b!.value : -value.b!.value)
  }
  /** What is a distance from the frame, or may lie in a window, is computed where that is asked for. */
  override let(value: Node): Node {
    return this.aboveFrame(value) === undefined && this.#operand?.address !== value ? super.let(value) : value
  }

  // ── windows ──
  /** The address of the current instruction's operand: `sum` of registers, and a displacement. */
  protected operandAt(sum: Node, disp: number): Node {
    const address = this.add(sum, this.i32(disp))
    this.#operand = { sum, disp, address }
    return address
  }
  /** The window has missed. Ends a path. */
  protected abstract missWindow(): void
  /** The host address of the operand, by its window. */
  #through({ window: { low, high, write, n }, opens }: Passage): Node {
    const { sum, disp } = this.#operand!
    const local = this.locals.window(n)
    if (opens) {
      const first = super.let(this.add(sum, this.i32(low)))
      this.emit(this.#lookUp(first, high - low, write, () => this.missWindow()))
      this.fn.localSet(local)
    }
    const host = this.add(localNode('i32', local), this.i32(disp - low))
    if (disp !== low) this.#inFrame.add(host)
    return host
  }

  // ── access ──
  /** The distance from the frame is a part of the instruction. */
  override peek(type: Node['type'], address: Node, offset: number, bits: number, signed = false): Node {
    if (!this.#inFrame.has(address)) return super.peek(type, address, offset, bits, signed)
    return super.peek(type, address.a!, offset + address.b!.value, bits, signed)
  }
  override poke(address: Node, offset: number, value: Node, bits: number): void {
    if (!this.#inFrame.has(address)) super.poke(address, offset, value, bits)
    else super.poke(address.a!, offset + address.b!.value, value, bits)
  }
  protected override translate(linear: Node, bytes: number, write: boolean): Node {
    const { fn, passage, effects } = this
    const isOperand = this.#operand?.address === linear && this.conditional === 0
    if (isOperand && passage) return this.#through(passage)
    const above = this.aboveFrame(linear)
    const isInside = above !== undefined && above >= this.span.low && above + bytes <= this.span.high
    if (isInside) effects.stacks = true
    else if (isOperand) {
      effects.reaches = Math.max(effects.reaches, bytes)
      effects.stores ||= write
    } else effects.leaves = true
    if (!isInside) return this.#lookUp(super.let(linear), bytes, write)
    const at = this.temporary('i32')
    const frame = localNode('i32', this.locals.frame)
    const offset = above - this.span.low
    if (this.isFrameSure) {
      const host = this.add(frame, this.i32(offset))
      if (offset !== 0) this.#inFrame.add(host)
      return host
    }
    this.emit(frame)
    fn.localTee(at).op(Op.i32Eqz)
    fn.hint(false).if_()
    this.emit(this.sub(this.#lookUp(super.let(linear), bytes, write), this.i32(offset)))
    fn.localSet(at)
    fn.end()
    const host = this.add(localNode('i32', at), this.i32(offset))
    if (offset !== 0) this.#inFrame.add(host)
    return host
  }
  /** A local with the offset of a linear address' entry in its table. */
  #entry(address: Node): number {
    const entry = this.temporary('i32')
    this.emit(this.and(this.shr(address, this.i32(8)), this.i32((TLB_ENTRIES - 1) << TLB_ENTRY_SHIFT)))
    this.fn.localSet(entry)
    return entry
  }
  /**
   * One comparison. What misses leaves: the interpreter makes the access and fills the TLB. (Asking TypeScript to fill it
   * and going on made code an eighth larger, fork and exec 8 % slower, and loops over large tables no faster.)
   */
  #lookUp(address: Node, bytes: number, write: boolean, miss: () => void = () => this.miss()): Node {
    const { fn } = this
    const table = this.base + (write ? Tables.write : Tables.read)
    const entry = this.#entry(address)
    fn.localGet(entry).load(Load.i32Load, table)
    this.emit(this.tag(bytes > 1 ? this.add(address, this.i32(bytes - 1)) : address))
    fn.op(Op.i32Ne)
    fn.hint(false).if_()
    miss()
    fn.end()
    fn.localGet(entry).load(Load.i32Load, table + TLB_ADDEND)
    this.emit(address)
    fn.op(Op.i32Add).localSet(entry)
    return localNode('i32', entry)
  }
}
