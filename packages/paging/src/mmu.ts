/**
 * A CPU's paging unit: control registers, page walk, modelled TLB and counts (Intel SDM Vol. 3A, chapter 4).
 *
 * Rules of the model, the same under every engine:
 * - A hit whose entry does not permit the access drops the entry and walks: a miss.
 * - A write through an entry with the dirty flag clear drops the entry and walks, to set the flag: a miss.
 * - A walk that faults drops what either side holds for the page (4.10.4.1), as INVLPG would.
 * - Walks use no paging-structure caches: every level is a reference, counted also when the walk faults.
 */
import { checkState, VmexitError } from '@vmexit/core'
import { Access, permitsLinear, permitsStage, Right } from './access.ts'
import { type WalkControls, walkControls } from './controls.ts'
import { FORMAT_4LEVEL, FORMAT_32BIT, FORMAT_PAE } from './format.ts'
import { loadPdptes } from './pdpte.ts'
import { FINAL_ACCESS, LINEAR_VALID, WalkResult } from './result.ts'
import { Tlb, type TlbState } from './tlb.ts'
import { type PageTableMemory, type SecondStage, Walker } from './walker.ts'
import type { WalkWatcher } from './watcher.ts'

const CR0_PE = 1
const CR0_WP = 1 << 16
const CR0_NW = 1 << 29
const CR0_CD = 1 << 30
const CR0_PG = 1 << 31
const CR4_PSE = 1 << 4
const CR4_PAE = 1 << 5
const CR4_PGE = 1 << 7
const CR4_SMEP = 1 << 20
const CR4_SMAP = 1 << 21
const EFER_LMA = 1 << 10
const EFER_NXE = 1 << 11

/** What the paging unit has done. Plain numbers, only ever added to. */
export type MmuCounts = {
  /** Look-ups for data that the modelled TLB could not answer. */
  dataMisses: number
  /** The same for instruction fetches. */
  instructionMisses: number
  /** Entries read from the guest's own tables, PDPTE loads included. */
  tableReferences: number
  /** Entries read from the second stage's tables. */
  secondStageReferences: number
}

/** An engine's caches of translations, which must never hold what the modelled TLB does not. */
export interface MmuListener {
  /** The entry of linear page `page` is gone from one side. Drop what was made from it. */
  onEvict?(page: number, instruction: boolean): void
  /** All entries are gone, or all but global ones (`keepsGlobal`), or what entries permit has changed. Drop everything else. */
  onFlush?(keepsGlobal: boolean): void
}

/** What an {@link Mmu} is made of. */
export interface MmuOptions {
  /** Physical memory (guest-physical, behind a second stage's tables). */
  readonly tables: PageTableMemory
  /** Entries of the data side; a power of two. Default 4096. */
  readonly dataEntries?: number
  /**
   * The same of the instruction side. Default 4096. (With 1024, which is 4 MiB, parts of a kernel take each other's places: in
   * switches between processes two of three misses were of that kind, which no associative TLB has.)
   */
  readonly instructionEntries?: number
  /** What the CPU model has. */
  readonly features?: Partial<Pick<WalkControls, 'pse36' | 'pat' | 'pages1G' | 'maxPhysicalAddress'>>
}

/** Everything a restored CPU needs to go on with equal counts. */
export type MmuState = {
  readonly version: 1
  readonly cr0: number
  readonly cr3: number
  readonly cr4: number
  readonly efer: number
  readonly ac: boolean
  readonly pdptes: readonly number[]
  readonly counts: MmuCounts
  readonly data: TlbState
  readonly instruction: TlbState
}

/** What {@link Mmu.load} loads. */
export interface MmuRegisters {
  readonly cr0: number
  readonly cr3: number
  readonly cr4: number
  readonly efer: number
  readonly second: SecondStage | undefined
}

type Mode = 'off' | 'PAE' | '32-bit' | '4-level'

