/**
 * The body of one function: its blocks, branches, locals and prologue (core specification, section 5.4). Of what was
 * emitted, only open blocks, locals and hint offsets are kept.
 */
import type { ByteWriter } from './bytes.ts'
import { CodeBuffer } from './code.ts'
import { Instructions } from './instructions.ts'
import { Locals } from './locals.ts'
import { TYPE_CODE, type ValueType } from './value.ts'

/** The depth of an open block, counted from the function's body, which is label 0: a branch to 0 returns. */
export type Label = number

/** What a block leaves on the stack: nothing, one value, or what a type index from `ModuleBuilder.type` says. */
export type BlockType = ValueType | number | undefined

const BLOCK = 0x02
const LOOP = 0x03
const IF = 0x04
const ELSE = 0x05
const END = 0x0b
const EMPTY_TYPE = 0x40

/** What stands on the stack of open blocks for a function's or prologue's own body; else the opcode that opened it. */
const BODY = 0

/**
 * Builds one function; made by `ModuleBuilder.func`. Methods that emit return the builder, those that open a block its
 * label. Parameters are the locals from 0 on.
 */
export class FunctionBuilder extends Instructions {
  /** Index among the module's functions, imports included: for `call`, exports and element segments. */
  readonly index: number
  /** Index of its type in the module. */
  readonly type: number
  readonly name: string | undefined

  private readonly body = new CodeBuffer(256)
  private entry: CodeBuffer | undefined
  protected override code: CodeBuffer = this.body
  private open: number[] = [BODY]
  private readonly locals: Locals

  constructor(index: number, type: number, params: readonly ValueType[], name?: string) {
    super()
    this.index = index
    this.type = type
    this.name = name
    this.locals = new Locals(params)
  }

  /** The function, as error messages name it. */
  override get owner(): string {
    return this.name === undefined ? `function ${this.index}` : `function ${this.index} (${this.name})`
  }

  /** Bytes emitted so far, prologue included: what an engine's size limits and tiering look at. */
  get byteLength(): number {
    return this.body.length + (this.entry === undefined ? 0 : this.entry.length)
  }

  /** How many blocks are open, the function's own body included. */
  get depth(): number {
    return this.open.length
  }

  // Locals

  /** A new local, zero at entry. Runs of one type share an entry of the declaration. */
  local(type: ValueType): number {
    return this.locals.declare(type)
  }

  /** A local to use until `free`: one freed before, or a new one. What it holds at first is undefined. */
  temp(type: ValueType): number {
    return this.locals.take(type)
  }

  /** Gives a temporary back. Throws `not-a-temporary`. */
  free(index: number): void {
    if (this.locals.release(index)) return
    throw this.error('not-a-temporary', `free(${index}) takes a temporary from temp() that was not freed yet`)
  }

  localGet(index: number): this {
    return this.localAccess(0x20, index)
  }

  localSet(index: number): this {
    return this.localAccess(0x21, index)
  }

  localTee(index: number): this {
    return this.localAccess(0x22, index)
  }

  // Control

  block(type?: BlockType): Label {
    return this.enter(BLOCK, type)
  }

  loop(type?: BlockType): Label {
    return this.enter(LOOP, type)
  }

  /** Takes the hint, if one is pending. */
  if_(type?: BlockType): Label {
    this.code.placeHint()
    return this.enter(IF, type)
  }

  /** Throws `misplaced-else` unless the innermost open block is an `if` without one. */
  else_(): this {
    if (this.open[this.open.length - 1] !== IF) {
      throw this.error('misplaced-else', 'else_() needs an if_() without an else as the innermost open block')
    }
    this.open[this.open.length - 1] = ELSE
    this.code.u8(ELSE)
    return this
  }

  /** Closes the innermost block. The function's own end is written by `toBytes`. Throws `unbalanced-end`. */
  end(): this {
    if (this.open.length === 1) throw this.error('unbalanced-end', 'end() has no open block to close: remove it')
    this.open.pop()
    this.code.u8(END)
    return this
  }

