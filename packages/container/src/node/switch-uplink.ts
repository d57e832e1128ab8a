/// <reference types="node" />
/**
 * A container's place at a switch of another process. What it sends while the switch takes nothing is kept up to a bound, and then lost,
 * as of a card whose queue is full; what it does not take is left with the switch.
 */
import { createConnection, type Socket } from 'node:net'
import { isVmexitError, VmexitError } from '@vmexit/core'
import { type Ipv4, parseIpv4 } from '@vmexit/net'
import { NetworkNames } from '../network-names.ts'
import type { Uplink } from '../network-uplink.ts'
import { messageUnit, readMessage, type SwitchMember, Unit, UnitReader, unit } from './switch-protocol.ts'

/** How one is plugged in. */
export interface SwitchJoin {
  /** The switch's socket. */
  readonly path: string
  readonly name: string
  readonly aliases?: readonly string[]
  /** The next one that is free unless stated. */
  readonly address?: string
  /** The switch has gone: others are not reached any more. */
  readonly onGone?: () => void
}

/** Bytes that wait for the switch. */
const QUEUE = 4 << 20
/** Milliseconds after which a kernel that had no room is asked again. */
const AGAIN = 1
/** Milliseconds in which a switch answers, if it can. */
const PATIENCE = 5000

/**
 * Plugs a container in. @throws VmexitError `container-switch-gone` where there is no switch, or it ends at that moment; `container-switch`
 * for what it refuses.
 */
export async function joinSwitch(join: SwitchJoin): Promise<SwitchUplink> {
  const { name, aliases = [], address } = join
  const uplink = new SwitchUplink(join)
  await uplink.begin({ join: { name, aliases, ...(address !== undefined && { address }) } })
  return uplink
}

/** Who is plugged in at a switch. @throws VmexitError as {@link joinSwitch}. */
export async function inspectSwitch(path: string): Promise<{ readonly members: readonly SwitchMember[] }> {
  const uplink = new SwitchUplink({ path, name: '' })
  try {
    const { members } = await uplink.begin({ inspect: true })
    return { members: members as readonly SwitchMember[] }
  } finally {
    await uplink[Symbol.asyncDispose]()
  }
}

/** A place at a switch. */
export class SwitchUplink implements Uplink {
  /** What it was given. */
  address = ''
  subnet = ''
  readonly #join: SwitchJoin
  readonly #socket: Socket
  readonly #reader = new UnitReader()
  readonly #names = new NetworkNames()
  #receive: ((frame: Uint8Array) => boolean) | undefined
  /** Units for the switch, which go together. */
  #leaving: Uint8Array[] = []
  #leavingBytes = 0
  /** Frames that the kernel has had no room for. */
  #coming: Uint8Array[] = []
  #again: ReturnType<typeof setTimeout> | undefined
  #answer: ((answer: Readonly<Record<string, unknown>> | VmexitError) => void) | undefined
  #isOver = false

  /** @internal Use {@link joinSwitch}. */
  constructor(join: SwitchJoin) {
    this.#join = join
    this.#socket = createConnection(join.path)
    this.#socket.on('data', (bytes) => this.#take(bytes))
    this.#socket.on('error', () => this.#socket.destroy())
    this.#socket.on('close', () => this.#closed())
  }

  /** @internal Says who it is, and answers what is answered. */
  async begin(hello: Parameters<typeof messageUnit>[0]): Promise<Readonly<Record<string, unknown>>> {
    let late: ReturnType<typeof setTimeout> | undefined
    const answer = await new Promise<Readonly<Record<string, unknown>> | VmexitError>((done) => {
      this.#answer = done
      late = setTimeout(() => done(gone(this.#join.path, 'does not answer')), PATIENCE)
      this.#socket.write(messageUnit(hello))
    })
    clearTimeout(late)
    this.#answer = undefined
    if (!(answer instanceof VmexitError)) return answer
    this.#isOver = true
    this.#socket.destroy()
    throw answer
  }

  send(frame: Uint8Array): void {
    if (this.#isOver || this.#leavingBytes + this.#socket.writableLength + frame.length > QUEUE) return
    this.#leaving.push(unit(Unit.frame, frame))
    this.#leavingBytes += frame.length
    if (this.#leaving.length > 1) return
    // Together with all that a kernel sends in one turn.
    setImmediate(() => {
      const leaving = this.#leaving
      this.#leaving = []
      this.#leavingBytes = 0
      if (!this.#isOver) this.#socket.write(Buffer.concat(leaving))
    })
  }

  attach(receive: (frame: Uint8Array) => boolean): void {
    this.#receive = receive
  }

  lookup(name: string): readonly Ipv4[] {
    return this.#names.lookup(name)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isOver) return
    const closed = new Promise<void>((done) => this.#socket.once('close', () => done()))
    // What has been sent arrives.
    await new Promise<void>((done) => setImmediate(done))
    this.#isOver = true
    clearTimeout(this.#again)
    this.#socket.resume()
    this.#socket.destroySoon()
    await closed
  }

  #take(bytes: Uint8Array): void {
    try {
      for (const { kind, payload } of this.#reader.read(bytes)) {
        // Frames are kept while they are under way, and must not hold all that came with them.
        if (kind === Unit.frame) this.#coming.push(payload.slice())
        else this.#said(readMessage(payload))
      }
    } catch (error) {
      this.#answer?.(isVmexitError(error) && error instanceof VmexitError ? error : gone(this.#join.path, `${error}`))
      this.#socket.destroy()
      return
    }
    this.#deliver()
  }

  readonly #deliver = (): void => {
    let at = 0
    while (at < this.#coming.length && this.#receive?.(this.#coming[at]!) !== false) at++
    this.#coming = at === this.#coming.length ? [] : this.#coming.slice(at)
    if (this.#coming.length === 0) {
      this.#socket.resume()
      return
    }
    this.#socket.pause()
    this.#again = setTimeout(this.#deliver, AGAIN)
  }

  #said(message: Readonly<Record<string, unknown>>): void {
    const { welcome, joined, left, refused, members } = message as {
      readonly [key: string]: unknown
      readonly welcome?: { readonly address: string; readonly subnet: string }
      readonly joined?: SwitchMember
      readonly left?: string
      readonly refused?: { readonly problem: string; readonly remedy: string }
    }
    if (welcome !== undefined) {
      this.address = welcome.address
      this.subnet = welcome.subnet
      this.#answer?.(message)
    } else if (joined !== undefined) this.#names.add(parseIpv4(joined.address) ?? 0, [joined.name, ...joined.aliases])
    else if (left !== undefined) this.#names.remove(parseIpv4(left) ?? 0)
    else if (members !== undefined) this.#answer?.(message)
    else if (refused !== undefined) this.#answer?.(new VmexitError('container-switch', refused))
  }

  #closed(): void {
    this.#answer?.(gone(this.#join.path, 'is not there'))
    if (this.#isOver) return
    this.#isOver = true
    clearTimeout(this.#again)
    if (this.address !== '') this.#join.onGone?.()
  }
}

function gone(path: string, problem: string): VmexitError {
  return new VmexitError('container-switch-gone', {
    problem: `the switch at ${path} ${problem}`,
    remedy: 'see whether its process runs, and try again',
  })
}
