/// <reference types="node" />
/**
 * A switch at which kernels of several host processes meet. It gives each container an address, lets in what is sent from there alone,
 * and tells the others its names. Whoever stalls loses frames, whoever sends garbage is unplugged, and nobody else notices either.
 */
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { isVmexitError } from '@vmexit/core'
import { etherHeader, formatIpv4, getMac, type Ipv4, isGroupMac, type Mac, sourceGuard } from '@vmexit/net'
import { containerError } from '../errors.ts'
import { macOf, NetworkAddresses } from '../network-addresses.ts'
import { checkNames, isName } from '../network-names.ts'
import { FairQueue } from './fair-queue.ts'
import {
  type FromSwitch,
  LARGEST_HELLO,
  messageUnit,
  readMessage,
  type SwitchMember,
  Unit,
  UnitReader,
  unit,
} from './switch-protocol.ts'

/** What a switch is made with. */
export interface SwitchOptions {
  /** Of its socket; on Windows, of a named pipe. */
  readonly path: string
  /** Its addresses: `10.88.1.0/24`. */
  readonly subnet: string
}

/** What has passed, and what has not. */
export interface SwitchCounts {
  readonly members: number
  readonly frames: number
  readonly bytes: number
  /** Frames that a port did not let in: from somebody else than whoever it is given to. */
  readonly refused: number
  /** Frames for which there was no room. */
  readonly dropped: number
}

/** Bytes that wait for one port. */
const QUEUE = 2 << 20
/** Bytes that are given to a socket at once. */
const BATCH = 65_536
/** Those who are plugged in, and those who have not yet said who they are. */
const MOST_MEMBERS = 1024
const MOST_STRANGERS = 64
/** Milliseconds in which whoever connects has to say who it is. */
const PATIENCE = 5000

/** Opens a switch; it listens when it answers. @throws VmexitError `container-options`. */
export async function openSwitch(options: SwitchOptions): Promise<Switch> {
  const server = createServer({ pauseOnConnect: false })
  const opened = new Switch(options, server)
  server.listen(options.path)
  await once(server, 'listening')
  return opened
}

/** A switch. Disposing of it unplugs all, and removes its socket. */
export class Switch implements AsyncDisposable {
  /** Told when the last one has been unplugged. */
  onEmpty: (() => void) | undefined
  readonly #server: Server
  readonly #addresses: NetworkAddresses
  readonly #ports = new Map<Mac, SwitchPort>()
  readonly #strangers = new Set<SwitchPort>()
  readonly #counts = { frames: 0, bytes: 0, refused: 0, dropped: 0 }

