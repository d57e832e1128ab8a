/**
 * Events as a VMCS has them (SDM vol. 3C, 24.8.3, 24.9.2, 24.9.3): the vector in bits 7:0, the type in 10:8, whether there is an error
 * code in 11, and in 31 whether any of it counts.
 */
import { Vector } from '../state/layout.ts'
import type { CpuEvent } from '../system/event.ts'
import { EventInfo, EventType } from './event.ts'

const { valid: VALID, errorCode: ERROR_CODE } = EventInfo

/** The type of an event. */
function typeOf(event: CpuEvent): number {
  switch (event.source) {
    case 'external':
      return EventType.externalInterrupt
    case 'nmi':
      return EventType.nmi
    case 'software':
      return event.isException ? EventType.softwareException : EventType.softwareInterrupt
    case 'int1':
      return EventType.privilegedSoftwareException
    default:
      return EventType.hardwareException
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
    case EventType.externalInterrupt:
      return { vector, source: 'external', injected: true }
    case EventType.nmi:
      return { vector: Vector.NMI, source: 'nmi', injected: true }
    case EventType.softwareInterrupt:
      return { vector, source: 'software', injected: true }
    case EventType.softwareException:
      return { vector, source: 'software', isException: true, injected: true }
    case EventType.privilegedSoftwareException:
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
  return type >= EventType.softwareInterrupt && type <= EventType.softwareException
}