/** A paging unit: registers, walks, the modelled TLB, and what they counted. */
export class Mmu {
  readonly counts: MmuCounts = { dataMisses: 0, instructionMisses: 0, tableReferences: 0, secondStageReferences: 0 }
  readonly data: Tlb
  readonly instruction: Tlb
  /** The last walk. After -1 from {@link translate} or false from a register load: the fault. */
  readonly result: WalkResult = new WalkResult()
  /** The PAE pointer entries, low and high half each. Loaded with CR3, or written by VM entry. */
  readonly pdptes: Uint32Array = new Uint32Array(8)
  /** Whose caches follow this TLB. */
  listener: MmuListener = {}

  #tables: PageTableMemory
  readonly #wholeTables: PageTableMemory
  /** Bit 20 of physical addresses is 0. */
  #a20Off = false
  readonly #features: Partial<WalkControls>
  readonly #walkers = {
    '32-bit': new Walker(FORMAT_32BIT),
    PAE: new Walker(FORMAT_PAE),
    '4-level': new Walker(FORMAT_4LEVEL),
  }
  readonly #peeked = new WalkResult()
  /** What {@link peek} looked at last, and whether the TLB had it. */
  #lookedAt = 0
  #lookedFor = 0
  #found = true
  #second: SecondStage | undefined
  #watcher: WalkWatcher | undefined
  #controls: WalkControls
  #mode: Mode = 'off'
  /** Linear is physical: no paging and no second stage. */
  #identity = true
  #cr0 = 0
  #cr3 = 0
  #cr4 = 0
  #efer = 0

  /** Paging off, TLB empty. @throws VmexitError `tlb-geometry`, `physical-address-width`. */
  constructor(options: MmuOptions) {
    this.#tables = options.tables
    this.#wholeTables = options.tables
    this.#features = options.features ?? {}
    this.#controls = walkControls(this.#features)
    this.data = this.#side(options.dataEntries ?? 4096, false)
    this.instruction = this.#side(options.instructionEntries ?? 4096, true)
  }

  #side(entries: number, instruction: boolean): Tlb {
    return new Tlb(entries, {
      onEvict: (page) => this.listener.onEvict?.(page, instruction),
      onFlush: (keepsGlobal) => this.listener.onFlush?.(keepsGlobal),
    })
  }

  /**
   * The physical page number that `linear` lies in, for an access of `Access` bits; or -1, with the fault in
   * {@link result}. `linear` is unsigned and, in 64-bit mode, the low 48 bits of a canonical address.
   */
  translate(linear: number, access: number): number {
    const page = linear < 0x1_0000_0000 ? linear >>> 12 : Math.floor(linear / 4096)
    if (this.#identity) return this.#a20Off ? withoutA20(page) : page
    const side = (access & Access.FETCH) !== 0 ? this.instruction : this.data
    const slot = side.lookup(page)
    const hit = slot >= 0 && this.#serves(side.rights[slot], access)
    const frame = hit ? side.frame[slot]! : this.#miss(linear, page, access, side)
    return this.#a20Off && frame >= 0 ? withoutA20(frame) : frame
  }

  /** As {@link translate}, without a trace: nothing counted, entered, marked or reported. For debuggers and look-ahead. */
  peek(linear: number, access: number): number {
    const page = Math.floor(linear / 4096)
    const frame = this.#peekFrame(linear, page, access)
    return this.#a20Off && frame >= 0 ? withoutA20(frame) : frame
  }

  /**
   * What the last {@link peek} looked at is accessed: all that {@link translate} would do now happens, with one walk for
   * both. False, with the fault in {@link result}, where peek has answered -1. Nothing may have changed in between.
   */
  take(): boolean {
    if (this.#found) return true
    const page = Math.floor(this.#lookedAt / 4096)
    if (this.#second?.marks === true) return this.translate(this.#lookedAt, this.#lookedFor) >= 0
    const side = (this.#lookedFor & Access.FETCH) !== 0 ? this.instruction : this.data
    if (this.#peeked.ok && this.#mode !== 'off')
      this.#walkers[this.#mode].use(this.#tables, this.#lookedFor, this.#peeked, this.#second)
    return this.#enter(page, side, this.#peeked) >= 0
  }

  /** As {@link peek} for what the modelled TLB can answer; −1 where a walk would have to. */
  find(linear: number, access: number): number {
    const page = Math.floor(linear / 4096)
    const frame = this.#identity ? page : this.#held(page, access)
    return this.#a20Off && frame >= 0 ? withoutA20(frame) : frame
  }

  #held(page: number, access: number): number {
    const side = (access & Access.FETCH) !== 0 ? this.instruction : this.data
    const slot = side.lookup(page)
    return slot >= 0 && this.#serves(side.rights[slot], access) ? side.frame[slot]! : -1
  }

  #peekFrame(linear: number, page: number, access: number): number {
    this.#found = true
    if (this.#identity) return page
    const held = this.#held(page, access)
    if (held >= 0) return held
    this.#found = false
    this.#lookedAt = linear
    this.#lookedFor = access
    return this.#walk(linear, access | Access.PEEK, this.#peeked) ? Math.floor(this.#peeked.physical / 4096) : -1
  }

  #serves(rights: number, access: number): boolean {
    if (!permitsLinear(rights, access, this.#controls) || !permitsStage(rights, access)) return false
    return (access & Access.WRITE) === 0 || (rights & Right.DIRTY) !== 0
  }

  #miss(linear: number, page: number, access: number, side: Tlb): number {
    this.#walk(linear, access, this.result)
    return this.#enter(page, side, this.result)
  }

  /** A walk for `page` was made, for that side: count it, and enter what it found. */
  #enter(page: number, side: Tlb, walked: WalkResult): number {
    if (side === this.data) this.counts.dataMisses++
    else this.counts.instructionMisses++
    this.#countReferences(walked)
    this.#watcher?.onCounted()
    if (!walked.ok) {
      if (walked !== this.result) this.result.copy(walked)
      this.data.invalidatePage(page)
      this.instruction.invalidatePage(page)
      return -1
    }
    const { physical, rights, pageShift } = walked
    const frame = Math.floor(physical / 4096)
    side.fill(page, frame, rights, pageShift)
    return frame
  }

  #walk(linear: number, access: number, out: WalkResult): boolean {
    this.#watcher?.onWalk(linear)
    if (this.#mode === 'off') return this.#walkSecondStage(linear, access, out)
    if (this.#mode !== 'PAE') {
      return this.#walkers[this.#mode].walk(this.#tables, this.#cr3, linear, access, this.#controls, out, this.#second)
    }
    const entry = (linear >>> 30) * 2
    const low = this.pdptes[entry]
    if ((low & 1) === 0) return this.#walkers.PAE.refuseAbsent(3, linear, access, this.#controls, out)
    const directory = (low & 0xffff_f000) >>> 0
    const base = directory + this.pdptes[entry + 1] * 2 ** 32
    return this.#walkers.PAE.walkFrom(2, base, this.#tables, linear, access, this.#controls, out, this.#second)
  }

  /** Paging is off, but a second stage translates (an unrestricted guest). */
  #walkSecondStage(linear: number, access: number, out: WalkResult): boolean {
    const second = this.#second as SecondStage
    out.begin(linear)
    const host = second.reach(linear, access & (Access.WRITE | Access.FETCH | Access.PEEK))
    out.secondReferences = second.result.references
    if (host < 0) return out.failAs(second.result, LINEAR_VALID | FINAL_ACCESS)
    out.physical = host
    out.rights = second.result.rights
    out.ok = true
    return true
  }

  #countReferences(walked: WalkResult): void {
    this.counts.tableReferences += walked.references
    this.counts.secondStageReferences += walked.secondReferences
  }

  // ── Registers ───────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * MOV to CR3, or the CR3 load of a task switch: flushes all but global entries. With PAE paging loads the four
   * pointer entries. False, with nothing changed and the fault in {@link result}, if that must end in #GP(0) (or an EPT exit).
   */
  setRoot(cr3: number): boolean {
    if (this.#mode === 'PAE' && !this.#loadPdptes(cr3, this.#controls)) return false
    this.#cr3 = cr3
    this.data.flushNonGlobal()
    this.instruction.flushNonGlobal()
    return true
  }

  /**
   * CR0, CR4 and EFER as they now are (MOV, LMSW, WRMSR). That the combination is allowed has been checked. Flushes
   * where the processor does (11.9, 4.10.4.1), and loads the pointer entries where PAE paging has it (4.4.1). False as
   * with {@link setRoot}.
   */
  setControls(cr0: number, cr4: number, efer: number): boolean {
    const mode = modeOf(cr0, cr4, efer)
    const changed0 = cr0 ^ this.#cr0
    const changed4 = cr4 ^ this.#cr4
    const controls = this.#controlsOf(cr0, cr4, efer)
    const reload = (changed0 & (CR0_PG | CR0_CD | CR0_NW)) | (changed4 & (CR4_PAE | CR4_PGE | CR4_PSE | CR4_SMEP))
    if (mode === 'PAE' && reload !== 0 && !this.#loadPdptes(this.#cr3, controls)) return false
    const flush =
      (changed0 & (CR0_PG | CR0_PE)) | (changed4 & (CR4_PAE | CR4_PGE | CR4_PSE)) | (changed4 & cr4 & CR4_SMEP)
    const permissions = (changed0 & CR0_WP) | (changed4 & (CR4_SMEP | CR4_SMAP)) | ((efer ^ this.#efer) & EFER_NXE)
    this.#adopt(cr0, cr4, efer, controls)
    if (flush !== 0) this.flush()
    else if (permissions !== 0) this.listener.onFlush?.(false)
    return true
  }

  /**
   * All registers at once, and the second stage behind them, as VM entries and exits load them: what is allowed has been checked,
   * and neither entries of the TLB nor PAE pointers are touched. The caches of engines are, unless nothing has changed.
   */
  load({ cr0, cr3, cr4, efer, second }: MmuRegisters): void {
    const isSame =
      cr0 === this.#cr0 && cr4 === this.#cr4 && efer === this.#efer && cr3 === this.#cr3 && second === this.#second
    if (isSame) return
    this.#cr3 = cr3
    this.#second = second
    if (this.#watcher !== undefined) second?.watch?.(this.#watcher)
    this.#adopt(cr0, cr4, efer, this.#controlsOf(cr0, cr4, efer))
    this.listener.onFlush?.(false)
  }

  /** Reads the PAE pointers that CR3 leads to. False, with the fault in {@link result}, where they cannot be. */
  reloadPdptes(): boolean {
    return this.#mode !== 'PAE' || this.#loadPdptes(this.#cr3, this.#controls)
  }

  #controlsOf(cr0: number, cr4: number, efer: number): WalkControls {
    return walkControls({
      ...this.#controls,
      wp: (cr0 & CR0_WP) !== 0,
      nx: (efer & EFER_NXE) !== 0,
      pse: (cr4 & CR4_PSE) !== 0,
      pge: (cr4 & CR4_PGE) !== 0,
      smep: (cr4 & CR4_SMEP) !== 0,
      smap: (cr4 & CR4_SMAP) !== 0,
    })
  }

  #adopt(cr0: number, cr4: number, efer: number, controls: WalkControls): void {
    this.#cr0 = cr0
    this.#cr4 = cr4
    this.#efer = efer
    this.#controls = controls
    this.#mode = modeOf(cr0, cr4, efer)
    this.#identity = this.#mode === 'off' && this.#second === undefined
  }

  #loadPdptes(cr3: number, controls: WalkControls): boolean {
    const ok = loadPdptes(this.#tables, cr3, controls, this.pdptes, this.result, this.#second)
    this.#countReferences(this.result)
    return ok
  }

  /** EFLAGS.AC, for SMAP. */
  setAlignmentCheck(ac: boolean): void {
    if (ac === this.#controls.ac) return
    this.#controls = { ...this.#controls, ac }
    if (this.#controls.smap) this.listener.onFlush?.(false)
  }

  /** Tells of walks from now on, those of a second stage included; undefined: no more. */
  watch(watcher: WalkWatcher | undefined): void {
    this.#watcher = watcher
    for (const walker of Object.values(this.#walkers)) walker.watcher = watcher
    this.#second?.watch?.(watcher)
  }

  /** Puts a second stage (EPT) behind every translation, or takes it away. Flushes. */
  setSecondStage(second: SecondStage | undefined): void {
    this.#second = second
    if (this.#watcher !== undefined) second?.watch?.(this.#watcher)
    this.#identity = this.#mode === 'off' && second === undefined
    this.flush()
  }

  /**
   * The A20M# pin (SDM vol. 3A, 9.1.4 of older editions): while it is off, bit 20 of every physical address is 0, those
   * of tables included. The modelled TLB holds addresses as they were before that, so nothing in it changes.
   */
  setA20(enabled: boolean): void {
    if (enabled === !this.#a20Off) return
    this.#a20Off = !enabled
    const whole = this.#wholeTables
    this.#tables = enabled
      ? whole
      : {
          read32: (address) => whole.read32(withoutBit20(address)),
          write32: (address, value) => whole.write32(withoutBit20(address), value),
        }
    this.listener.onFlush?.(false)
  }

  // ── TLB ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** INVLPG: drops the page `linear` lies in from both sides; of a large page, all of it. */
  invlpg(linear: number): void {
    const page = Math.floor(linear / 4096)
    this.data.invalidatePage(page)
    this.instruction.invalidatePage(page)
  }

  /** Empties both sides, global entries too (a write to an MTRR, INVEPT). */
  flush(): void {
    this.data.flushAll()
    this.instruction.flushAll()
  }

  /** Registers, TLB and counts. A second stage is its owner's. */
  save(): MmuState {
    return {
      version: 1,
      cr0: this.#cr0,
      cr3: this.#cr3,
      cr4: this.#cr4,
      efer: this.#efer,
      ac: this.#controls.ac,
      pdptes: [...this.pdptes],
      counts: { ...this.counts },
      data: this.data.save(),
      instruction: this.instruction.save(),
    }
  }

  /** @throws VmexitError `state-mismatch` for another version or TLB geometry; nothing is changed then. */
  restore(state: MmuState): void {
    checkState('a paging unit', state, this.save())
    for (const side of ['data', 'instruction'] as const) {
      if (state[side].entries === this[side].entries) continue
      throw new VmexitError('state-mismatch', {
        problem: `the state has ${state[side].entries} TLB entries for ${side}, this paging unit ${this[side].entries}`,
        remedy: 'restore it into the geometry it was saved from',
      })
    }
    this.setControls(state.cr0 & ~CR0_PG, state.cr4, state.efer)
    this.#cr3 = state.cr3
    this.#adopt(state.cr0, state.cr4, state.efer, { ...this.#controls, ac: state.ac })
    this.pdptes.set(state.pdptes)
    Object.assign(this.counts, state.counts)
    this.data.restore(state.data)
    this.instruction.restore(state.instruction)
  }
}

function withoutA20(page: number): number {
  return Math.floor(page / 0x100) % 2 === 0 ? page : page - 0x100
}

function withoutBit20(address: number): number {
  return Math.floor(address / 0x10_0000) % 2 === 0 ? address : address - 0x10_0000
}

function modeOf(cr0: number, cr4: number, efer: number): Mode {
  if ((cr0 & CR0_PG) === 0) return 'off'
  if ((cr4 & CR4_PAE) === 0) return '32-bit'
  return (efer & EFER_LMA) !== 0 ? '4-level' : 'PAE'
}
