/**
 * Instruction fetch: bytes at CS:IP, decoded every time. The instruction-side TLB is asked when another page is entered
 * (see "What a count is"). It would answer for the page last fetched from as well, and a hit leaves no trace, so it is not
 * asked again while it holds that page.
 */
import { createInsn, type Decoder, Failure, type Insn } from '@vmexit/x86-decoder'
import { Access, type PhysicalMemory, type Translator } from '../memory/linear.ts'
import { Vector } from '../state/layout.ts'
import type { CpuState } from '../state/state.ts'
import { raise, raisePageFault } from '../system/fault.ts'

const CS = 1
const MAXIMUM = 15

export class CodeFetch {
  readonly #state: CpuState
  readonly #paging: Translator
  readonly #memory: PhysicalMemory
  readonly #decoder: Decoder
  readonly #buffer = new Uint8Array(16)
  /** Linear page number last entered and its physical address; −1 after a {@link forget}. */
  #page = -1
  #physical = 0
  /** For whom it was entered: generated code changes the privilege level by itself. */
  #user = 0
  /** The instruction fetched last. */
  readonly insn: Insn = createInsn()

  constructor(state: CpuState, paging: Translator, memory: PhysicalMemory, decoder: Decoder) {
    this.#state = state
    this.#paging = paging
    this.#memory = memory
    this.#decoder = decoder
  }

  /** A translation of the instruction side is gone, or the privilege level is another: the next fetch asks. */
  forget(): void {
    this.#page = -1
  }

  /** Physical address of the code byte at `linear`. @throws Fault #PF. */
  locate(linear: number): number {
    const physical = this.find(linear)
    if (physical < 0) raisePageFault(this.#paging.errorCode, linear)
    return physical
  }

  /** The same, or −1 for a page fault whose error code the paging unit has. */
  find(linear: number): number {
    const page = Math.floor(linear / 0x1000)
    const user = this.#state.cpl === 3 ? Access.user : 0
    if (page !== this.#page || user !== this.#user) {
      const physical = this.#paging.translate(linear, Access.execute | user)
      if (physical < 0) return -1
      this.#page = page
      this.#user = user
      this.#physical = physical - (linear & 0xfff)
    }
    return this.#physical + (linear & 0xfff)
  }

  /** Fetch and decode the instruction at `ip`. @throws Fault #PF, #GP(0), #UD; the state is unchanged. */
  fetch(ip: number): Insn {
    const state = this.#state
    const bits = state.codeBits
    let linear = ip
    let available = MAXIMUM
    if (bits !== 64) {
      linear = ip + state.segBase(CS)
      if (linear > 0xffff_ffff) linear -= 0x1_0000_0000
      const room = state.segLimit(CS) - ip + 1
      if (room <= 0) raise(Vector.GP, 0)
      if (room < available) available = room
    }
    const physical = this.locate(linear)
    const offset = physical & 0xfff
    const host = this.#memory.readPage(Math.floor(physical / 0x1000))
    const inPage = Math.min(available, 0x1000 - offset)
    let length: number
    if (host !== 0) {
      const at = host + offset
      length = this.#decoder.decode(this.#u8, at, at + inPage, bits, this.insn)
      if (length > 0) return this.insn
      if (length !== Failure.truncated) this.#refuse(length)
    } else {
      for (let i = 0; i < inPage; i++) this.#buffer[i] = this.#memory.read8(physical + i)
      length = this.#decoder.decode(this.#buffer, 0, inPage, bits, this.insn)
      if (length > 0) return this.insn
      if (length !== Failure.truncated) this.#refuse(length)
    }
    if (inPage === available) this.#refuse(available === MAXIMUM ? Failure.tooLong : Failure.truncated)
    return this.#fetchAcross(linear, physical, inPage, available, bits)
  }

  get #u8(): Uint8Array {
    return this.#state.host.u8
  }

  /** The instruction goes on in the next page, which is entered. */
  #fetchAcross(linear: number, physical: number, head: number, available: number, bits: 16 | 32 | 64): Insn {
    const buffer = this.#buffer
    for (let i = 0; i < head; i++) buffer[i] = this.#memory.read8(physical + i)
    let next = linear + head
    if (bits !== 64 && next > 0xffff_ffff) next -= 0x1_0000_0000
    const second = this.locate(next)
    for (let i = head; i < available; i++) buffer[i] = this.#memory.read8(second + i - head)
    const length = this.#decoder.decode(buffer, 0, available, bits, this.insn)
    if (length > 0) return this.insn
    this.#refuse(length)
  }

  /** 15 bytes are the most, and the segment's limit ends code: #GP(0). The rest is #UD. */
  #refuse(failure: number): never {
    if (failure === Failure.undefined) raise(Vector.UD)
    raise(Vector.GP, 0)
  }
}