  /** @internal Use {@link openSwitch}. */
  constructor({ subnet }: SwitchOptions, server: Server) {
    this.#addresses = new NetworkAddresses(subnet)
    this.#server = server
    server.on('connection', (socket) => this.#connected(socket))
  }

  get subnet(): string {
    return this.#addresses.subnet
  }
  get members(): readonly SwitchMember[] {
    return [...this.#ports.values()].flatMap(({ member }) => member ?? [])
  }
  get counts(): SwitchCounts {
    let { dropped } = this.#counts
    for (const port of this.#ports.values()) dropped += port.queue.dropped
    return { ...this.#counts, members: this.#ports.size, dropped }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.onEmpty = undefined
    const closed = new Promise<void>((done) => this.#server.close(() => done()))
    for (const port of [...this.#ports.values(), ...this.#strangers]) port.unplug()
    await closed
  }

  #connected(socket: Socket): void {
    if (this.#strangers.size >= MOST_STRANGERS) {
      socket.destroy()
      return
    }
    const port = new SwitchPort(socket, {
      said: (message) => this.#said(port, message),
      sent: (frame) => this.#forward(port, frame),
      gone: () => this.#gone(port),
    })
    this.#strangers.add(port)
  }

  /** The first message of somebody. @throws VmexitError: it is unplugged then. */
  #said(port: SwitchPort, message: Readonly<Record<string, unknown>>): void {
    const { join, inspect } = message
    if (inspect === true) {
      port.finish({ members: this.members, subnet: this.subnet })
      return
    }
    const { name, aliases, address: wanted } = asJoin(join)
    if (this.#ports.size >= MOST_MEMBERS)
      containerError('options', 'the network is full', 'end a container, or make another network')
    const address = this.#addresses.take(wanted)
    const member = { name, aliases, address: formatIpv4(address) }
    this.#strangers.delete(port)
    const others = this.members
    port.admit(member, address)
    this.#ports.set(macOf(address), port)
    port.tell({ welcome: { address: member.address, subnet: this.subnet } })
    for (const joined of others) port.tell({ joined })
    for (const other of this.#ports.values()) if (other !== port) other.tell({ joined: member })
  }

  #gone(port: SwitchPort): void {
    this.#strangers.delete(port)
    if (port.address === undefined) return
    this.#ports.delete(macOf(port.address))
    this.#addresses.release(port.address)
    this.#counts.dropped += port.queue.dropped
    for (const other of this.#ports.values()) {
      other.queue.forget(port)
      other.tell({ left: formatIpv4(port.address) })
    }
    if (this.#ports.size === 0) this.onEmpty?.()
  }

  /** All stations are known, so none is looked for by flooding. */
  #forward(from: SwitchPort, frame: Uint8Array): void {
    if (!from.guard(frame)) {
      this.#counts.refused++
      return
    }
    this.#counts.frames++
    this.#counts.bytes += frame.length
    const to = getMac(frame, 0)
    // A copy, which holds nothing of what came with it, and is the same for all.
    const bytes = unit(Unit.frame, frame)
    if (!isGroupMac(to)) {
      this.#ports.get(to)?.send(from, bytes)
      return
    }
    for (const port of this.#ports.values()) if (port !== from) port.send(from, bytes)
  }
}

/** Whom a port tells of what comes in. */
interface PortEvents {
  said(message: Readonly<Record<string, unknown>>): void
  sent(frame: Uint8Array): void
  gone(): void
}

/** One who is connected. */
class SwitchPort {
  member: SwitchMember | undefined
  address: Ipv4 | undefined
  /** Whether a frame may come in. */
  guard: (frame: Uint8Array) => boolean = () => false
  /** What others have sent to it. */
  readonly queue: FairQueue<SwitchPort> = new FairQueue<SwitchPort>(QUEUE)
  readonly #socket: Socket
  readonly #events: PortEvents
  readonly #reader = new UnitReader(LARGEST_HELLO)
  #late: ReturnType<typeof setTimeout>
  #hasSaid = false
  #isFlushing = false

  constructor(socket: Socket, events: PortEvents) {
    this.#socket = socket
    this.#events = events
    this.#late = setTimeout(() => socket.destroy(), PATIENCE)
    socket.on('data', (bytes) => this.#take(bytes))
    socket.on('drain', () => this.#flush())
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      clearTimeout(this.#late)
      events.gone()
    })
  }

  admit(member: SwitchMember, address: Ipv4): void {
    clearTimeout(this.#late)
    this.member = member
    this.address = address
    this.guard = sourceGuard({ mac: macOf(address), address })
  }

  /** Messages are few, and bounded by those who are plugged in; who does not read even these is unplugged. */
  tell(message: FromSwitch): void {
    if (this.#socket.writableLength > QUEUE) this.unplug()
    else this.#socket.write(messageUnit(message))
  }

  /** Says the last that there is to say. Who does not read it is hung up on all the same. */
  finish(message: FromSwitch): void {
    clearTimeout(this.#late)
    this.#late = setTimeout(() => this.#socket.destroy(), PATIENCE)
    this.#socket.end(messageUnit(message))
    this.#socket.destroySoon()
  }

  unplug(): void {
    this.#socket.destroy()
  }

  /** A unit of another's. */
  send(from: SwitchPort, frame: Uint8Array): void {
    this.queue.put(from, frame)
    if (this.#isFlushing) return
    this.#isFlushing = true
    // Behind all that came with this frame.
    queueMicrotask(() => {
      this.#isFlushing = false
      this.#flush()
    })
  }

  #flush(): void {
    while (this.queue.bytes > 0 && this.#socket.writable && !this.#socket.writableNeedDrain) {
      const batch: Uint8Array[] = []
      for (let bytes = 0; bytes < BATCH; ) {
        const frame = this.queue.take()
        if (frame === undefined) break
        batch.push(frame)
        bytes += frame.length
      }
      this.#socket.write(Buffer.concat(batch))
    }
  }

  #take(bytes: Uint8Array): void {
    try {
      for (const { kind, payload } of this.#reader.read(bytes)) {
        if (this.#socket.destroyed) return
        if (kind === Unit.frame && this.address !== undefined && payload.length >= etherHeader)
          this.#events.sent(payload)
        else if (kind === Unit.message && !this.#hasSaid) {
          this.#hasSaid = true
          this.#events.said(readMessage(payload))
        } else
          containerError('switch', 'what was sent makes no sense at this point', 'use the same version on both ends')
      }
    } catch (error) {
      const { problem, remedy } = isVmexitError(error) ? error : { problem: `${error}`, remedy: 'try again' }
      this.finish({ refused: { problem, remedy } })
    }
  }
}

/** @throws VmexitError for what does not say who it is. */
function asJoin(join: unknown): {
  readonly name: string
  readonly aliases: readonly string[]
  readonly address?: string
} {
  const { name, aliases, address } = (typeof join === 'object' && join !== null ? join : {}) as Record<string, unknown>
  const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= 253
  if (!isText(name) || !Array.isArray(aliases) || !aliases.every(isText) || !(address === undefined || isText(address)))
    return containerError('switch', 'it was not said who is plugged in', 'use the same version on both ends')
  checkNames([...(isName(name) ? [name] : []), ...aliases])
  return { name, aliases, ...(address !== undefined && { address }) }
}
