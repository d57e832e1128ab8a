import { describe, expect, it } from 'vitest'
import { At, type Fields, type GuestKind, Required, scene, segment } from '../../test/vmx/guests.ts'
import { checkControls, checkHost } from './checks.ts'
import { EntryControl, Pin, Primary, Secondary } from './controls.ts'
import { Activity, Blocking, checkGuest, GuestFailure } from './guest-checks.ts'

/** The exit qualification, or undefined. Controls and host have to be in order. */
function failure(kind: GuestKind, changes: Fields): number | undefined {
  const { vmcs, capabilities, memory } = scene(kind, changes)
  expect([checkControls(vmcs, capabilities), checkHost(vmcs, capabilities)]).toEqual([true, true])
  return checkGuest(vmcs, capabilities, memory)
}

type Row = readonly [what: string, changes: Fields]
type KindRow = readonly [kind: GuestKind, ...Row]

const loads = (bits: number): Fields => ({ entryControls: Required.entry | bits })
const inject = (type: number, vector: number, bits = 0): Fields => ({
  entryInterruption: 0x8000_0000 | (type << 8) | vector | bits,
})
const unrestricted: Fields = {
  primaryControls: Required.primary | Primary.secondaryControls,
  secondaryControls: Secondary.ept | Secondary.unrestrictedGuest,
  eptPointer: At.eptPointer,
}
const withEpt: Fields = { ...unrestricted, secondaryControls: Secondary.ept }
const FLAT = 0xffff_ffff
/** A guest at privilege level 3. */
const ring3: Fields = {
  ...segment('Cs', 0x1b, 0, FLAT, 0xc0fb),
  ...segment('Ss', 0x23, 0, FLAT, 0xc0f3),
}

describe('registers of the guest', () => {
  const wrong: readonly KindRow[] = [
    ['protected', 'CR0 without PE', { guestCr0: 0x8000_0032 }],
    ['protected', 'CR0 without NE', { guestCr0: 0x8001_0013 }],
    ['protected', 'CR0 without PG', { guestCr0: 0x0001_0033 }],
    ['real', 'CR0 without NE', { guestCr0: 0x10 }],
    ['real', 'paging in real mode', { guestCr0: 0x8000_0030 }],
    ['protected', 'CR4 without VMXE', { guestCr4: 0 }],
    ['protected', 'CR4 with a bit that the model has not', { guestCr4: 0x2800 }],
    ['protected', 'DEBUGCTL with a reserved bit', { ...loads(EntryControl.loadDebug), guestDebugctl: 0x80 }],
    ['protected', 'DEBUGCTL with a high bit', { ...loads(EntryControl.loadDebug), guestDebugctl: 1n << 40n }],
    ['protected', 'PAT with type 2', { ...loads(EntryControl.loadPat), guestPat: 2n << 32n }],
    ['protected', 'EFER with LME', { ...loads(EntryControl.loadEfer), guestEfer: 0x900 }],
    ['protected', 'GDTR limit', { guestGdtrLimit: 0x1_0000 }],
    ['protected', 'IDTR limit', { guestIdtrLimit: 0x8000_0000 }],
    ['protected', 'RFLAGS without bit 1', { guestRflags: 0x200 }],
    ['protected', 'RFLAGS with bit 3', { guestRflags: 0xa }],
    ['protected', 'RFLAGS with bit 15', { guestRflags: 0x8002 }],
    ['protected', 'RFLAGS with bit 22', { guestRflags: 0x40_0002 }],
    ['real', 'virtual-8086 mode outside of protected mode', { guestRflags: 0x2_0002 }],
    ['protected', 'external interrupt while IF is clear', { ...inject(0, 0x20), guestRflags: 2 }],
  ]
  it.each(wrong)('fail in a %s guest: %s', (kind, _, changes) => {
    expect(failure(kind, changes)).toBe(GuestFailure.state)
  })

  const right: readonly KindRow[] = [
    ['real', 'protected mode without paging', { guestCr0: 0x31 }],
    ['protected', 'CR0 with the cache off, or half off', { guestCr0: 0xa001_0033 }],
    ['protected', 'DEBUGCTL', { ...loads(EntryControl.loadDebug), guestDebugctl: 0x7f }],
    ['protected', 'DEBUGCTL, PAT and EFER that are not loaded', { guestDebugctl: 0x80, guestPat: 2, guestEfer: 0x500 }],
    ['protected', 'EFER with NXE', { ...loads(EntryControl.loadEfer), guestEfer: 0x800 }],
    ['protected', 'every flag', { guestRflags: 0x3d_7fd7 }],
    ['protected', 'any CR3', { guestCr3: 0xffff_ffff }],
  ]
  it.each(right)('pass in a %s guest: %s', (kind, _, changes) => {
    expect(failure(kind, changes)).toBeUndefined()
  })
})

