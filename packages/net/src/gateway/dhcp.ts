/** A DHCP server (RFC 2131, options of RFC 2132): hosts of a link get an address, the gateway and its DNS. */

import { VmexitError } from '@vmexit/core'
import { get16, get32, set16, set32 } from '../bytes.ts'
import { formatIpv4, type Ipv4, limitedBroadcast, maskOf } from '../ip/address.ts'
import type { NetDevice } from '../link/device.ts'
import { getMac, type Mac } from '../link/ethernet.ts'
import type { UdpSocket } from '../socket/udp-socket.ts'
import type { NetStack } from '../stack.ts'

/** What is given out. */
export interface DhcpOptions {
  /** The server's own address and the length of its prefix. */
  readonly address: Ipv4
  readonly prefix: number
  readonly router: Ipv4
  readonly dns: Ipv4
  /** The first and the last address that is given out. */
  readonly range: readonly [Ipv4, Ipv4]
}

const ports = { server: 67, client: 68 }
const messageType = { discover: 1, offer: 2, request: 3, decline: 4, acknowledge: 5, refuse: 6, release: 7, inform: 8 }
const option = { netmask: 1, router: 3, dns: 6, requested: 50, lease: 51, type: 53, server: 54, end: 255 }
const cookie = 0x6382_5363
/** Where the cookie and the options are. */
const cookieAt = 236
const optionsAt = 240
const leaseSeconds = 86400

/** Serves DHCP at a device of a stack. Leases are kept by MAC address until the range is used up; the oldest goes then. */
export class DhcpServer implements Disposable {
  readonly #options: DhcpOptions
  readonly #socket: UdpSocket
  readonly #leases = new Map<Mac, Ipv4>()

  constructor(stack: NetStack, device: NetDevice, options: DhcpOptions) {
    this.#options = options
    this.#socket = stack.udpSocket()
    this.#socket.device = device
    this.#socket.setOption(1, 6, 1) // SO_BROADCAST
    if (this.#socket.bind({ address: 0, port: ports.server }) !== 0) {
      throw new VmexitError('net-dhcp', {
        problem: `another socket of this stack has the DHCP server's port at ${formatIpv4(options.address)}`,
        remedy: 'run one DHCP server for a device',
      })
    }
    this.#socket.wake = () => this.#serve()
  }

  [Symbol.dispose](): void {
    this.#socket.close()
  }

  #serve(): void {
    const bytes = new Uint8Array(1500)
    for (let size = this.#socket.receive(bytes); size >= 0; size = this.#socket.receive(bytes)) {
      const reply = this.#answer(bytes.subarray(0, size))
      if (reply !== undefined) this.#socket.send(reply, 0, { address: limitedBroadcast, port: ports.client })
    }
  }

  #answer(request: Uint8Array): Uint8Array | undefined {
    if (request.length < optionsAt || request[0] !== 1 || get16(request, 1) !== 0x0106) return undefined
    if (get32(request, cookieAt) !== cookie) return undefined
    const options = readOptions(request)
    const mac = getMac(request, 28)
    const server = options.get(option.server)
    if (server?.length === 4 && get32(server, 0) !== this.#options.address) return undefined
    switch (options.get(option.type)?.[0]) {
      case messageType.discover:
        return this.#reply(request, messageType.offer, this.#lease(mac))
      case messageType.request: {
        const asked = options.get(option.requested)
        const wanted = asked?.length === 4 ? get32(asked, 0) : get32(request, 12)
        const lease = this.#lease(mac)
        return wanted === lease
          ? this.#reply(request, messageType.acknowledge, lease)
          : this.#reply(request, messageType.refuse, 0)
      }
      case messageType.inform:
        return this.#reply(request, messageType.acknowledge, 0)
      case messageType.release:
      case messageType.decline:
        this.#leases.delete(mac)
    }
    return undefined
  }

  #lease(mac: Mac): Ipv4 {
    const known = this.#leases.get(mac)
    if (known !== undefined) return known
    const [first, last] = this.#options.range
    const used = new Set(this.#leases.values())
    let address = first
    while (used.has(address) && address < last) address++
    if (used.has(address)) {
      const [oldest, freed] = this.#leases.entries().next().value as [Mac, Ipv4]
      this.#leases.delete(oldest)
      address = freed
    }
    this.#leases.set(mac, address)
    return address
  }

  #reply(request: Uint8Array, type: number, address: Ipv4): Uint8Array {
    const { address: server, prefix, router, dns } = this.#options
    const reply = new Uint8Array(optionsAt + 60)
    reply.set(request.subarray(0, 44))
    reply[0] = 2
    set32(reply, 16, address)
    set32(reply, 20, server)
    set32(reply, cookieAt, cookie)
    let at = optionsAt
    const write = (code: number, value: number, size = 4) => {
      reply[at] = code
      reply[at + 1] = size
      if (size === 1) reply[at + 2] = value
      else set32(reply, at + 2, value)
      at += 2 + size
    }
    write(option.type, type, 1)
    write(option.server, server)
    if (type !== messageType.refuse) {
      if (address !== 0) write(option.lease, leaseSeconds)
      write(option.netmask, maskOf(prefix))
      write(option.router, router)
      write(option.dns, dns)
    }
    reply[at] = option.end
    set16(reply, 10, 0x8000) // answered by broadcast
    return reply
  }
}

function readOptions(message: Uint8Array): Map<number, Uint8Array> {
  const options = new Map<number, Uint8Array>()
  for (let at = optionsAt; at < message.length && message[at] !== option.end; ) {
    if (message[at] === 0) {
      at++
      continue
    }
    const end = at + 2 + (message[at + 1] ?? 0)
    if (end > message.length) break
    options.set(message[at], message.slice(at + 2, end))
    at = end
  }
  return options
}
