/// <reference types="node" />
/**
 * A container's place at a switch of another process. What it sends while the switch takes nothing is kept up to a bound, and then lost,
 * as of a card whose queue is full; what it does not take is left with the switch. A switch that ends may come back.
 */
import { type Ipv4, parseIpv4 } from '@vmexit/net'
import { NetworkNames } from '../network-names.ts'
import type { Uplink } from '../network-uplink.ts'
import { SwitchConnection } from './switch-connection.ts'
import { type Hello, type SwitchMember, Unit, unit } from './switch-protocol.ts'

/** How one is plugged in. */
export interface SwitchJoin {
  /** The switch's socket. */
  readonly path: string
  readonly name: string
  readonly aliases?: readonly string[]
  /** The next one that is free unless stated. */
  readonly address?: string
  /** Brings the switch back when it has gone; it rejects where there is no use in trying again. Nothing is tried unless stated. */
  readonly again?: () => Promise<void>
  /** The switch has gone, and has not come back: others are not reached any more. */
  readonly onGone?: () => void
}

/** Bytes that wait for the switch. */
const QUEUE = 4 << 20
/** Milliseconds after which a kernel that had no room is asked again. */
const RETRY = 1
/** How often a switch that has gone is tried, and milliseconds before the first and between two times. */
const MOST_TRIES = 150
const BETWEEN = 200

/**
 * Plugs a container in. @throws VmexitError `container-switch-gone` where there is no switch, or it ends at that moment; `container-switch`
 * for what it refuses, or if it does not answer.
 */
export async function joinSwitch(join: SwitchJoin): Promise<SwitchUplink> {
  const uplink = new SwitchUplink(join)
  await uplink.connect()
  return uplink
}

/** Who is plugged in at a switch. @throws VmexitError as {@link joinSwitch}. */
export async function inspectSwitch(path: string): Promise<{ readonly members: readonly SwitchMember[] }> {
  const nothing = { frame: () => {}, message: () => {}, came: () => {}, closed: () => {} }
  const { connection, answer } = await SwitchConnection.open(path, { inspect: true }, nothing)
  await connection.close()
  return { members: 'members' in answer ? answer.members : [] }
}

/** A place at a switch. */
export class SwitchUplink implements Uplink {
  /** What it was given. */
  address = ''
  subnet = ''
  readonly #join: SwitchJoin
  #names = new NetworkNames()
  #connection: SwitchConnection | undefined
  #receive: ((frame: Uint8Array) => boolean) | undefined
  /** Units for the switch, which go together. */
  #leaving: Uint8Array[] = []
  #leavingBytes = 0
  /** Frames that the kernel has had no room for. */
  #coming: Uint8Array[] = []
  #retry: ReturnType<typeof setTimeout> | undefined
  #isOver = false

  /** @internal Use {@link joinSwitch}. */
  constructor(join: SwitchJoin) {
    this.#join = join
    this.address = join.address ?? ''
  }

  /** @internal Plugs it in, at the address that it has had. */
  async connect(): Promise<void> {
    const { path, name, aliases = [] } = this.#join
    const hello: Hello = { join: { name, aliases, ...(this.address !== '' && { address: this.address }) } }
    this.#names = new NetworkNames()
    let opened: SwitchConnection | undefined
    const { connection, answer } = await SwitchConnection.open(path, hello, {
      frame: (frame) => this.#coming.push(frame),
      message: ({ joined, left }) => this.#told(joined, left),
      came: () => this.#deliver(),
      closed: () => {
        if (opened !== undefined && opened === this.#connection) void this.#gone()
      },
    })
    opened = this.#connection = connection
    if ('welcome' in answer) {
      this.address = answer.welcome.address
      this.subnet = answer.welcome.subnet
    }
    if (this.#isOver) await connection.close()
    else if (!connection.isOpen) void this.#gone()
  }

  send(frame: Uint8Array): void {
    const connection = this.#connection
    if (connection === undefined || this.#leavingBytes + connection.waiting + frame.length > QUEUE) return
    this.#leaving.push(unit(Unit.frame, frame))
    this.#leavingBytes += frame.length
    // Together with all that a kernel sends in one turn.
    if (this.#leaving.length === 1) setImmediate(() => this.#flush())
  }

  attach(receive: (frame: Uint8Array) => boolean): void {
    this.#receive = receive
  }

  lookup(name: string): readonly Ipv4[] {
    return this.#names.lookup(name)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isOver) return
    this.#isOver = true
    this.#flush()
    clearTimeout(this.#retry)
    const connection = this.#connection
    this.#connection = undefined
    await connection?.close()
  }

  #flush(): void {
    const leaving = this.#leaving
    this.#leaving = []
    this.#leavingBytes = 0
    if (leaving.length > 0) this.#connection?.write(Buffer.concat(leaving))
  }

  readonly #deliver = (): void => {
    clearTimeout(this.#retry)
    let at = 0
    while (at < this.#coming.length && this.#receive?.(this.#coming[at]!) !== false) at++
    this.#coming = at === this.#coming.length ? [] : this.#coming.slice(at)
    if (this.#coming.length === 0) {
      this.#connection?.resume()
      return
    }
    this.#connection?.pause()
    this.#retry = setTimeout(this.#deliver, RETRY)
  }

  #told(joined: unknown, left: unknown): void {
    if (typeof left === 'string') this.#names.remove(parseIpv4(left) ?? 0)
    if (typeof joined !== 'object' || joined === null) return
    const { address, name, aliases } = joined as SwitchMember
    this.#names.add(parseIpv4(address) ?? 0, [name, ...aliases])
  }

  /** It may come back. */
  async #gone(): Promise<void> {
    this.#connection = undefined
    this.#coming = []
    this.#names = new NetworkNames()
    const { again, onGone } = this.#join
    for (let tries = 0; again !== undefined && tries < MOST_TRIES && !this.#isOver; tries++) {
      await new Promise<void>((done) => setTimeout(done, BETWEEN))
      if (this.#isOver) return
      try {
        await again()
      } catch {
        break
      }
      try {
        await this.connect()
        return
      } catch {
        // Again.
      }
    }
    if (!this.#isOver) onGone?.()
  }
}