describe('segments of the guest', () => {
  const wrong: readonly KindRow[] = [
    ['protected', 'TR of the LDT', { guestTrSelector: 0x2c }],
    ['protected', 'TR unusable', { guestTrRights: 0x1_008b }],
    ['protected', 'TR available', { guestTrRights: 0x89 }],
    ['protected', 'TR a code segment', { guestTrRights: 0x9b }],
    ['protected', 'TR not present', { guestTrRights: 0x0b }],
    ['protected', 'TR with a reserved bit', { guestTrRights: 0x18b }],
    ['protected', 'TR granular', { guestTrRights: 0x808b }],
    ['protected', 'LDTR of the LDT', { guestLdtrSelector: 0xc, guestLdtrRights: 0x82 }],
    ['protected', 'LDTR of another type', { guestLdtrRights: 0x83 }],
    ['protected', 'LDTR not present', { guestLdtrRights: 2 }],
    ['protected', 'LDTR a data segment', { guestLdtrRights: 0x92 }],
    ['virtual-8086', 'base', { guestDsBase: 0x2_0010 }],
    ['virtual-8086', 'limit', { guestEsLimit: 0xfffe }],
    ['virtual-8086', 'rights', { guestSsRights: 0x93 }],
    ['virtual-8086', 'code segment', { guestCsRights: 0xfb }],
    ['virtual-8086', 'unusable', { guestGsRights: 0x1_00f3 }],
    ['virtual-8086', 'TR available', { guestTrRights: 0x89 }],
    ['protected', 'CS not accessed', { guestCsRights: 0xc09a }],
    ['protected', 'CS data', { guestCsRights: 0xc093 }],
    ['protected', 'CS a system segment', { guestCsRights: 0xc08b }],
    ['protected', 'CS not present', { guestCsRights: 0xc01b }],
    ['protected', 'CS with reserved bit 8', { guestCsRights: 0xc19b }],
    ['protected', 'CS with reserved bit 17', { guestCsRights: 0x2_c09b }],
    ['protected', 'CS limit finer than its granularity', { guestCsLimit: 0xffff_fffe }],
    ['protected', 'CS limit beyond its granularity', { guestCsRights: 0x409b, guestCsLimit: 0x10_0000 }],
    ['protected', 'CS of another level than SS', segment('Cs', 8, 0, FLAT, 0xc0fb)],
    ['protected', 'CS conforming to an outer level', segment('Cs', 8, 0, FLAT, 0xc0bf)],
    ['real', 'CS data of level 3', { guestCsRights: 0xf3 }],
    ['protected', 'SS and CS of different RPL', { guestSsSelector: 0x13 }],
    ['protected', 'SS with DPL other than RPL', { ...ring3, guestSsRights: 0xc0d3 }],
    ['protected', 'SS unusable, with DPL other than RPL', { guestSsRights: 0x1_0060 }],
    ['protected', 'SS not writable', { guestSsRights: 0xc091 }],
    ['protected', 'SS not accessed', { guestSsRights: 0xc092 }],
    ['protected', 'SS code', { guestSsRights: 0xc09b }],
    ['protected', 'SS not present', { guestSsRights: 0xc013 }],
    ['protected', 'SS limit', { guestSsLimit: 0xffff_f000 }],
    ['real', 'SS of level 3', { guestSsRights: 0xf3 }],
    ['protected', 'DS not accessed', { guestDsRights: 0xc092 }],
    ['protected', 'ES execute-only', { guestEsRights: 0xc099 }],
    ['protected', 'FS a system segment', { guestFsRights: 0xc083 }],
    ['protected', 'GS not present', { guestGsRights: 0xc013 }],
    ['protected', 'DS with a reserved bit', { guestDsRights: 0xc893 }],
    ['protected', 'DS more privileged than its RPL', { guestDsSelector: 0x13 }],
    ['protected', 'FS limit', { guestFsRights: 0x4093 }],
  ]
  it.each(wrong)('fail in a %s guest: %s', (kind, _, changes) => {
    expect(failure(kind, changes)).toBe(GuestFailure.state)
  })

  const right: readonly KindRow[] = [
    ['protected', 'at privilege level 3', ring3],
    ['protected', 'a 16-bit TSS', { guestTrRights: 0x83, guestTrLimit: 0x2b }],
    ['protected', 'an LDT', { guestLdtrSelector: 0x30, guestLdtrLimit: 0xff, guestLdtrRights: 0x82 }],
    ['protected', 'CS conforming', { ...ring3, ...segment('Cs', 0x1b, 0, FLAT, 0xc09f) }],
    ['protected', 'CS execute-only', { guestCsRights: 0xc099 }],
    ['protected', 'CS with AVL and L', { guestCsRights: 0xf09b }],
    ['protected', 'CS marked unusable', { guestCsRights: 0x1_c09b }],
    ['protected', 'SS expand-down', { guestSsRights: 0x4097, guestSsLimit: 0xfff }],
    ['protected', 'SS unusable', { guestSsRights: 0x1_0000 }],
    ['protected', 'data segments unusable', { guestDsRights: 0x1_0000, guestEsRights: 0x1_c090 }],
    ['protected', 'DS readable code', { guestDsRights: 0xc09b }],
    ['protected', 'DS conforming code of any level', { guestDsSelector: 0xb, guestDsRights: 0xc09f }],
    ['protected', 'DS of an outer level', { guestDsSelector: 0x20, guestDsRights: 0xc0f3 }],
    ['protected', 'bytes that fit either granularity', { guestDsRights: 0x8093, guestDsLimit: 0xfff }],
    ['real', 'CS data', { guestCsRights: 0x93 }],
    ['real', 'RPLs that are part of a paragraph', { guestSsSelector: 0x1003, guestDsSelector: 0x0fff }],
    ['real', 'big limits', { guestDsLimit: FLAT, guestDsRights: 0x8093 }],
    ['protected', 'CS data of an unrestricted guest', { ...unrestricted, guestCsRights: 0xc093 }],
  ]
  it.each(right)('pass in a %s guest: %s', (kind, _, changes) => {
    expect(failure(kind, changes)).toBeUndefined()
  })
})

