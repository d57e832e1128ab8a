/**
 * Events as a VMCS has them (SDM vol. 3C, 24.8.3, 24.9.2, 24.9.3): the vector in bits 7:0, the type in 10:8, whether there is an error
 * code in 11, and in 31 whether any of it counts.
 */
import { Vector } from '../state/layout.ts'
import type { CpuEvent } from '../system/exceptions.ts'

/** Types of events. */
export const EventType = {
  external: 0,
  nmi: 2,
  hardware: 3,
  /** INT n. */
  software: 4,
  /** INT1. */
  privilegedSoftware: 5,
  /** INT3 and INTO. */
  softwareException: 6,
  /** VM entry only: an exit under the monitor trap flag is pending. */
  other: 7,
} as const

export const VALID: number = 1 << 31
const ERROR_CODE = 1 << 11

/** The type of an event. */
function typeOf(event: CpuEvent): number {
  switch (event.source) {
    case 'external':
      return EventType.external
    case 'nmi':
      return EventType.nmi
    case 'software':
      return event.isException ? EventType.softwareException : EventType.software
    case 'int1':
      return EventType.privilegedSoftware
    default:
      return EventType.hardware
  }
}

/** An event as interruption information. The error code goes into a field of its own. */
export function describeEvent(event: CpuEvent): number {
  const errorCode = event.source === 'fault' && event.errorCode !== undefined ? ERROR_CODE : 0
  return VALID | errorCode | (typeOf(event) << 8) | event.vector
}

/** The event that VM entry is to deliver; `address` is what CR2 holds, which delivery leaves as it is. */
export function eventToInject(information: number, errorCode: number, address: number): CpuEvent {
  const vector = information & 0xff
  switch ((information >> 8) & 7) {
    case EventType.external:
      return { vector, source: 'external', injected: true }
    case EventType.nmi:
      return { vector: Vector.NMI, source: 'nmi', injected: true }
    case EventType.software:
      return { vector, source: 'software', injected: true }
    case EventType.softwareException:
      return { vector, source: 'software', isException: true, injected: true }
    case EventType.privilegedSoftware:
      return { vector, source: 'int1', injected: true }
    default: {
      const pushed = (information & ERROR_CODE) !== 0 ? errorCode : undefined
      return { vector, source: 'fault', errorCode: pushed, address, injected: true }
    }
  }
}

/** Do the instruction's bytes lie before the address that an injected event pushes? */
export function pushesNextIp(information: number): boolean {
  const type = (information >> 8) & 7
  return type >= EventType.software && type <= EventType.softwareException
}
