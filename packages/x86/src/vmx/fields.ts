/**
 * The fields of a VMCS by encoding (SDM vol. 3D, appendix B). Bit 0 of an encoding names the high half of a 64-bit field, bits
 * 9:1 count, bits 11:10 are the kind (control, read-only, guest, host), bits 14:13 the width.
 */

/** Encodings, by name. Those of features that no control can switch on can be read and written, and do nothing. */
export const Field = {
  // 16 bits
  vpid: 0x0000,
  postedInterruptVector: 0x0002,
  eptpIndex: 0x0004,
  guestEsSelector: 0x0800,
  guestCsSelector: 0x0802,
  guestSsSelector: 0x0804,
  guestDsSelector: 0x0806,
  guestFsSelector: 0x0808,
  guestGsSelector: 0x080a,
  guestLdtrSelector: 0x080c,
  guestTrSelector: 0x080e,
  guestInterruptStatus: 0x0810,
  guestPmlIndex: 0x0812,
  hostEsSelector: 0x0c00,
  hostCsSelector: 0x0c02,
  hostSsSelector: 0x0c04,
  hostDsSelector: 0x0c06,
  hostFsSelector: 0x0c08,
  hostGsSelector: 0x0c0a,
  hostTrSelector: 0x0c0c,

  // 64 bits
  ioBitmapA: 0x2000,
  ioBitmapB: 0x2002,
  msrBitmap: 0x2004,
  exitMsrStoreAddress: 0x2006,
  exitMsrLoadAddress: 0x2008,
  entryMsrLoadAddress: 0x200a,
  executiveVmcsPointer: 0x200c,
  pmlAddress: 0x200e,
  tscOffset: 0x2010,
  virtualApicAddress: 0x2012,
  apicAccessAddress: 0x2014,
  postedInterruptAddress: 0x2016,
  vmFunctionControls: 0x2018,
  eptPointer: 0x201a,
  eoiExitBitmap0: 0x201c,
  eoiExitBitmap1: 0x201e,
  eoiExitBitmap2: 0x2020,
  eoiExitBitmap3: 0x2022,
  eptpListAddress: 0x2024,
  vmreadBitmap: 0x2026,
  vmwriteBitmap: 0x2028,
  virtualizationExceptionAddress: 0x202a,
  xssExitBitmap: 0x202c,
  tscMultiplier: 0x2032,
  tertiaryControls: 0x2034,
  specCtrlMask: 0x204a,
  specCtrlShadow: 0x204c,
  guestPhysicalAddress: 0x2400,
  vmcsLinkPointer: 0x2800,
  guestDebugctl: 0x2802,
  guestPat: 0x2804,
  guestEfer: 0x2806,
  guestPerfGlobalCtrl: 0x2808,
  guestPdpte0: 0x280a,
  guestPdpte1: 0x280c,
  guestPdpte2: 0x280e,
  guestPdpte3: 0x2810,
  guestBndcfgs: 0x2812,
  hostPat: 0x2c00,
  hostEfer: 0x2c02,
  hostPerfGlobalCtrl: 0x2c04,

  // 32 bits
  pinControls: 0x4000,
  primaryControls: 0x4002,
  exceptionBitmap: 0x4004,
  pageFaultMask: 0x4006,
  pageFaultMatch: 0x4008,
  cr3TargetCount: 0x400a,
  exitControls: 0x400c,
  exitMsrStoreCount: 0x400e,
  exitMsrLoadCount: 0x4010,
  entryControls: 0x4012,
  entryMsrLoadCount: 0x4014,
  entryInterruption: 0x4016,
  entryErrorCode: 0x4018,
  entryInstructionLength: 0x401a,
  tprThreshold: 0x401c,
  secondaryControls: 0x401e,
  pleGap: 0x4020,
  pleWindow: 0x4022,
  notifyWindow: 0x4024,
  instructionError: 0x4400,
  exitReason: 0x4402,
  exitInterruption: 0x4404,
  exitErrorCode: 0x4406,
  idtVectoring: 0x4408,
  idtVectoringErrorCode: 0x440a,
  exitInstructionLength: 0x440c,
  exitInstructionInfo: 0x440e,
  guestEsLimit: 0x4800,
  guestCsLimit: 0x4802,
  guestSsLimit: 0x4804,
  guestDsLimit: 0x4806,
  guestFsLimit: 0x4808,
  guestGsLimit: 0x480a,
  guestLdtrLimit: 0x480c,
  guestTrLimit: 0x480e,
  guestGdtrLimit: 0x4810,
  guestIdtrLimit: 0x4812,
  guestEsRights: 0x4814,
  guestCsRights: 0x4816,
  guestSsRights: 0x4818,
  guestDsRights: 0x481a,
  guestFsRights: 0x481c,
  guestGsRights: 0x481e,
  guestLdtrRights: 0x4820,
  guestTrRights: 0x4822,
  guestInterruptibility: 0x4824,
  guestActivity: 0x4826,
  guestSmbase: 0x4828,
  guestSysenterCs: 0x482a,
  guestPreemptionTimer: 0x482e,
  hostSysenterCs: 0x4c00,

  // natural width
  cr0Mask: 0x6000,
  cr4Mask: 0x6002,
  cr0Shadow: 0x6004,
  cr4Shadow: 0x6006,
  cr3Target0: 0x6008,
  cr3Target1: 0x600a,
  cr3Target2: 0x600c,
  cr3Target3: 0x600e,
  exitQualification: 0x6400,
  ioRcx: 0x6402,
  ioRsi: 0x6404,
  ioRdi: 0x6406,
  ioRip: 0x6408,
  guestLinearAddress: 0x640a,
  guestCr0: 0x6800,
  guestCr3: 0x6802,
  guestCr4: 0x6804,
  guestEsBase: 0x6806,
  guestCsBase: 0x6808,
  guestSsBase: 0x680a,
  guestDsBase: 0x680c,
  guestFsBase: 0x680e,
  guestGsBase: 0x6810,
  guestLdtrBase: 0x6812,
  guestTrBase: 0x6814,
  guestGdtrBase: 0x6816,
  guestIdtrBase: 0x6818,
  guestDr7: 0x681a,
  guestRsp: 0x681c,
  guestRip: 0x681e,
  guestRflags: 0x6820,
  guestPendingDebug: 0x6822,
  guestSysenterEsp: 0x6824,
  guestSysenterEip: 0x6826,
  hostCr0: 0x6c00,
  hostCr3: 0x6c02,
  hostCr4: 0x6c04,
  hostFsBase: 0x6c06,
  hostGsBase: 0x6c08,
  hostTrBase: 0x6c0a,
  hostGdtrBase: 0x6c0c,
  hostIdtrBase: 0x6c0e,
  hostSysenterEsp: 0x6c10,
  hostSysenterEip: 0x6c12,
  hostRsp: 0x6c14,
  hostRip: 0x6c16,
} as const