describe('activity, interruptibility and pending debug exceptions of the guest', () => {
  const hlt: Fields = { guestActivity: Activity.hlt }
  const shutdown: Fields = { guestActivity: Activity.shutdown }
  const blocked = (bits: number): Fields => ({ guestInterruptibility: bits })
  const virtualNmis: Fields = { pinControls: Required.pin | Pin.nmiExiting | Pin.virtualNmis }
  const step: Fields = { guestRflags: 0x302 }

  const wrong: readonly Row[] = [
    ['wait for SIPI, which the model does not do', { guestActivity: Activity.waitForSipi }],
    ['an activity state that is none', { guestActivity: 0x8000_0000 }],
    ['HLT at privilege level 3', { ...ring3, ...hlt }],
    ['HLT behind STI', { ...hlt, ...blocked(Blocking.sti) }],
    ['shutdown behind MOV SS', { ...shutdown, ...blocked(Blocking.movSs) }],
    ['#UD into HLT', { ...hlt, ...inject(3, 6) }],
    ['software interrupt into HLT', { ...hlt, ...inject(4, 0x80), entryInstructionLength: 2 }],
    ['external interrupt into shutdown', { ...shutdown, ...inject(0, 0x20) }],
    ['#DB into shutdown', { ...shutdown, ...inject(3, 1) }],
    ['pending monitor trap into shutdown', { ...shutdown, ...inject(7, 0) }],
    ['reserved interruptibility', blocked(0x20)],
    ['blocking by SMI', blocked(Blocking.smi)],
    ['an interrupted enclave', blocked(0x10)],
    ['STI and MOV SS together', blocked(Blocking.sti | Blocking.movSs)],
    ['STI while IF is clear', { ...blocked(Blocking.sti), guestRflags: 2 }],
    ['external interrupt behind STI', { ...blocked(Blocking.sti), ...inject(0, 0x20) }],
    ['external interrupt behind MOV SS', { ...blocked(Blocking.movSs), ...inject(0, 0x20) }],
    ['NMI behind MOV SS', { ...blocked(Blocking.movSs), ...inject(2, 2) }],
    ['NMI behind a virtual NMI', { ...virtualNmis, ...blocked(Blocking.nmi), ...inject(2, 2) }],
    ['pending debug exception 4', { guestPendingDebug: 0x10 }],
    ['pending debug exception 13', { guestPendingDebug: 0x2000 }],
    ['pending debug exception 15', { guestPendingDebug: 0x8000 }],
    ['pending debug exception 16', { guestPendingDebug: 0x1_0000 }],
    ['single-stepping behind STI, not pending', { ...step, ...blocked(Blocking.sti) }],
    ['single-stepping in HLT, not pending', { ...step, ...hlt }],
    ['pending step behind MOV SS, not stepping', { ...blocked(Blocking.movSs), guestPendingDebug: 0x4000 }],
    [
      'pending step behind MOV SS, stepping on branches',
      { ...step, ...blocked(Blocking.movSs), guestPendingDebug: 0x4000, guestDebugctl: 2 },
    ],
  ]
  it.each(wrong)('fail: %s', (_, changes) => {
    expect(failure('protected', changes)).toBe(GuestFailure.state)
  })

  it('fail with a qualification of their own for an NMI behind STI', () => {
    expect(failure('protected', { ...blocked(Blocking.sti), ...inject(2, 2) })).toBe(GuestFailure.nmi)
  })

  const right: readonly Row[] = [
    ['HLT', hlt],
    ['shutdown', shutdown],
    ['external interrupt into HLT', { ...hlt, ...inject(0, 0x20) }],
    ['#DB into HLT', { ...hlt, ...inject(3, 1) }],
    ['pending monitor trap into HLT', { ...hlt, ...inject(7, 0) }],
    ['NMI into shutdown', { ...shutdown, ...inject(2, 2) }],
    ['#MC into shutdown', { ...shutdown, ...inject(3, 18) }],
    ['STI', blocked(Blocking.sti)],
    ['MOV SS', blocked(Blocking.movSs)],
    ['#UD behind STI', { ...blocked(Blocking.sti), ...inject(3, 6) }],
    ['NMI behind an NMI', { ...blocked(Blocking.nmi), ...inject(2, 2) }],
    ['HLT behind an NMI', { ...hlt, ...blocked(Blocking.nmi) }],
    ['pending debug exceptions', { guestPendingDebug: 0x500f }],
    ['pending step behind STI', { ...step, ...blocked(Blocking.sti), guestPendingDebug: 0x4000 }],
    ['no pending step on branches', { ...step, ...blocked(Blocking.sti), guestDebugctl: 2 }],
    ['single-stepping while nothing holds it up', step],
  ]
  it.each(right)('pass: %s', (_, changes) => {
    expect(failure('protected', changes)).toBeUndefined()
  })
})

