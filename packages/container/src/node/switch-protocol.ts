/// <reference types="node" />
/**
 * What passes between a switch and those who are plugged in, over a local socket: units of a length (32 bits, big-endian), a kind (8 bits)
 * and so many bytes. Most are Ethernet frames. Whoever is plugged in says who it is first, and sends frames alone behind that; the
 * switch says what it is given, and who else is there.
 */
import { VmexitError } from '@vmexit/core'
import type { ContainerErrorCode } from '../errors.ts'

/** Kinds of units. */
export const Unit = { frame: 1, message: 2 } as const

/** Who is on a network. */
export interface SwitchMember {
  readonly name: string
  readonly aliases: readonly string[]
  /** `10.88.1.2`. */
  readonly address: string
}

/** The first message to a switch: to be plugged in, or to be told of who is. */
export type Hello =
  | { readonly join: { readonly name: string; readonly aliases: readonly string[]; readonly address?: string } }
  | { readonly inspect: true }

/** A message of a switch. */
export type FromSwitch =
  | { readonly welcome: { readonly address: string; readonly subnet: string } }
  | { readonly members: readonly SwitchMember[]; readonly subnet: string }
  | { readonly joined: SwitchMember }
  | { readonly left: string }
  | { readonly refused: { readonly problem: string; readonly remedy: string } }

/** Bytes before a unit's. */
const HEADER = 5
/** An Ethernet frame of the largest packet, and a message with all members of a large network. */
const LARGEST: Readonly<Record<number, number>> = { [Unit.frame]: 65_535 + 18, [Unit.message]: 1 << 20 }
/** What a switch takes as a message. */
export const LARGEST_HELLO = 16_384

/** A unit as it is sent. */
export function unit(kind: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER + payload.length)
  new DataView(bytes.buffer).setUint32(0, payload.length)
  bytes[4] = kind
  bytes.set(payload, HEADER)
  return bytes
}

/** A message as it is sent. */
export function messageUnit(message: Hello | FromSwitch): Uint8Array {
  return unit(Unit.message, new TextEncoder().encode(JSON.stringify(message)))
}

/** The message in a unit. @throws VmexitError `container-switch`. */
export function readMessage(payload: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const message: unknown = JSON.parse(new TextDecoder().decode(payload))
    if (typeof message === 'object' && message !== null) return message as Readonly<Record<string, unknown>>
  } catch {
    // Told below.
  }
  throw garbage('a message is no object')
}

/** Takes bytes apart as they come; holds no more than one unit that is not whole. */
export class UnitReader {
  readonly #largest: Readonly<Record<number, number>>
  #held: Uint8Array = new Uint8Array(0)

  /** `largestMessage`: what the peer may say at once. */
  constructor(largestMessage: number = LARGEST[Unit.message]!) {
    this.#largest = { ...LARGEST, [Unit.message]: largestMessage }
  }

  /** The units that are whole now. Their bytes are those of `bytes`, or their own. @throws VmexitError `container-switch`. */
  *read(bytes: Uint8Array): Generator<{ readonly kind: number; readonly payload: Uint8Array }> {
    // Not a Buffer, whose slices are no copies.
    let all = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
    if (this.#held.length > 0) {
      all = new Uint8Array(this.#held.length + bytes.length)
      all.set(this.#held)
      all.set(bytes, this.#held.length)
    }
    const view = new DataView(all.buffer, all.byteOffset, all.length)
    let at = 0
    while (all.length - at >= HEADER) {
      const length = view.getUint32(at)
      const kind = all[at + 4]!
      const largest = this.#largest[kind]
      if (largest === undefined) throw garbage(`there is no kind ${kind}`)
      if (length > largest) throw garbage(`${length} bytes are too many`)
      const end = at + HEADER + length
      if (all.length < end) break
      const payload = all.subarray(at + HEADER, end)
      at = end
      yield { kind, payload }
    }
    this.#held = all.slice(at)
  }
}

function garbage(problem: string): VmexitError<ContainerErrorCode> {
  return new VmexitError<ContainerErrorCode>('container-switch', {
    problem: `${problem} on the socket of a switch`,
    remedy: 'use the same version on both ends',
  })
}
