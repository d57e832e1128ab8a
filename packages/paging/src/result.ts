/** The record of one walk, rewritten in place by the next. */
import { Right } from './access.ts'

/** Why a walk failed. */
export type WalkFault =
  | 'none'
  /** #PF; see `errorCode`. */
  | 'page-fault'
  /** #GP: a page-directory-pointer entry loaded with CR3 has reserved bits set. */
  | 'general-protection'
  /** EPT violation; see `qualification` and `guestPhysical`. */
  | 'ept-violation'
  /** EPT misconfiguration; see `guestPhysical`. */
  | 'ept-misconfiguration'
  /** The IOMMU blocks the access; `errorCode` is the VT-d fault reason: 5 write, 6 read not granted, 0xc reserved bits. */
  | 'dma-fault'

/** Bits of an EPT violation's exit qualification (SDM Vol. 3C, Table 29-7): the access comes from a linear address … */
export const LINEAR_VALID: number = 1 << 7
/** … and is to what that address maps, not to a paging structure. */
export const FINAL_ACCESS: number = 1 << 8

/** Outcome of a walk. The fields below `fault` count only if `ok` is false, those above only if it is true. */
export class WalkResult {
  ok = false
  /** The address that was translated. A page fault's CR2. */
  linear = 0
  /** Where it lies: a physical address (host-physical, behind a second stage), up to 2^52. */
  physical = 0
  /** Logarithm of the page's size: 12, 21, 22 or 30. With two stages, the first one's. */
  pageShift = 12
  /** `Right` bits. */
  rights = 0
  /** Bits 5:3 of an EPT leaf: 0 UC, 1 WC, 4 WT, 5 WP, 6 WB. With two stages, of the last address. */
  memoryType = 0
  /** Bit 6 of an EPT leaf: the guest's PAT does not count. */
  ignorePat = false
  /** Table entries read, each once, of this walk's own tables. */
  references = 0
  /** Table entries the second stage read for it. */
  secondReferences = 0

  fault: WalkFault = 'none'
  /** Level of the entry that ended the walk, 1 the lowest. A refused permission names the level of the page's own entry. */
  level = 0
  /** Of #PF (SDM Vol. 3A, 4.7): 1 present, 2 write, 4 user, 8 reserved bit, 16 fetch. */
  errorCode = 0
  /** Of an EPT violation, as the exit qualification has it (SDM Vol. 3C, Table 29-7), bits 0 to 5, 7 and 8. */
  qualification = 0
  /** The guest-physical address an EPT violation or misconfiguration is about. */
  guestPhysical = 0

  get writable(): boolean {
    return (this.rights & (Right.WRITE | Right.STAGE_WRITE)) === (Right.WRITE | Right.STAGE_WRITE)
  }

  get user(): boolean {
    return (this.rights & Right.USER) !== 0
  }

  get executable(): boolean {
    return (this.rights & (Right.EXECUTE | Right.STAGE_EXECUTE)) === (Right.EXECUTE | Right.STAGE_EXECUTE)
  }

  get global(): boolean {
    return (this.rights & Right.GLOBAL) !== 0
  }

  get dirty(): boolean {
    return (this.rights & Right.DIRTY) !== 0
  }

  /** Bytes in the page. */
  get pageBytes(): number {
    return 2 ** this.pageShift
  }

  /** Makes ready for the walk of `linear`. */
  begin(linear: number): void {
    this.ok = false
    this.linear = linear
    this.physical = 0
    this.pageShift = 12
    this.rights = 0
    this.memoryType = 0
    this.ignorePat = false
    this.references = 0
    this.secondReferences = 0
    this.fault = 'none'
    this.level = 0
    this.errorCode = 0
    this.qualification = 0
    this.guestPhysical = 0
  }

  /** Becomes the record of another walk. */
  copy(from: WalkResult): void {
    Object.assign(this, from)
  }

  /** Takes over the second stage's failure, with bits 7 and 8 of the qualification. Returns false. */
  failAs(second: WalkResult, qualification: number): false {
    this.fault = second.fault
    this.level = second.level
    this.guestPhysical = second.guestPhysical
    if (second.fault === 'ept-violation') this.qualification = second.qualification | qualification
    return false
  }
}