describe('the VMCS link pointer', () => {
  const wrong: readonly (readonly [string, number | bigint])[] = [
    ['not of a page', At.other + 8],
    ['too high', 2 ** 36],
    ['all ones but for one', 0xffff_ffff_ffff_fffen],
    ['all ones in one half', 0xffff_ffff],
    ['to a region of another revision', 0x8000],
    ['to a shadow VMCS', At.shadow],
    ['to the VMCS itself', At.vmcs],
  ]
  it.each(wrong)('fails: %s', (_, vmcsLinkPointer) => {
    expect(failure('protected', { vmcsLinkPointer })).toBe(GuestFailure.linkPointer)
  })
  it('may name another VMCS', () => {
    expect(failure('protected', { vmcsLinkPointer: At.other })).toBeUndefined()
  })
})

describe('page-directory-pointer entries', () => {
  const pae: Fields = { guestCr4: 0x2020 }
  const fields = (guestPdpte0: number | bigint, guestPdpte3: number | bigint = 0): Fields => ({
    ...withEpt,
    ...pae,
    guestCr3: At.badPdptes,
    guestPdpte0,
    guestPdpte3,
  })
  const wrong: readonly Row[] = [
    ['reserved bit, in memory', { ...pae, guestCr3: At.badPdptes }],
    ['reserved bit 1', fields(0x7003)],
    ['reserved bit 8', fields(0, 0x7101)],
    ['address too high', fields((2n ** 36n) | 1n)],
    ['bit 63', fields(0, (2n ** 63n) | 1n)],
  ]
  it.each(wrong)('fail: %s', (_, changes) => {
    expect(failure('protected', changes)).toBe(GuestFailure.pdptes)
  })
  const right: readonly Row[] = [
    ['in memory', { ...pae, guestCr3: At.pdptes | 0x18 }],
    ['in the VMCS', fields(0xf_ffff_f001, 0x7e19)],
    ['not present', fields(0xffff_ffff_ffff_fffen, 2n ** 63n)],
    ['of no PAE paging', { guestCr3: At.badPdptes }],
    ['of no paging', { ...fields(0x7003), ...unrestricted, guestCr0: 0x31 }],
  ]
  it.each(right)('pass: %s', (_, changes) => {
    expect(failure('protected', changes)).toBeUndefined()
  })
})
