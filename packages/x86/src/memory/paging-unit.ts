/** The paging unit of one CPU: `@vmexit/paging` on the registers in the state. */
import { type Mmu, Right } from '@vmexit/paging'
import { Layout, Vector } from '../state/layout.ts'
import type { CpuState } from '../state/state.ts'
import type { PagingUnit } from '../system/core.ts'
import { EPT_FAULT, raise, raisePageFault } from '../system/fault.ts'
import type { Translator } from './linear.ts'

const PAGE = 0x1000
/** A canonical upper-half address is a negative number here and the low 48 bits of it there. */
const SPACE = 2 ** 48

/** The paging unit of one CPU; `mmu` has its counts. */
export class CpuPaging implements PagingUnit, Translator {
  readonly mmu: Mmu
  readonly #state: CpuState

  constructor(mmu: Mmu, state: CpuState) {
    this.mmu = mmu
    this.#state = state
  }

  translate(linear: number, access: number): number {
    const page = this.mmu.translate(linear < 0 ? linear + SPACE : linear, access)
    return page < 0 ? -1 : page * PAGE + (linear & 0xfff)
  }
  /** As {@link translate}, leaving no trace. */
  peek(linear: number, access: number): number {
    const page = this.mmu.peek(linear < 0 ? linear + SPACE : linear, access)
    return page < 0 ? -1 : page * PAGE + (linear & 0xfff)
  }
  /** What {@link peek} looked at last is accessed. False, with {@link errorCode} set, where it has answered −1. */
  take(): boolean {
    return this.mmu.take()
  }
  /** As {@link peek}, −1 too where the modelled TLB does not have it. */
  find(linear: number, access: number): number {
    const page = this.mmu.find(linear < 0 ? linear + SPACE : linear, access)
    return page < 0 ? -1 : page * PAGE + (linear & 0xfff)
  }
  /** Does the modelled TLB hold a global translation for linear page number `page`, on that side? */
  isGlobal(page: number, instruction: boolean): boolean {
    const side = instruction ? this.mmu.instruction : this.mmu.data
    const slot = side.lookup(page < 0 ? page + SPACE / PAGE : page)
    return slot >= 0 && (side.rights[slot]! & Right.GLOBAL) !== 0
  }
  get errorCode(): number {
    const { fault, errorCode } = this.mmu.result
    return fault === 'ept-violation' || fault === 'ept-misconfiguration' ? EPT_FAULT : errorCode
  }

  controlsChanged(what: 'cr0' | 'cr3' | 'cr4' | 'efer', before: number): void {
    const state = this.#state
    const done =
      what === 'cr3'
        ? this.mmu.setRoot(state.getNumber(Layout.cr3))
        : this.mmu.setControls(state.get32(Layout.cr0), state.get32(Layout.cr4), state.get32(Layout.efer))
    if (done) return
    if (what === 'cr3') state.setNumber(Layout.cr3, before)
    else state.set32(what === 'cr0' ? Layout.cr0 : what === 'cr4' ? Layout.cr4 : Layout.efer, before)
    if (this.errorCode === EPT_FAULT) raisePageFault(EPT_FAULT, 0)
    raise(Vector.GP, 0)
  }
  invalidate(linear: number): void {
    this.mmu.invlpg(linear < 0 ? linear + SPACE : linear)
  }
}
