/** Who has which port of a protocol: the rules of bind(2) with SO_REUSEADDR and SO_REUSEPORT, as Linux has them. */
import { Errno } from './errno.ts'
import { anyAddress, type Ipv4 } from './ip/address.ts'
import type { NetDevice } from './link/device.ts'
import { mix } from './random.ts'

/** Linux's `net.ipv4.ip_local_port_range`. */
const first = 32768
const count = 60999 - first + 1

/** A port that somebody has. */
export interface Binding {
  readonly address: Ipv4
  readonly port: number
  readonly device: NetDevice | undefined
  readonly reuseAddress: boolean
  readonly reusePort: boolean
  listening: boolean
  /** Whether it was chosen for one connection: others to other places may have it, too. */
  readonly ephemeral: boolean
}

/** The ports of one protocol in one stack. */
export class Ports {
  readonly #bindings = new Map<number, Set<Binding>>()
  readonly #secret: number
  #chosen = 0

  constructor(secret: number) {
    this.#secret = secret
  }

  /** 0 or −EADDRINUSE. */
  bind(binding: Binding): number {
    const held = this.#bindings.get(binding.port)
    if (held === undefined) this.#bindings.set(binding.port, new Set([binding]))
    else {
      for (const other of held) if (conflicts(binding, other)) return -Errno.EADDRINUSE
      held.add(binding)
    }
    return 0
  }

  /** Holds a port beside those who have it: for a connection that a listener accepted, or an ephemeral one. */
  hold(binding: Binding): void {
    const held = this.#bindings.get(binding.port)
    if (held === undefined) this.#bindings.set(binding.port, new Set([binding]))
    else held.add(binding)
  }

  /** 0, or −EADDRINUSE where another listens there. */
  listen(binding: Binding): number {
    for (const other of this.#bindings.get(binding.port) ?? []) {
      if (other !== binding && other.listening && overlap(binding, other) && !bothShare(binding, other)) {
        return -Errno.EADDRINUSE
      }
    }
    binding.listening = true
    return 0
  }

  release(binding: Binding): void {
    const held = this.#bindings.get(binding.port)
    if (held?.delete(binding) && held.size === 0) this.#bindings.delete(binding.port)
  }

  /**
   * A port nobody has, or undefined. Where it begins to look follows from the seed and from `purpose`, so that who sees
   * some does not know the next (RFC 6056, section 3.3.4); `isTaken` says no to further ones.
   */
  choose(purpose: number, isTaken: (port: number) => boolean = (port) => this.#bindings.has(port)): number | undefined {
    const offset = mix(this.#secret, purpose)
    for (let tried = 0; tried < count; tried++) {
      const port = first + ((offset + this.#chosen++) % count)
      if (!isTaken(port)) return port
    }
    return undefined
  }

  /** Whether somebody has bound a port, other than for one connection. */
  isBound(port: number): boolean {
    for (const { ephemeral } of this.#bindings.get(port) ?? []) if (!ephemeral) return true
    return false
  }
}

function conflicts(one: Binding, other: Binding): boolean {
  if (!overlap(one, other) || bothShare(one, other)) return false
  return !(one.reuseAddress && other.reuseAddress && !one.listening && !other.listening)
}

function overlap(one: Binding, other: Binding): boolean {
  if (one.device !== undefined && other.device !== undefined && one.device !== other.device) return false
  return one.address === other.address || one.address === anyAddress || other.address === anyAddress
}

function bothShare(one: Binding, other: Binding): boolean {
  return one.reusePort && other.reusePort
}
