/** VM-instruction errors: what the field of that name holds after VMfailValid (SDM vol. 3C, 30.4). */
export const InstructionError = {
  vmcallInRoot: 1,
  clearOfInvalidAddress: 2,
  clearOfVmxonRegion: 3,
  launchOfLaunched: 4,
  resumeOfClear: 5,
  invalidControls: 7,
  invalidHostState: 8,
  loadOfInvalidAddress: 9,
  loadOfVmxonRegion: 10,
  loadOfOtherRevision: 11,
  unknownField: 12,
  writeOfReadOnlyField: 13,
  vmxonInRoot: 15,
  eventsBlockedByMovSs: 26,
  invalidInvalidation: 28,
} as const
