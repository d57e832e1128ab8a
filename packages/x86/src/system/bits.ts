/** Bits of the control and debug registers and of EFER (SDM vol. 3A, 2.5, 2.2.1 and 17.2). */

export const Cr0 = {
  PE: 1,
  MP: 2,
  EM: 4,
  TS: 8,
  ET: 0x10,
  NE: 0x20,
  WP: 0x1_0000,
  AM: 0x4_0000,
  NW: 0x2000_0000,
  CD: 0x4000_0000,
  PG: -0x8000_0000,
} as const

export const Cr4 = {
  VME: 1,
  PVI: 2,
  TSD: 4,
  DE: 8,
  PSE: 0x10,
  PAE: 0x20,
  MCE: 0x40,
  PGE: 0x80,
  PCE: 0x100,
  OSFXSR: 0x200,
  OSXMMEXCPT: 0x400,
  VMXE: 0x2000,
} as const

export const Efer = { SCE: 1, LME: 0x100, LMA: 0x400, NXE: 0x800 } as const

/** DR6. `B` is the mask of B0–B3. `fixed` reads as ones. */
export const Dr6 = { B: 0xf, BD: 0x2000, BS: 0x4000, BT: 0x8000, fixed: -0xf010 } as const

/** DR7. `enables` are L0–L3 and G0–G3, `local` L0–L3 and LE. `writable` can be set, `fixed` reads as one. */
export const Dr7 = { enables: 0xff, local: 0x155, GD: 0x2000, writable: -0xdc01, fixed: 0x400 } as const

/** DEBUGCTL of the P6 family. `BTF`: single-stepping stops at branches only. `mask` can be set. */
export const Debugctl = { BTF: 2, mask: 0x7f } as const
