/**
 * The page walk, for every table format (Intel SDM Vol. 3A, chapter 4; Vol. 3C, 30.3). One walker, one parameter.
 *
 * Accessed and dirty flags (4.8) are set when the translation is used: after every check has passed, in every entry
 * that took part, the dirty flag in the last one and only by writes. Nothing is stored where a flag is set already.
 */
import { Access, isUserMode, permitsLinear, Right } from './access.ts'
import type { WalkControls } from './controls.ts'
import type { TableFormat } from './format.ts'
import { FINAL_ACCESS, LINEAR_VALID, type WalkResult } from './result.ts'
import type { WalkWatcher } from './watcher.ts'

/** The memory page tables lie in. Addresses are physical, aligned to 4; values unsigned. */
export interface PageTableMemory {
  read32(address: number): number
  write32(address: number, value: number): void
}

/** A second translation behind the first: guest-physical to host-physical. */
export interface SecondStage {
  /** Host-physical address of `guestPhysical`, or -1. `access` is made of `WRITE`, `FETCH`, `TABLE` and `PEEK`. */
  reach(guestPhysical: number, access: number): number
  /** The record of the last `reach`. */
  readonly result: WalkResult
  /** Reaching for something changes flags in its tables. */
  readonly marks: boolean
  /** Tells of each entry that it reads from now on, or no more. */
  watch?(watcher: Pick<WalkWatcher, 'onEntry'> | undefined): void
}

const TWO_32 = 2 ** 32
const MAX_LEVELS = 5

/**
 * Walks tables of one format. Holds nothing between walks, so any number of CPUs may share one; but a walker and its
 * second stage's are two objects.
 */
export class Walker {
  readonly format: TableFormat
  /** Told of each entry that is read. */
  watcher: Pick<WalkWatcher, 'onEntry'> | undefined = undefined
  readonly #wide: boolean
  readonly #top: number
  /** By level; index 0 is unused. */
  readonly #shift = new Uint8Array(MAX_LEVELS)
  readonly #scale = new Float64Array(MAX_LEVELS)
  readonly #indexMask = new Uint32Array(MAX_LEVELS)
  readonly #offsetMask = new Int32Array(MAX_LEVELS)
  readonly #ungranting = new Int32Array(MAX_LEVELS)
  readonly #span: number
  /** Compiled from the controls, by level. */
  #controls: WalkControls | undefined
  readonly #large = new Uint8Array(MAX_LEVELS)
  readonly #reservedLow = new Int32Array(MAX_LEVELS)
  readonly #reservedLowLarge = new Int32Array(MAX_LEVELS)
  readonly #reservedHigh = new Int32Array(MAX_LEVELS)
  readonly #accessed = new Int32Array(MAX_LEVELS)
  #dirty = 0
  #reportsFetch = false
  /** Of the walk under way, by level: each entry's address before and behind the second stage, its low half, the stage's rights. */
  readonly #before = new Float64Array(MAX_LEVELS)
  readonly #at = new Float64Array(MAX_LEVELS)
  readonly #low = new Int32Array(MAX_LEVELS)
  readonly #stage = new Int32Array(MAX_LEVELS)
  #first = 0

  constructor(format: TableFormat) {
    this.format = format
    this.#wide = format.entryBytes === 8
    this.#top = format.indexBits.length
    let shift = 12
    for (let level = 1; level <= this.#top; level++) {
      this.#shift[level] = shift
      this.#scale[level] = 2 ** -shift
      this.#indexMask[level] = 2 ** format.indexBits[level - 1] - 1
      this.#offsetMask[level] = 2 ** shift - 1
      this.#ungranting[level] = format.ungranting[level - 1]
      shift += format.indexBits[level - 1]
    }
    this.#span = 2 ** shift
  }

