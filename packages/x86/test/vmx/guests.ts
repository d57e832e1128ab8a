/** Complete, valid VMCSs to change a field of: a guest in flat protected mode, one in real mode, one in virtual-8086 mode. */
import { GuestMemory } from '@vmexit/memory'
import { createModel, type ModelOptions } from '../../src/system/models.ts'
import type { VmxCapabilities } from '../../src/vmx/capabilities.ts'
import { Field, type FieldName } from '../../src/vmx/fields.ts'
import { REVISION, Vmcs } from '../../src/vmx/vmcs.ts'

/** Values of fields by name. */
export type Fields = Partial<Record<FieldName, number | bigint>>

/** What kind of guest a VMCS has. Real mode takes an unrestricted guest, and with it EPT. */
export type GuestKind = 'protected' | 'real' | 'virtual-8086'

const ALL_ONES = 0xffff_ffff_ffff_ffffn
const SEGMENTS = ['Es', 'Cs', 'Ss', 'Ds', 'Fs', 'Gs'] as const
type Segment = (typeof SEGMENTS)[number]

/** Where the tables of {@link Scene} lie in memory, which has 64 KiB. */
export const At = {
  vmcs: 0x1000,
  /** A region with the revision of a VMCS, and one that says it is a shadow VMCS. */
  other: 0x2000,
  shadow: 0x3000,
  /** Page-directory-pointer tables: four valid entries, and four of which the last has a reserved bit set. */
  pdptes: 0x4000,
  badPdptes: 0x4020,
  eptPointer: 0x5000 | 0x5e,
} as const

/** Control bits that must be 1, after the TRUE capability MSRs, and those that guests here use. */
export const Required = {
  pin: 0x16,
  primary: 0x0400_6172,
  exit: 0x3_6dfb,
  entry: 0x11fb,
} as const

const CONTROLS: Fields = {
  pinControls: Required.pin,
  primaryControls: Required.primary,
  secondaryControls: 0,
  exitControls: Required.exit,
  entryControls: Required.entry,
  cr3TargetCount: 0,
  exitMsrStoreCount: 0,
  exitMsrLoadCount: 0,
  entryMsrLoadCount: 0,
  entryInterruption: 0,
}

const HOST: Fields = {
  hostCr0: 0x8001_0033,
  hostCr3: 0x6000,
  hostCr4: 0x2020,
  hostCsSelector: 8,
  hostSsSelector: 0x10,
  hostDsSelector: 0x10,
  hostEsSelector: 0x10,
  hostFsSelector: 0,
  hostGsSelector: 0,
  hostTrSelector: 0x18,
  hostRip: 0x8000,
  hostRsp: 0x9000,
  hostPat: 0x0007_0406_0007_0406n,
  hostEfer: 0x800,
}

const GUEST: Fields = {
  guestCr3: 0x6000,
  guestCr4: 0x2000,
  guestDr7: 0x400,
  guestDebugctl: 0,
  guestPat: 0x0007_0406_0007_0406n,
  guestEfer: 0,
  guestLdtrSelector: 0,
  guestLdtrRights: 0x1_0000,
  guestTrSelector: 0x28,
  guestTrLimit: 0x67,
  guestTrRights: 0x8b,
  guestGdtrLimit: 0xff,
  guestIdtrLimit: 0x7ff,
  guestRip: 0x7c00,
  guestRsp: 0x7000,
  guestActivity: 0,
  guestInterruptibility: 0,
  guestPendingDebug: 0,
  vmcsLinkPointer: ALL_ONES,
}

/** The fields of a segment register. */
export function segment(at: Segment, selector: number, base: number, limit: number, rights: number): Fields {
  return {
    [`guest${at}Selector`]: selector,
    [`guest${at}Base`]: base,
    [`guest${at}Limit`]: limit,
    [`guest${at}Rights`]: rights,
  }
}

/** All six, with `rights` for all but CS. */
function segments(cs: Fields, selector: number, base: number, limit: number, rights: number): Fields {
  const fields = SEGMENTS.map((at) => segment(at, selector, base, limit, rights))
  return Object.assign({}, ...fields, cs)
}

const KINDS: Readonly<Record<GuestKind, Fields>> = {
  protected: {
    guestCr0: 0x8001_0033,
    guestRflags: 0x202,
    ...segments(segment('Cs', 8, 0, 0xffff_ffff, 0xc09b), 0x10, 0, 0xffff_ffff, 0xc093),
  },
  real: {
    primaryControls: Required.primary | 0x8000_0000,
    secondaryControls: 0x82,
    eptPointer: At.eptPointer,
    guestCr0: 0x30,
    guestRflags: 0x202,
    ...segments(segment('Cs', 0xf000, 0xffff_0000, 0xffff, 0x9b), 0, 0, 0xffff, 0x93),
  },
  'virtual-8086': {
    guestCr0: 0x8001_0033,
    guestRflags: 0x2_0202,
    ...segments(segment('Cs', 0x1234, 0x1_2340, 0xffff, 0xf3), 0x2000, 0x2_0000, 0xffff, 0xf3),
  },
}

/** A model with VMX and its memory, in which the VMCS of a guest is open. */
export interface Scene {
  readonly memory: GuestMemory
  readonly vmcs: Vmcs
  readonly capabilities: VmxCapabilities
}

/** Write fields into an open VMCS. */
export function setFields(vmcs: Vmcs, fields: Fields): void {
  for (const [field, value] of Object.entries(fields) as [FieldName, number | bigint][])
    vmcs.write(Field[field], BigInt.asUintN(64, BigInt(value)))
}

/** A valid VMCS for a guest of that kind, with `changes`. */
export function scene(kind: GuestKind, changes: Fields = {}, options: ModelOptions = {}): Scene {
  const memory = new GuestMemory({ ranges: [{ kind: 'ram', start: 0, bytes: 0x1_0000 }] })
  memory.write32(At.vmcs, REVISION)
  memory.write32(At.other, REVISION)
  memory.write32(At.shadow, REVISION | 0x8000_0000)
  for (let n = 0; n < 4; n++) {
    memory.write32(At.pdptes + 8 * n, 0x7001)
    memory.write32(At.badPdptes + 8 * n, n === 3 ? 0x7003 : 0x7001)
  }
  const { vmx } = createModel('pentium-m', { ...options, features: { vmx: true, ...options.features } })
  const vmcs = new Vmcs(memory)
  vmcs.select(At.vmcs)
  vmcs.open()
  setFields(vmcs, { ...CONTROLS, ...HOST, ...GUEST, ...KINDS[kind], ...changes })
  return { memory, vmcs, capabilities: vmx! }
}
