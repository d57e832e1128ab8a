/** One of the two PCs of a check: run to exact instructions, saved and restored, and what it has printed. */
import type { Pc, PcState } from '../pc.ts'
import type { PcStopReason } from '../stop.ts'

/** Where a side was. */
export interface SideState {
  readonly pc: PcState
  readonly printed: number
  readonly hash: number
}

/** A PC, which is run without inputs. */
export class Side {
  readonly pc: Pc
  /** Characters printed since power-on, and a hash of them (FNV-1a). */
  #printed = 0
  #hash = 0x811c_9dc5

  constructor(pc: Pc) {
    this.pc = pc
    pc.console.onTransmit((bytes) => {
      this.#printed += bytes.length
      for (const byte of bytes) this.#hash = Math.imul(this.#hash ^ byte, 0x0100_0193)
    })
  }

  /** Instructions retired since power-on. */
  get position(): number {
    return this.pc.system.get('counters').get('instructions')
  }
  /** What it has printed, as text that is cheap to compare. */
  get printed(): string {
    return `${this.#printed} characters, hash ${(this.#hash >>> 0).toString(16)}`
  }
  /** Virtual seconds since power-on. */
  get seconds(): number {
    const { now, frequency } = this.pc.system.get('clock')
    return now / frequency
  }
  /** An interrupt is going to be taken before the next instruction. */
  get isInterrupted(): boolean {
    const { system } = this.pc
    if (system.find('cpu')!.wakeable === false || this.pc.inspectCpu().events.shadow !== 'none') return false
    return system.find('interrupts')?.source(0).pending === true
  }

  /** Runs until so many instructions are retired since power-on, or it stops before. */
  async runTo(instructions: number, signal?: AbortSignal): Promise<PcStopReason> {
    const left = instructions - this.position
    return (await this.pc.run({ instructions: left, idle: 'return', signal })).reason
  }

  save(): SideState {
    return { pc: this.pc.save(), printed: this.#printed, hash: this.#hash }
  }
  /** Goes back, with an empty TLB. */
  restore(state: SideState): void {
    this.pc.restore(state.pc)
    this.#printed = state.printed
    this.#hash = state.hash
    this.pc.system.find('x86')!.paging.mmu.flush()
    this.pc.system.find('mmuHost')?.invalidate()
  }
}
