/** Segment registers by selector, for what is loaded by the kernel: flat ones, null, and thread-local storage (set_thread_area(2)). */
import { Seg, writeSegment } from '@vmexit/x86'
import { Selector } from '../machine.ts'
import type { Kernel, Task } from '../system.ts'
import { NO_TLS, type TlsEntry } from './tls.ts'

/** `struct user_desc` in numbers. */
export interface UserDescriptor {
  readonly entry: number
  readonly base: number
  readonly limit: number
  readonly flags: number
}

/** Entries have changed: segment registers of the current task that hold them are loaded again. */
export function reloadTls(kernel: Kernel, task: Task): void {
  kernel.machine.loadTls(task.tls)
  const { state } = kernel.cpu
  for (const segment of [Seg.fs, Seg.gs]) {
    const selector = state.selector(segment)
    const index = (selector >> 3) - Selector.firstTls
    if ((selector & 4) === 0 && index >= 0 && index < 3) loadSelector(kernel, task, segment, selector, true)
  }
}

/** The two words of a GDT entry for a descriptor: data of DPL 3, as Linux makes it (`fill_ldt`). */
export function tlsEntry({ base, limit, flags }: UserDescriptor): TlsEntry {
  const contents = (flags >> 1) & 3
  const readOnly = (flags & 8) !== 0
  const empty = base === 0 && limit === 0 && (flags & 0x7f) === 0x28
  if (empty || (base === 0 && limit === 0 && flags === 0)) return NO_TLS
  const type = (readOnly ? 0 : 2) | (contents << 2) | 1
  const low = ((base & 0xffff) << 16) | (limit & 0xffff)
  const present = (flags & 0x20) === 0 ? 0x8000 : 0
  const high =
    (base & 0xff00_0000) |
    ((base >>> 16) & 0xff) |
    (limit & 0xf_0000) |
    (type << 8) |
    0x1000 |
    0x6000 |
    present |
    ((flags & 0x40) !== 0 ? 0x10_0000 : 0) |
    ((flags & 1) !== 0 ? 0x40_0000 : 0) |
    ((flags & 0x10) !== 0 ? 0x80_0000 : 0)
  return [low, high]
}

/** The descriptor that an entry was made of. */
export function descriptorOf(entry: number, [low, high]: TlsEntry): UserDescriptor {
  const base = ((high & 0xff00_0000) | ((high & 0xff) << 16) | (low >>> 16)) >>> 0
  const limit = (high & 0xf_0000) | (low & 0xffff)
  if (low === 0 && high === 0) return { entry, base: 0, limit: 0, flags: 0x28 }
  const flags =
    ((high >> 22) & 1) |
    (((high >> 10) & 3) << 1) |
    ((high & 0x200) === 0 ? 8 : 0) |
    (((high >> 23) & 1) << 4) |
    ((high & 0x8000) === 0 ? 0x20 : 0) |
    (((high >> 20) & 1) << 6)
  return { entry, base, limit, flags }
}

/** Loads a data segment register of the current task. A selector that names nothing becomes null. */
export function loadSelector(kernel: Kernel, task: Task, segment: number, selector: number, always = false): void {
  const { state } = kernel.cpu
  if (state.selector(segment) === selector && !always) return
  const index = (selector >> 3) - Selector.firstTls
  const entry = task.tls[index]
  if ((selector | 3) === Selector.data) writeSegment(state, segment, selector, 0, 0xffff_ffff, 0xcf3)
  else if ((selector & 4) === 0 && entry !== undefined && entry !== NO_TLS && (entry[1] & 0x8000) !== 0) {
    const { base, limit, flags } = descriptorOf(0, entry)
    const bytes = (flags & 0x10) !== 0 ? limit * 4096 + 4095 : limit
    writeSegment(state, segment, selector, base, bytes, ((entry[1] >> 8) & 0xff) | ((entry[1] >> 12) & 0xf00))
  } else writeSegment(state, segment, selector & 3, 0, 0, 0)
  kernel.cpu.events.modeChanged()
}
