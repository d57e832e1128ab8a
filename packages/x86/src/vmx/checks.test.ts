import { describe, expect, it } from 'vitest'
import { At, type Fields, type GuestKind, Required, scene } from '../../test/vmx/guests.ts'
import type { ModelOptions } from '../system/models.ts'
import { checkControls, checkHost } from './checks.ts'
import { ExitControl, Pin, Primary, Secondary } from './controls.ts'
import { checkGuest } from './guest-checks.ts'

/** What becomes of an entry: the failed check as software sees it. */
function entry(kind: GuestKind, changes: Fields, options?: ModelOptions): string {
  const { vmcs, capabilities, memory } = scene(kind, changes, options)
  if (!checkControls(vmcs, capabilities)) return 'error 7'
  if (!checkHost(vmcs, capabilities)) return 'error 8'
  const failure = checkGuest(vmcs, capabilities, memory)
  return failure === undefined ? 'entered' : `reason 33, qualification ${failure}`
}

type Row = readonly [what: string, changes: Fields]

const pin = (bits: number): Fields => ({ pinControls: Required.pin | bits })
const primary = (bits: number): Fields => ({ primaryControls: Required.primary | bits })
const secondary = (bits: number): Fields => ({
  ...primary(Primary.secondaryControls),
  secondaryControls: bits,
  eptPointer: At.eptPointer,
})
const exit = (bits: number): Fields => ({ exitControls: Required.exit | bits })
const inject = (type: number, vector: number, more: Fields = {}, bits = 0): Fields => ({
  entryInterruption: 0x8000_0000 | (type << 8) | vector | bits,
  ...more,
})
const ERROR = 0x800
const BEYOND = 2 ** 36

describe('VM entry into each kind of guest', () => {
  it.each(['protected', 'real', 'virtual-8086'] as const)('passes all checks: %s', (kind) => {
    expect(entry(kind, {})).toBe('entered')
  })
})

