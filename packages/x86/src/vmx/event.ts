/** Events as VMX writes them down: interruption-information fields (SDM vol. 3C, 24.8.3, 24.9.2, 24.9.3). */

/** Parts of an interruption-information field. Bits 7:0 are the vector, bits 10:8 the {@link EventType}. */
export const EventInfo = { vector: 0xff, typeShift: 8, typeMask: 7, errorCode: 0x800, valid: -0x8000_0000 } as const

/** What kind of event it is, and so how it is delivered. */
export const EventType = {
  externalInterrupt: 0,
  nmi: 2,
  hardwareException: 3,
  softwareInterrupt: 4,
  /** INT1. */
  privilegedSoftwareException: 5,
  /** INT3 and INTO. */
  softwareException: 6,
  /** With vector 0: a pending exit of the monitor trap flag. */
  other: 7,
} as const

/** The type of a field that is valid; −1 for one that is not: no event. */
export function eventType(info: number): number {
  return info < 0 ? (info >> EventInfo.typeShift) & EventInfo.typeMask : -1
}
