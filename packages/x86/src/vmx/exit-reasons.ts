/** Basic exit reasons (SDM vol. 3D, appendix C). */
export const ExitReason = {
  exceptionOrNmi: 0,
  externalInterrupt: 1,
  tripleFault: 2,
  init: 3,
  sipi: 4,
  interruptWindow: 7,
  nmiWindow: 8,
  taskSwitch: 9,
  cpuid: 10,
  getsec: 11,
  hlt: 12,
  invd: 13,
  invlpg: 14,
  rdpmc: 15,
  rdtsc: 16,
  rsm: 17,
  vmcall: 18,
  vmclear: 19,
  vmlaunch: 20,
  vmptrld: 21,
  vmptrst: 22,
  vmread: 23,
  vmresume: 24,
  vmwrite: 25,
  vmxoff: 26,
  vmxon: 27,
  crAccess: 28,
  drAccess: 29,
  io: 30,
  rdmsr: 31,
  wrmsr: 32,
  invalidGuestState: 33,
  msrLoading: 34,
  mwait: 36,
  monitorTrapFlag: 37,
  monitor: 39,
  pause: 40,
  gdtrOrIdtr: 46,
  ldtrOrTr: 47,
  eptViolation: 48,
  eptMisconfiguration: 49,
  invept: 50,
  preemptionTimer: 52,
  invvpid: 53,
  wbinvd: 54,
} as const

/** The name of a basic exit reason. */
export type ExitReasonName = keyof typeof ExitReason

const NAMES: readonly (ExitReasonName | undefined)[] = Array.from({ length: 76 }, (_, reason) =>
  (Object.keys(ExitReason) as ExitReasonName[]).find((name) => ExitReason[name] === reason),
)

/** How many numbers there are: counts by reason are arrays of so many. */
export const EXIT_REASONS: number = NAMES.length

/** The name of a number; undefined for those that this CPU never gives. */
export function exitReasonName(reason: number): ExitReasonName | undefined {
  return NAMES[reason]
}
