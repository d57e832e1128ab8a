/**
 * Where the state of one CPU lies in host memory: byte offsets from the CPU's base.
 * Generated code addresses these with the base as a parameter; TypeScript reads them through {@link CpuState}.
 * Every slot is 8-byte aligned unless its line says otherwise.
 */
export const Layout = {
  /** 16 general-purpose registers of 8 bytes; in 32-bit modes the low half counts. */
  gpr: 0x000,
  /** Always zero: the base or index that an address does not have. */
  zero: 0x080,
  /** Instruction pointer (offset in CS). */
  ip: 0x088,
  /**
   * The six status flags, kept lazily and without a kind, each slot sign-extended from the operand's size:
   * ZF = FR == 0, SF = (FR ^ FX) < 0, PF = even parity of the low byte of FR ^ FX,
   * CF = CA <u CB, OF = ((X ^ S) & (Y ^ S)) < 0, AF = (X ^ Y ^ S) & 16, where X + Y = S.
   */
  FR: 0x090,
  FX: 0x098,
  X: 0x0a0,
  Y: 0x0a8,
  S: 0x0b0,
  CA: 0x0b8,
  CB: 0x0c0,
  /** EFLAGS without CF, PF, AF, ZF, SF, OF (those bits are 0 here): int32. */
  flags: 0x0c8,
  /** Instructions that may still retire in this run: int32. */
  budget: 0x0cc,
  /** What generated code reports when it leaves: see `Leave` (int32). */
  leave: 0x0d0,
  /** Record at which generated code left (int32, host address). */
  record: 0x0d4,
  /** Interned mode of execution that translations are keyed by (int32). */
  mode: 0x0d8,
  /** Low bits of every valid tag of the engine's TLBs: `TlbKey` (int32). */
  tlbKey: 0x0dc,
  /** Non-zero when an x87 or MMX instruction must take the slow way: CR0.EM or CR0.TS (int32). */
  fpuBlocked: 0x0e0,
  /** Non-zero when an SSE instruction must take the slow way: CR0.EM, CR0.TS or CR4.OSFXSR clear (int32). */
  sseBlocked: 0x0e4,
  /** Vector and error code of the fault that generated code raises (int32 each). */
  vector: 0x0e8,
  errorCode: 0x0ec,
  /** Non-zero when an access above alignment must be checked: CPL 3, CR0.AM and EFLAGS.AC (int32). */
  alignmentCheck: 0x0f0,
  /** Host address that TypeScript has found for generated code (int32). */
  reached: 0x0f4,
  /** Bounce buffer for accesses that are not plain RAM. */
  scratch: 0x0f8,
  /** Segment registers ES CS SS DS FS GS LDTR TR, {@link SegmentSlot} each. */
  segments: 0x140,
  cr0: 0x2c0,
  cr2: 0x2c8,
  cr3: 0x2d0,
  cr4: 0x2d8,
  cr8: 0x2e0,
  efer: 0x2e8,
  /** DR0–DR7, 8 bytes each. */
  dr: 0x2f0,
  gdtBase: 0x330,
  gdtLimit: 0x338,
  idtBase: 0x340,
  idtLimit: 0x348,
  /** x87 physical registers R0–R7, 16 bytes each: significand (8), sign and exponent (2). MM0–MM7 are the significands. */
  fpr: 0x380,
  /** x87 control word (int32). */
  fcw: 0x400,
  /** x87 status word without TOP (bits 11–13 are 0 here): int32. */
  fsw: 0x404,
  /** TOP, 0–7 (int32). */
  top: 0x408,
  /** Bit i set: physical register Ri is empty (int32). */
  empty: 0x40c,
  /** Last x87 instruction: opcode (11 bits), CS selector, DS selector (int32 each); instruction and operand offset (8 bytes each). */
  fop: 0x410,
  fcs: 0x414,
  fds: 0x418,
  mxcsr: 0x41c,
  fip: 0x420,
  fdp: 0x428,
  /** 16 XMM registers of 16 bytes. */
  xmm: 0x440,
  /** 1 when an interrupt or NMI waits, whether or not it would be taken now; else 0 (int32). True while generated code runs. */
  attention: 0x540,
  /** The time stamp counter as it will be when the budget is used up (8 bytes). True while generated code runs. */
  stamp: 0x548,
  /** The MSRs SYSENTER_CS, SYSENTER_ESP and SYSENTER_EIP (int32 each). True while generated code runs. */
  sysenterCs: 0x550,
  sysenterEsp: 0x554,
  sysenterEip: 0x558,
  /** Flags that are not in the slots yet, as translations hold them: kind and values a, b, c (int32 each). See `held-flags.ts`. */
  heldFlags: 0x560,
  /** NMIs are held off until the next IRET (int32). True while generated code runs. */
  nmiBlocked: 0x580,
  /**
   * While the interpreter runs for a translation: the offset at which it ends, when a return or jump leads there; otherwise
   * −1 (8 bytes).
   */
  comeback: 0x588,
  /** Calls of the guest that translations may still nest (int32). */
  nesting: 0x590,
  /**
   * What leaves a guest though generated code could do it (int32): bit 0 RDTSC, bit 1 reads of control registers. 0 outside of VMX
   * non-root operation.
   */
  intercepts: 0x594,
  /**
   * The page that the stack was last found in: its linear address (8 bytes), or what no page begins at, and its host address (int32).
   * See `stack-page.ts`.
   */
  stackPage: 0x598,
  stackHost: 0x5a0,
  /** Total size of one CPU's state. */
  size: 0x1000,
} as const

