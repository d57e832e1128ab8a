/** The locals of one function: parameters, declared locals, and temporaries that are used again. */
import type { ByteWriter } from './bytes.ts'
import { TYPE_CODE, type ValueType } from './value.ts'

/** The state of a local is its type's byte, with these bits for a temporary and for a free one. */
const TEMPORARY = 0x100
const FREE = 0x200
const TYPE = 0xff

export class Locals {
  private readonly states: number[] = []
  private readonly parameterCount: number
  private readonly freed: number[] = []

  constructor(params: readonly ValueType[]) {
    this.parameterCount = params.length
    for (let i = 0; i < params.length; i++) this.states.push(TYPE_CODE[params[i]])
  }

  get count(): number {
    return this.states.length
  }

  declare(type: ValueType): number {
    return this.states.push(TYPE_CODE[type]) - 1
  }

  /** The temporary of this type that was freed last, or a new one. */
  take(type: ValueType): number {
    const code = TYPE_CODE[type] | TEMPORARY
    for (let i = this.freed.length - 1; i >= 0; i--) {
      const index = this.freed[i]
      if (this.states[index] !== (code | FREE)) continue
      if (i === this.freed.length - 1) this.freed.pop()
      else this.freed.splice(i, 1)
      this.states[index] = code
      return index
    }
    return this.states.push(code) - 1
  }

  /** False if it is no temporary, or free already. */
  release(index: number): boolean {
    const state = this.states[index]
    if (!(state >= TEMPORARY && state < FREE)) return false
    this.states[index] = state | FREE
    this.freed.push(index)
    return true
  }

  /** Whether it exists and is not a freed temporary. */
  usable(index: number): boolean {
    return this.states[index] < FREE
  }

  /** Appends the declaration: each run of locals of one type is an entry. */
  encode(out: ByteWriter): void {
    const { states, parameterCount } = this
    let runs = 0
    for (let i = parameterCount; i < states.length; i++) {
      if (i === parameterCount || ((states[i] ^ states[i - 1]) & TYPE) !== 0) runs++
    }
    out.u32(runs)
    for (let start = parameterCount, end = start; start < states.length; start = end) {
      const type = states[start] & TYPE
      while (end < states.length && (states[end] & TYPE) === type) end++
      out.u32(end - start)
      out.u8(type)
    }
  }
}
