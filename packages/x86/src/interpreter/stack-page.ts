/**
 * The page that the stack was last found in: what translations reach it by, so that most of its accesses look nothing up.
 * The modelled TLB holds it for writes: whatever that may lose, and whatever changes the privilege level, has it forgotten (`EngineTlb`).
 * That another page takes its entry in the engine's own table does not matter.
 */
import type { Routine } from '../ops/ops.ts'
import { Layout } from '../state/layout.ts'
import type { CpuState } from '../state/state.ts'
import { Tables, TLB_ADDEND, TLB_ENTRIES, TLB_ENTRY_SHIFT } from './layout.ts'

/** As {@link Layout.stackPage}: none. No linear address of 32 bits is less than a page above it. */
export const NO_PAGE: bigint = 1n << 40n
const PAGE_MASK = ~0xfff

/** Whoever drops an entry for writes, or changes the privilege level, has this done as well. */
export function forgetStackPage(state: CpuState): void {
  state.set32(Layout.stackPage, 0)
  state.set32(Layout.stackPage + 4, Number(NO_PAGE >> 32n))
}

/**
 * (base, first, last): the host address of the linear address `first`, if the TLB has its page for writes and `last` lies in the
 * same; otherwise 0. The page is found by {@link Layout.stackPage} from then on.
 */
export const findStack: Routine = {
  name: 'findStack',
  params: ['i32', 'i32', 'i32'],
  results: ['i32'],
  body: (o, base, first, last) => {
    const page = o.let(o.and(first!, o.i32(PAGE_MASK)))
    const index = o.and(o.shr(first!, o.i32(12 - TLB_ENTRY_SHIFT)), o.i32((TLB_ENTRIES - 1) << TLB_ENTRY_SHIFT))
    const entry = o.let(o.add(base!, index))
    const tag = o.or(page, o.peek('i32', base!, Layout.tlbKey, 32))
    const host = o.variable(o.i32(0))
    o.if(o.eq(o.peek('i32', entry, Tables.write, 32), tag), () => {
      const start = o.let(o.add(page, o.peek('i32', entry, Tables.write + TLB_ADDEND, 32)))
      o.poke(base!, Layout.stackPage, o.extendU(page), 64)
      o.poke(base!, Layout.stackHost, start, 32)
      o.if(o.eq(o.and(last!, o.i32(PAGE_MASK)), page), () => {
        o.set(host, o.or(start, o.and(first!, o.i32(0xfff))))
      })
    })
    return [o.get(host)]
  },
}