describe('control fields', () => {
  const wrong: readonly Row[] = [
    ['pin: default1 bit clear', { pinControls: Required.pin & ~2 }],
    ['pin: reserved bit', pin(0x80)],
    ['primary: default1 bit clear', { primaryControls: Required.primary & ~0x0400_0000 }],
    ['primary: CR8-load exiting', primary(1 << 19)],
    ['primary: TPR shadow', primary(1 << 21)],
    ['secondary: RDTSCP', secondary(8)],
    ['exit: host address-space size', exit(0x200)],
    ['exit: default1 bit clear', { exitControls: Required.exit & ~1 }],
    ['entry: IA-32e mode guest', { entryControls: Required.entry | 0x200 }],
    ['entry: entry to SMM', { entryControls: Required.entry | 0x400 }],
    ['five CR3 targets', { cr3TargetCount: 5 }],
    ['many CR3 targets', { cr3TargetCount: 0xffff_ffff }],
    ['I/O bitmap A not of a page', { ...primary(Primary.ioBitmaps), ioBitmapA: 0x800 }],
    ['I/O bitmap B not of a page', { ...primary(Primary.ioBitmaps), ioBitmapB: 1 }],
    ['I/O bitmap too high', { ...primary(Primary.ioBitmaps), ioBitmapB: BEYOND }],
    ['MSR bitmap not of a page', { ...primary(Primary.msrBitmaps), msrBitmap: 0x10 }],
    ['MSR bitmap too high', { ...primary(Primary.msrBitmaps), msrBitmap: 0xffff_ffff_ffff_f000n }],
    ['virtual NMIs without NMI exiting', pin(Pin.virtualNmis)],
    ['NMI window without virtual NMIs', { ...primary(Primary.nmiWindowExiting), ...pin(Pin.nmiExiting) }],
    ['VPID 0', { ...secondary(Secondary.vpid), vpid: 0 }],
    ['EPTP: write-combining', { ...secondary(Secondary.ept), eptPointer: 0x5019 }],
    ['EPTP: three levels', { ...secondary(Secondary.ept), eptPointer: 0x5016 }],
    ['EPTP: five levels', { ...secondary(Secondary.ept), eptPointer: 0x5026 }],
    ['EPTP: reserved bit 7', { ...secondary(Secondary.ept), eptPointer: 0x509e }],
    ['EPTP: reserved bit 11', { ...secondary(Secondary.ept), eptPointer: 0x581e }],
    ['EPTP: too high', { ...secondary(Secondary.ept), eptPointer: BEYOND + 0x1e }],
    ['unrestricted guest without EPT', secondary(Secondary.unrestrictedGuest)],
    ['saves a preemption timer that is off', exit(ExitControl.savePreemptionTimer)],
    ['MSR-store list not aligned', { exitMsrStoreCount: 1, exitMsrStoreAddress: 8 }],
    ['MSR-store list too high', { exitMsrStoreCount: 1, exitMsrStoreAddress: BEYOND }],
    ['MSR-load list (exit) not aligned', { exitMsrLoadCount: 1, exitMsrLoadAddress: 1 }],
    ['MSR-load list (exit) ends too high', { exitMsrLoadCount: 2, exitMsrLoadAddress: BEYOND - 16 }],
    ['MSR-load list (entry) not aligned', { entryMsrLoadCount: 1, entryMsrLoadAddress: 4 }],
    ['MSR-load list (entry) of the highest count', { entryMsrLoadCount: 0xffff_ffff, entryMsrLoadAddress: 0x20 }],
    ['event: reserved bit 12', inject(0, 0x20, {}, 0x1000)],
    ['event: reserved bit 30', inject(0, 0x20, {}, 0x4000_0000)],
    ['event: reserved type', inject(1, 0x20)],
    ['NMI with vector 3', inject(2, 3)],
    ['hardware exception 32', inject(3, 32)],
    ['other event with vector 1', inject(7, 1)],
    ['#GP without error code', inject(3, 13)],
    ['#UD with error code', inject(3, 6, {}, ERROR)],
    ['external interrupt with error code', inject(0, 13, {}, ERROR)],
    ['software interrupt with error code', inject(4, 13, { entryInstructionLength: 2 }, ERROR)],
    ['error code with bit 16', inject(3, 13, { entryErrorCode: 0x1_0000 }, ERROR)],
    ['software interrupt of length 0', inject(4, 0x80, { entryInstructionLength: 0 })],
    ['INT3 of length 16', inject(6, 3, { entryInstructionLength: 16 })],
    ['INT1 of length 0', inject(5, 1, { entryInstructionLength: 0 })],
  ]
  it.each(wrong)('fail with error 7: %s', (_, changes) => {
    expect(entry('protected', changes)).toBe('error 7')
  })

  const absent: readonly (readonly [...Row, ModelOptions])[] = [
    ['EPT', secondary(Secondary.ept), { vmx: { ept: false } }],
    ['VPID', { ...secondary(Secondary.vpid), vpid: 1 }, { vmx: { vpid: false } }],
    ['unrestricted guests', secondary(0x82), { vmx: { unrestrictedGuest: false } }],
    ['EFER', exit(ExitControl.loadEfer), { features: { nx: false } }],
  ]
  it.each(absent)('fail with error 7 on a model without %s, not on one that has it', (_, changes, without) => {
    expect([entry('protected', changes, without), entry('protected', changes)]).toEqual(['error 7', 'entered'])
  })

  const right: readonly Row[] = [
    ['all pin controls', pin(Pin.externalInterruptExiting | Pin.nmiExiting | Pin.virtualNmis | Pin.preemptionTimer)],
    ['CR3 exits and saved debug controls as in default1', { ...primary(0x1_8000), ...exit(ExitControl.saveDebug) }],
    ['secondary controls that do not count', { secondaryControls: 0xffff_ffff }],
    ['four CR3 targets', { cr3TargetCount: 4 }],
    ['bitmaps at the highest page', { ...primary(Primary.msrBitmaps), msrBitmap: BEYOND - 0x1000 }],
    ['bitmaps that do not count', { ioBitmapA: 1, msrBitmap: 0xffff_ffff_ffff_ffffn }],
    ['NMI window', { ...primary(Primary.nmiWindowExiting), ...pin(Pin.nmiExiting | Pin.virtualNmis) }],
    ['VPID', { ...secondary(Secondary.vpid), vpid: 0xffff }],
    ['EPT in uncached memory, without flags', { ...secondary(Secondary.ept), eptPointer: 0x5018 }],
    ['unrestricted guest in paged protected mode', secondary(Secondary.ept | Secondary.unrestrictedGuest)],
    ['saved preemption timer', { ...pin(Pin.preemptionTimer), ...exit(ExitControl.savePreemptionTimer) }],
    ['MSR list that ends with memory', { exitMsrLoadCount: 2, exitMsrLoadAddress: BEYOND - 32 }],
    ['address of an empty MSR list', { entryMsrLoadAddress: 0xffff_ffff_ffff_ffffn }],
    ['external interrupt', inject(0, 0xff)],
    ['NMI', inject(2, 2)],
    ['#UD', inject(3, 6)],
    ['#PF with its error code', inject(3, 14, { entryErrorCode: 0xffff }, ERROR)],
    ['software interrupt', inject(4, 0x80, { entryInstructionLength: 15 })],
    ['pending monitor trap', inject(7, 0)],
    ['event that is not valid', { entryInterruption: 0x7fff_ffff }],
  ]
  it.each(right)('pass: %s', (_, changes) => {
    expect(entry('protected', changes)).toBe('entered')
  })

  it('know of no error codes in real mode', () => {
    expect([entry('real', inject(3, 13)), entry('real', inject(3, 13, {}, ERROR))]).toEqual(['entered', 'error 7'])
  })
})

