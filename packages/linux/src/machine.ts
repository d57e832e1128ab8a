/**
 * The machine below the kernel: RAM, and one CPU whose ring 0 the kernel owns. What a kernel prepares once is here: control
 * registers, the GDT, the page of the kernel's own that every address space has.
 */
import { engineNamed } from '@vmexit/jit'
import { GuestMemory, parseSize } from '@vmexit/memory'
import { Cpu, type Engine, Flag, Gpr, Layout, type RingZero, TR, writeSegment } from '@vmexit/x86'
import { Frames, PAGE } from './memory/frames.ts'
import { Entry } from './memory/page-table.ts'
import { type Account, unlimited } from './tasks/account.ts'
import type { TlsEntry } from './tasks/tls.ts'

/** What a machine is made of. */
export interface MachineOptions {
  /** How the CPU is made fast; the counts are the same. Default `'jit'` where there is WebAssembly. */
  readonly engine?: Engine
  /** RAM, `'512 MiB'` unless stated: a bound, what is not used costs nothing. */
  readonly memory?: string | number
}

/** Selectors of user code and data (Linux's `__USER_CS`, `__USER_DS`), and the first entry for thread-local storage. */
export const Selector = { code: 0x73, data: 0x7b, firstTls: 6 } as const
/** Linear page with the GDT, and the entry of the first level that it is under. */
const GDT_PAGE = 0xffc00
const GDT_TABLE = GDT_PAGE >>> 10
const GDT_BYTES = 0x100
const USER_CODE = { high: 0x00cf_fb00, attributes: 0xcfb } as const
const USER_DATA = { high: 0x00cf_f300, attributes: 0xcf3 } as const
/** PG, AM, WP, NE, ET, MP, PE. */
const CR0 = 0x8005_0033 | 0
/** OSXMMEXCPT, OSFXSR, PGE. */
const CR4 = 0x680
/** FCW and MXCSR after a start: all exceptions masked, 64-bit precision. */
const FCW = 0x37f
const MXCSR = 0x1f80

/** RAM and CPU. */
export class Machine {
  readonly memory: GuestMemory
  readonly cpu: Cpu
  readonly frames: Frames
  /** What every page table has as its kernel's part. */
  readonly kernelEntries: ReadonlyMap<number, number>
  readonly #gdt: number
  readonly #tls: TlsEntry[] = []

  constructor(options: MachineOptions, time: () => number) {
    const bytes = parseSize(options.memory ?? '512 MiB')
    this.memory = new GuestMemory({ ranges: [{ kind: 'ram', start: 0, bytes }] })
    const engine = options.engine ?? (this.memory.host.isWebAssembly ? 'jit' : 'reference')
    this.cpu = new Cpu({ memory: this.memory, engine: engineNamed(engine), time })
    this.frames = new Frames(this.memory, bytes / PAGE)
    const table = this.#frame(unlimited)
    this.#gdt = this.#frame(unlimited)
    this.memory.write32(
      table * PAGE + (GDT_PAGE % 1024) * 4,
      this.#gdt * PAGE + (Entry.PRESENT | Entry.WRITE | Entry.ACCESSED | Entry.DIRTY | Entry.GLOBAL),
    )
    this.kernelEntries = new Map([[GDT_TABLE, table * PAGE + (Entry.PRESENT | Entry.WRITE)]])
    for (const [selector, high] of [
      [Selector.code, USER_CODE.high],
      [Selector.data, USER_DATA.high],
    ] as const) {
      this.memory.write32(this.#gdt * PAGE + (selector & ~7), 0xffff)
      this.memory.write32(this.#gdt * PAGE + (selector & ~7) + 4, high)
    }
  }

  /** Frames that are the kernel's for ever: for checks. */
  get ownFrames(): readonly number[] {
    return [this.#gdt, this.kernelEntries.get(GDT_TABLE)! >>> 12]
  }

  #frame(account: Account): number {
    return this.frames.take(account)
  }

  /** Begins to run user code, `root` being the frame of its page table. */
  start(root: number, owner: RingZero): void {
    const { state } = this.cpu
    state.set32(Layout.cr0, CR0)
    state.set32(Layout.cr4, CR4)
    state.setNumber(Layout.cr3, root * PAGE)
    state.setNumber(Layout.gdtBase, GDT_PAGE * PAGE)
    state.set32(Layout.gdtLimit, GDT_BYTES - 1)
    state.setNumber(Layout.idtBase, 0)
    state.set32(Layout.idtLimit, 0)
    writeSegment(state, TR, 0, 0, 0, 0)
    this.freshRegisters(0, 0)
    this.cpu.adoptRegisters(new Uint32Array(8))
    this.cpu.ringZero = owner
  }

  /** The registers that a program starts with. */
  freshRegisters(ip: number, sp: number): void {
    const { state } = this.cpu
    state.host.u8.fill(0, state.base, state.base + Layout.budget)
    state.host.u8.fill(0, state.base + Layout.fpr, state.base + Layout.attention)
    state.setFlag(Flag.IF, true)
    state.setStatusFlags(0)
    for (let seg = 0; seg < 6; seg++) {
      if (seg === 1) writeSegment(state, seg, Selector.code, 0, 0xffff_ffff, USER_CODE.attributes)
      else if (seg >= 4) writeSegment(state, seg, 0, 0, 0, 0)
      else writeSegment(state, seg, Selector.data, 0, 0xffff_ffff, USER_DATA.attributes)
    }
    state.set32(Layout.fcw, FCW)
    state.set32(Layout.empty, 0xff)
    state.set32(Layout.mxcsr, MXCSR)
    state.ip = ip
    state.setReg32(Gpr.sp, sp)
    this.cpu.events.modeChanged()
  }

  /** Gives the CPU a page table. */
  loadRoot(root: number): void {
    const { state, paging } = this.cpu
    const before = state.getNumber(Layout.cr3)
    state.setNumber(Layout.cr3, root * PAGE)
    paging.controlsChanged('cr3', before)
  }

  /** Puts a task's entries for thread-local storage into the GDT. */
  loadTls(entries: readonly TlsEntry[]): void {
    for (let n = 0; n < entries.length; n++) {
      const entry = entries[n]!
      if (this.#tls[n] === entry) continue
      this.#tls[n] = entry
      const at = this.#gdt * PAGE + (Selector.firstTls + n) * 8
      this.memory.write32(at, entry[0])
      this.memory.write32(at + 4, entry[1])
    }
  }
}