  /**
   * Translates `linear` by the tables at `root` (as in CR3 or EPTP: bits that are not part of the address do not count).
   * `linear` is unsigned; of 48-bit linear addresses it is the low 48 bits, and that it is canonical has been checked.
   *
   * Fills `out` and returns its `ok`. Permission for `access` is part of it. With a `second` stage each reference to a
   * table, and the result, go through it.
   */
  walk(
    tables: PageTableMemory,
    root: number,
    linear: number,
    access: number,
    controls: WalkControls,
    out: WalkResult,
    second?: SecondStage,
  ): boolean {
    const base = Math.floor(root / TWO_32) * TWO_32 + ((root & this.format.rootMask) >>> 0)
    return this.walkFrom(this.#top, base, tables, linear, access, controls, out, second)
  }

  /** As {@link walk}, from the table of `level` at `base` on: from what a PAE register points to. */
  walkFrom(
    level: number,
    base: number,
    tables: PageTableMemory,
    linear: number,
    access: number,
    controls: WalkControls,
    out: WalkResult,
    second?: SecondStage,
  ): boolean {
    out.begin(linear)
    if (controls !== this.#controls) this.#compile(controls)
    if (linear >= this.#span) return this.#refuse(level, linear, access, 0, 0, out)
    this.#first = level
    let granted = -1
    let denied = 0
    let low = 0
    let high = 0
    for (; ; level--) {
      let at = base + (Math.floor(linear * this.#scale[level]) & this.#indexMask[level]) * this.format.entryBytes
      if (second !== undefined) {
        this.#before[level] = at
        at = this.#reach(second, at, Access.TABLE | (access & Access.PEEK), out)
        if (at < 0) return out.failAs(second.result, LINEAR_VALID)
        this.#stage[level] = second.result.rights
      }
      out.references++
      low = tables.read32(at) | 0
      if (this.#wide) high = tables.read32(at + 4) | 0
      if (this.watcher !== undefined) {
        this.watcher.onEntry({ format: this.format.name, level, address: at, low: low >>> 0, high: high >>> 0 })
      }
      if ((low & this.format.presentMask) === 0) return this.#refuse(level, linear, access, 0, 0, out)
      const large = level > 1 && (low & 0x80) !== 0 && this.#large[level] !== 0
      const reserved =
        (low & (large ? this.#reservedLowLarge[level] : this.#reservedLow[level])) | (high & this.#reservedHigh[level])
      if (reserved !== 0 || (this.format.rules === 'ept' && misconfigured(low, large || level === 1, controls))) {
        return this.#refuseReserved(level, linear, access, out)
      }
      this.#at[level] = at
      this.#low[level] = low
      granted &= low | this.#ungranting[level]
      denied |= high
      if (large || level === 1) break
      base = (low & 0xffff_f000) >>> 0
      if (high !== 0) base += (high & 0xf_ffff) * TWO_32
    }

    out.level = level
    const rights = this.#rights(granted, denied, low, controls, out)
    if (!this.#permits(rights, access, controls)) return this.#refuse(level, linear, access, 1, granted, out)
    const marks = (access & Access.PEEK) === 0
    out.rights = marks && (access & Access.WRITE) !== 0 ? rights | Right.DIRTY : rights
    out.pageShift = this.#shift[level]
    out.physical = this.#page(level, low, high) + (linear & this.#offsetMask[level])
    if (second !== undefined && !this.#throughSecond(second, access, out)) return false
    if (marks && !this.#setFlags(tables, level, access, out, second)) return false
    out.ok = true
    return true
  }

  /**
   * After a walk of this walker that succeeded with `PEEK` in its access, and a `second` stage without {@link SecondStage.marks}: use
   * the translation. Returns `out.ok`.
   */
  use(tables: PageTableMemory, access: number, out: WalkResult, second?: SecondStage): boolean {
    if ((access & Access.WRITE) !== 0) out.rights |= Right.DIRTY
    out.ok = this.#setFlags(tables, out.level, access, out, second)
    return out.ok
  }

  /** Fills `out` with the fault of an entry of `level` that is not present. Returns false. */
  refuseAbsent(level: number, linear: number, access: number, controls: WalkControls, out: WalkResult): false {
    out.begin(linear)
    if (controls !== this.#controls) this.#compile(controls)
    return this.#refuse(level, linear, access, 0, 0, out)
  }

  /** Address of the page that the entry of `level` maps. */
  #page(level: number, low: number, high: number): number {
    const frame = (low & ~this.#offsetMask[level]) >>> 0
    if (this.#wide) return high === 0 ? frame : frame + (high & 0xf_ffff) * TWO_32
    // PSE-36 (4.3): bits 20:13 of a 4 MiB page's entry are bits 39:32 of its address.
    return level === 1 ? frame : frame + ((low >>> 13) & 0xff) * TWO_32
  }

  #rights(granted: number, denied: number, leaf: number, controls: WalkControls, out: WalkResult): number {
    if (this.format.rules === 'linear') {
      // Bits 1 and 2 of the entries are R/W and U/S, bit 63 XD, leaf bit 8 G and bit 6 D.
      const global = controls.pge ? (leaf >>> 5) & Right.GLOBAL : 0
      return (
        ((granted >>> 1) & 3) |
        (denied < 0 ? 0 : Right.EXECUTE) |
        global |
        ((leaf >>> 2) & Right.DIRTY) |
        Right.STAGE_ALL
      )
    }
    out.memoryType = (leaf >>> 3) & 7
    out.ignorePat = (leaf & 0x40) !== 0
    const dirty = this.#dirty === 0 || (leaf & this.#dirty) !== 0 ? Right.DIRTY : 0
    return Right.WRITE | Right.USER | Right.EXECUTE | dirty | ((granted & 7) << 5)
  }

  #permits(rights: number, access: number, controls: WalkControls): boolean {
    if (this.format.rules === 'linear') return permitsLinear(rights, access, controls)
    if ((access & Access.FETCH) !== 0 && this.format.rules === 'ept') return (rights & Right.STAGE_EXECUTE) !== 0
    return (rights & ((access & Access.WRITE) !== 0 ? Right.STAGE_WRITE : Right.STAGE_READ)) !== 0
  }

  #reach(second: SecondStage, guestPhysical: number, access: number, out: WalkResult): number {
    const host = second.reach(guestPhysical, access)
    out.secondReferences += second.result.references
    return host
  }

  /** Takes the result through the second stage and joins what the two grant. */
  #throughSecond(second: SecondStage, access: number, out: WalkResult): boolean {
    const host = this.#reach(second, out.physical, access & (Access.WRITE | Access.FETCH | Access.PEEK), out)
    if (host < 0) return out.failAs(second.result, LINEAR_VALID | FINAL_ACCESS)
    const clean = (second.result.rights & Right.DIRTY) === 0 ? Right.DIRTY : 0
    out.rights = (out.rights & ~(Right.STAGE_ALL | clean)) | (second.result.rights & Right.STAGE_ALL)
    out.physical = host
    out.memoryType = second.result.memoryType
    out.ignorePat = second.result.ignorePat
    return true
  }

  /** Accessed flags from the walk's first level down to `leaf`, and the dirty flag of `leaf`. */
  #setFlags(
    tables: PageTableMemory,
    leaf: number,
    access: number,
    out: WalkResult,
    second: SecondStage | undefined,
  ): boolean {
    for (let level = this.#first; level >= leaf; level--) {
      const low = this.#low[level]
      let wanted = low | this.#accessed[level]
      if (level === leaf && (access & Access.WRITE) !== 0) wanted |= this.#dirty
      if (wanted === low) continue
      if (second !== undefined && (this.#stage[level] & Right.STAGE_WRITE) === 0) return this.#refuseFlag(level, out)
      tables.write32(this.#at[level], wanted >>> 0)
    }
    return true
  }

  // ── Faults ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Not present (`present` 0) or not permitted (1). */
  #refuse(level: number, address: number, access: number, present: number, granted: number, out: WalkResult): false {
    out.level = level
    switch (this.format.rules) {
      case 'linear':
        out.fault = 'page-fault'
        out.errorCode = present | this.#accessCode(access)
        break
      case 'ept':
        out.fault = 'ept-violation'
        out.guestPhysical = address
        out.qualification = accessQualification(access) | ((granted & 7) << 3)
        break
      case 'iommu':
        out.fault = 'dma-fault'
        out.errorCode = (access & Access.WRITE) !== 0 ? 5 : 6
    }
    return false
  }

  #refuseReserved(level: number, address: number, access: number, out: WalkResult): false {
    out.level = level
    switch (this.format.rules) {
      case 'linear':
        out.fault = 'page-fault'
        out.errorCode = 1 | 8 | this.#accessCode(access)
        break
      case 'ept':
        out.fault = 'ept-misconfiguration'
        out.guestPhysical = address
        break
      case 'iommu':
        out.fault = 'dma-fault'
        out.errorCode = 0xc
    }
    return false
  }

  /** The second stage does not let the flags of the entry of `level` be written. */
  #refuseFlag(level: number, out: WalkResult): false {
    out.level = level
    out.fault = 'ept-violation'
    out.guestPhysical = this.#before[level]
    out.qualification = accessQualification(Access.WRITE) | ((this.#stage[level] >>> 5) << 3) | LINEAR_VALID
    return false
  }

  #accessCode(access: number): number {
    const fetch = this.#reportsFetch ? access & Access.FETCH : 0
    return (access & Access.WRITE) | (isUserMode(access) ? Access.USER : 0) | fetch
  }

  #compile(controls: WalkControls): void {
    const { format } = this
    const accessed = format.accessed(controls)
    for (let level = 1; level <= this.#top; level++) {
      this.#large[level] = format.large(level, controls) ? 1 : 0
      this.#reservedLow[level] = format.reserved(level, false, controls).low
      this.#reservedLowLarge[level] = format.reserved(level, true, controls).low
      this.#reservedHigh[level] = format.reserved(level, false, controls).high
      this.#accessed[level] = accessed[level - 1]
    }
    this.#dirty = format.dirty(controls)
    this.#reportsFetch = controls.smep || (controls.nx && this.#wide)
    this.#controls = controls
  }
}

/** EPT entries whose bits contradict each other (Vol. 3C, 30.3.3.1), reserved bits aside. */
function misconfigured(low: number, leaf: boolean, controls: WalkControls): boolean {
  if ((low & 3) === 2 || ((low & 7) === 4 && !controls.executeOnly)) return true
  const memoryType = (low >>> 3) & 7
  return leaf && (memoryType === 2 || memoryType === 3 || memoryType === 7)
}

/** Bits 0–2 of an EPT violation's exit qualification. Guest tables are read and written at once where EPT keeps dirty flags. */
function accessQualification(access: number): number {
  if ((access & Access.FETCH) !== 0) return 4
  if ((access & Access.WRITE) === 0) return 1
  return (access & Access.TABLE) !== 0 ? 3 : 2
}