describe("the host's state", () => {
  const wrong: readonly Row[] = [
    ['CR0 without PE', { hostCr0: 0x8000_0032 }],
    ['CR0 without NE', { hostCr0: 0x8001_0013 }],
    ['CR0 without PG', { hostCr0: 0x0001_0033 }],
    ['CR4 without VMXE', { hostCr4: 0x20 }],
    ['CR4 with a bit that the model has not', { hostCr4: 0x4_2020 }],
    ['CS of ring 1', { hostCsSelector: 9 }],
    ['DS of the LDT', { hostDsSelector: 0x14 }],
    ['ES with RPL', { hostEsSelector: 0x13 }],
    ['FS with RPL', { hostFsSelector: 3 }],
    ['GS of the LDT', { hostGsSelector: 4 }],
    ['SS with RPL', { hostSsSelector: 0x11 }],
    ['TR of the LDT', { hostTrSelector: 0x1c }],
    ['CS null', { hostCsSelector: 0 }],
    ['SS null', { hostSsSelector: 0 }],
    ['TR null', { hostTrSelector: 0 }],
    ['PAT with type 2', { ...exit(ExitControl.loadPat), hostPat: 2 }],
    ['PAT with type 3 in its last byte', { ...exit(ExitControl.loadPat), hostPat: 3n << 56n }],
    ['PAT with a byte above 7', { ...exit(ExitControl.loadPat), hostPat: 0x0806_0606_0606_0606n }],
    ['EFER with LMA', { ...exit(ExitControl.loadEfer), hostEfer: 0x400 }],
    ['EFER with LME', { ...exit(ExitControl.loadEfer), hostEfer: 0x100 }],
    ['EFER with a high bit', { ...exit(ExitControl.loadEfer), hostEfer: 1n << 63n }],
  ]
  it.each(wrong)('fails with error 8: %s', (_, changes) => {
    expect(entry('protected', changes)).toBe('error 8')
  })

  const right: readonly Row[] = [
    ['null data segments', { hostDsSelector: 0, hostEsSelector: 0 }],
    ['CR0 with the cache off', { hostCr0: 0xe001_0033 }],
    ['every PAT type', { ...exit(ExitControl.loadPat), hostPat: 0x0705_0607_0504_0100n }],
    ['EFER with NXE', { ...exit(ExitControl.loadEfer), hostEfer: 0x800 }],
    ['PAT and EFER that are not loaded', { hostPat: 2, hostEfer: 0x500 }],
  ]
  it.each(right)('passes: %s', (_, changes) => {
    expect(entry('protected', changes)).toBe('entered')
  })
})