/** The name of a field. */
export type FieldName = keyof typeof Field
/** The encoding of a field. */
export type FieldEncoding = (typeof Field)[FieldName]

/** The encoding of a field that is given by name or encoding. */
export function encodingOf(field: FieldName | FieldEncoding): FieldEncoding {
  return typeof field === 'string' ? Field[field] : field
}

/** What a field is: what VMX sees to, and who may write it. */
export type FieldKind = 'control' | 'read-only' | 'guest' | 'host'

const KINDS: readonly FieldKind[] = ['control', 'read-only', 'guest', 'host']
/** By bits 14:13; the natural width is that of the mode, of which 64 bits are kept. */
const WIDTHS = [16, 64, 32, 64] as const

/** The kind of a field's encoding. */
export function kindOf(encoding: number): FieldKind {
  return KINDS[(encoding >> 10) & 3]!
}

/** Bits that are kept of a field. */
export function widthOf(encoding: number): 16 | 32 | 64 {
  return WIDTHS[(encoding >> 13) & 3]!
}

/** Bit 0 of an encoding: the high half of a 64-bit field. */
export function isHighHalf(encoding: number): boolean {
  return (encoding & 1) !== 0 && ((encoding >> 13) & 3) === 1
}

const ENCODINGS: readonly number[] = Object.values(Field)
/** Where fields begin in a region: behind revision, abort indicator and launch state. */
const FIRST_OFFSET = 0x40
const LARGEST_ENCODING = 0x6fff

/** Byte offsets in a VMCS region, by encoding; 0 where there is no such field. */
const OFFSETS = new Uint16Array(LARGEST_ENCODING + 1)
for (const [n, encoding] of ENCODINGS.entries()) OFFSETS[encoding] = FIRST_OFFSET + 8 * n

/** Byte offset of a field in a VMCS region, that of its low half for a high half; 0 for an encoding that means nothing. */
export function offsetOf(encoding: number): number {
  if (encoding < 0 || encoding > LARGEST_ENCODING) return 0
  if (isHighHalf(encoding)) return OFFSETS[encoding - 1]!
  return OFFSETS[encoding]!
}

/** The highest index of a field, in bits 9:1: IA32_VMX_VMCS_ENUM. */
export const HIGHEST_INDEX: number = ENCODINGS.reduce((most, encoding) => Math.max(most, encoding & 0x3fe), 0)
