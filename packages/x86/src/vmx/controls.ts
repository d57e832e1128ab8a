/** Bits of the control fields of a VMCS, by name (SDM vol. 3C, 24.6 to 24.8). Only those that a model may have. */

/** Pin-based VM-execution controls (table 24-5). */
export const Pin = {
  externalInterruptExiting: 1,
  nmiExiting: 8,
  virtualNmis: 0x20,
  preemptionTimer: 0x40,
} as const

/** Primary processor-based VM-execution controls (table 24-6). CR8 is of 64-bit mode, and so are the controls for it. */
export const Primary = {
  interruptWindowExiting: 4,
  tscOffsetting: 8,
  hltExiting: 0x80,
  invlpgExiting: 0x200,
  mwaitExiting: 0x400,
  rdpmcExiting: 0x800,
  rdtscExiting: 0x1000,
  cr3LoadExiting: 0x8000,
  cr3StoreExiting: 0x1_0000,
  nmiWindowExiting: 0x40_0000,
  movDrExiting: 0x80_0000,
  unconditionalIoExiting: 0x100_0000,
  ioBitmaps: 0x200_0000,
  monitorTrapFlag: 0x800_0000,
  msrBitmaps: 0x1000_0000,
  monitorExiting: 0x2000_0000,
  pauseExiting: 0x4000_0000,
  secondaryControls: -0x8000_0000,
} as const

/** Secondary processor-based VM-execution controls (table 24-7). */
export const Secondary = {
  ept: 2,
  descriptorTableExiting: 4,
  vpid: 0x20,
  wbinvdExiting: 0x40,
  unrestrictedGuest: 0x80,
} as const

/** VM-exit controls (table 24-12). */
export const ExitControl = {
  saveDebug: 4,
  acknowledgeInterrupt: 0x8000,
  savePat: 0x4_0000,
  loadPat: 0x8_0000,
  saveEfer: 0x10_0000,
  loadEfer: 0x20_0000,
  savePreemptionTimer: 0x40_0000,
} as const

/** VM-entry controls (table 24-13). */
export const EntryControl = {
  loadDebug: 4,
  loadPat: 0x4000,
  loadEfer: 0x8000,
} as const