  /** Throws `label-out-of-scope`, as every branch does. */
  br(label: Label): this {
    this.code.indexed(0x0c, this.relative(label))
    return this
  }

  /** Takes the hint, if one is pending. */
  brIf(label: Label): this {
    const depth = this.relative(label)
    this.code.placeHint()
    this.code.indexed(0x0d, depth)
    return this
  }

  brTable(labels: ArrayLike<Label>, otherwise: Label): this {
    const code = this.code
    code.u8(0x0e)
    code.u32(labels.length)
    for (let i = 0; i < labels.length; i++) code.u32(this.relative(labels[i]))
    code.u32(this.relative(otherwise))
    return this
  }

  /**
   * Says whether the condition of the next `if_` or `brIf` is likely to hold. Engines that do not know the
   * branch-hinting proposal ignore it. Without such an instruction after it, `toBytes` throws `dangling-hint`.
   */
  hint(likely: boolean): this {
    this.code.hint(likely)
    return this
  }

  /**
   * What `emit` emits goes before the body: for what is known only once the body is emitted, such as the registers to
   * load. Blocks and hints open outside are out of its scope; label 0 still is the function. A second prologue follows
   * the first. Throws `nested-prologue`, `unclosed-block`, `dangling-hint`.
   */
  prologue(emit: (fn: this) => void): void {
    if (this.code !== this.body) throw this.error('nested-prologue', 'prologue() in a prologue: emit directly')
    this.entry ??= new CodeBuffer()
    const open = this.open
    this.code = this.entry
    this.open = [BODY]
    try {
      emit(this)
      this.checkFinished('its prologue')
    } finally {
      this.code = this.body
      this.open = open
    }
  }

  // Finishing: for ModuleBuilder

  /**
   * Appends the function's entry of the code section, and to `hints` its branches' offsets from the start of the locals'
   * declaration, each with 0 or 1. `header` is scratch space. Throws `unclosed-block`, `dangling-hint`.
   */
  encode(out: ByteWriter, header: ByteWriter, hints: number[]): void {
    this.checkFinished('it')
    header.length = 0
    this.locals.encode(header)
    const entry = this.entry
    const entryLength = entry === undefined ? 0 : entry.length
    out.u32(header.length + entryLength + this.body.length + 1)
    out.append(header)
    if (entry !== undefined) {
      out.append(entry)
      entry.copyHints(hints, header.length)
    }
    out.append(this.body)
    out.u8(END)
    this.body.copyHints(hints, header.length + entryLength)
  }

  private checkFinished(what: string): void {
    if (this.open.length > 1) {
      const names = this.open.slice(1).map((kind) => (kind === BLOCK ? 'block' : kind === LOOP ? 'loop' : 'if'))
      throw this.error('unclosed-block', `${what} ends with open blocks (${names.join(', ')}): call end() for each`)
    }
    if (this.code.hintPending) throw this.error('dangling-hint', `${what} ends with a hint() that no if_ or brIf took`)
  }

  // Emission

  private localAccess(code: number, index: number): this {
    if (!this.locals.usable(index)) {
      const cause = `local ${index} is a freed temporary or none of the ${this.locals.count} declared`
      throw this.error('unknown-local', cause)
    }
    this.code.indexed(code, index)
    return this
  }

  private enter(kind: number, type: BlockType): Label {
    const code = this.code
    code.u8(kind)
    if (type === undefined) code.u8(EMPTY_TYPE)
    else if (typeof type === 'number') code.s32(this.checkedIndex(type))
    else code.u8(TYPE_CODE[type])
    return this.open.push(kind) - 1
  }

  private relative(label: Label): number {
    const depth = this.open.length - 1 - label
    if (!(label >= 0 && depth >= 0)) {
      const cause = `a branch to label ${label}, but only 0 … ${this.open.length - 1} are open here`
      throw this.error('label-out-of-scope', cause)
    }
    return depth
  }
}