/** One segment register: the selector and its descriptor cache (SDM vol. 3A, 3.4.3). */
export const SegmentSlot = {
  /** Base, 8 bytes (64-bit capable). */
  base: 0,
  /** Effective limit in bytes (granularity applied), unsigned 32-bit. */
  limit: 8,
  /** Visible selector, 16 bits. */
  selector: 12,
  /** Descriptor bytes 5 and 6 as the processor holds them: type(0–3) S(4) DPL(5–6) P(7) AVL(8) L(9) D/B(10) G(11); 0 with P clear for a null selector. */
  attributes: 16,
  /**
   * Bounds for inline checks: an access of up to 16 bytes at `offset` is in order when
   * (offset − low) <u readSpan (or writeSpan). Conservative: 0 sends the access the exact, slow way.
   */
  low: 20,
  readSpan: 24,
  writeSpan: 28,
  size: 32,
} as const

/** Indices of the segment slots beyond the six of `Seg`. */
export const LDTR = 6
/** The segment slot of the task register. */
export const TR = 7

/** EFLAGS bits (SDM vol. 1, 3.4.3). */
export const Flag = {
  CF: 1,
  PF: 4,
  AF: 0x10,
  ZF: 0x40,
  SF: 0x80,
  TF: 0x100,
  IF: 0x200,
  DF: 0x400,
  OF: 0x800,
  IOPL: 0x3000,
  NT: 0x4000,
  RF: 0x10000,
  VM: 0x20000,
  AC: 0x40000,
  VIF: 0x80000,
  VIP: 0x100000,
  ID: 0x200000,
} as const
/** CF, PF, AF, ZF, SF and OF. */
export const STATUS_FLAGS = 0x8d5

/** Exception vectors (SDM vol. 3A, 6.3.1). */
export const Vector = {
  DE: 0,
  DB: 1,
  NMI: 2,
  BP: 3,
  OF: 4,
  BR: 5,
  UD: 6,
  NM: 7,
  DF: 8,
  TS: 10,
  NP: 11,
  SS: 12,
  GP: 13,
  PF: 14,
  MF: 16,
  AC: 17,
  MC: 18,
  XM: 19,
} as const

/** Why generated code came back ({@link Layout.leave}). */
export const Leave = {
  /** Fewer instructions are left in the budget than the next run of code has. */
  budget: 1,
  /** The budget ended between two iterations of a REP instruction. */
  repeat: 2,
  /** The instruction is to be executed the slow way: nothing of it has happened. */
  slow: 3,
  /** No translation is known for what comes next. */
  miss: 4,
  /** An instruction was executed by its action, and the CPU's loop is to look before the next one. */
  event: 5,
  /** A head has been executed often enough to be translated. */
  hot: 6,
  /** Control has come back to where a translation waits for it: {@link Layout.comeback}. */
  back: 7,
} as const
