import { Clock } from '@vmexit/core'
import { describe, expect, test } from 'vitest'
import { at } from '../../test/hosts.ts'
import { get32 } from '../bytes.ts'
import {
  Errno,
  formatIpv4,
  Ifa,
  Ifla,
  NetlinkFlag,
  NetlinkType,
  NetlinkWriter,
  NetStack,
  numberIn,
  Random,
  Rta,
  Rtm,
  RtnetlinkSocket,
  readAttributes,
  readMessages,
  rtnetlink,
  textIn,
} from '../index.ts'

const { request, ack, dump, create, exclusive, replace } = NetlinkFlag
const address = (text: string) => {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, at(text).address)
  return bytes
}

function setUp() {
  const clock = new Clock()
  const stack = new NetStack({ clock, seed: 1 })
  const other = new NetStack({ clock, seed: 2 })
  const namespace = (by: 'fd' | 'pid', number: number) => (by === 'pid' && number === 42 ? other : undefined)
  /** Sends one request: the error number of its answer. */
  const ask = (type: number, flags: number, fill: (writer: NetlinkWriter) => void, on = stack) => {
    const writer = new NetlinkWriter()
    fill(writer)
    const replies = rtnetlink(on, writer.message(type, request | ack | flags, 7, 0), { namespace, port: 99 })
    const [{ type: answer, payload }] = readMessages(replies[0])
    expect(answer).toBe(NetlinkType.error)
    return new DataView(payload.buffer, payload.byteOffset).getInt32(0, true)
  }
  /** All messages of a dump; the last one must say that it is the last. */
  const list = (type: number, header: number, on = stack) => {
    const writer = new NetlinkWriter().bytes(new Uint8Array(header))
    const replies = rtnetlink(on, writer.message(type, request | dump, 8, 0), { port: 99 })
    const messages = replies.flatMap(readMessages)
    expect(messages.at(-1)?.type).toBe(NetlinkType.done)
    for (const { flags, sequence } of messages) expect([flags & NetlinkFlag.multi, sequence]).toEqual([2, 8])
    return messages
      .slice(0, -1)
      .map(({ payload }) => ({ payload, attributes: readAttributes(payload.subarray(header))! }))
  }
  const link = (writer: NetlinkWriter, index = 0, flags = 0, change = 0) =>
    writer.u16(0).u16(0).u32(index).u32(flags).u32(change)
  const names = (on = stack) => list(Rtm.getLink, 16, on).map(({ attributes }) => textIn(attributes.get(Ifla.name)))
  const addLink = (
    kind: string,
    name: string,
    more: (writer: NetlinkWriter) => void = () => {},
    flags = create | exclusive,
  ) =>
    ask(Rtm.newLink, flags, (writer) => {
      link(writer).attribute(Ifla.name, name)
      writer.nested(Ifla.linkInfo, (info) => {
        info.nested(1, (inner) => inner.bytes(new TextEncoder().encode(kind))) // as iproute2 does: without the zero
        more(info)
      })
    })
  return { clock, stack, other, ask, list, link, names, addLink }
}

describe('links', () => {
  test('ip link: names, indices, flags, MTU, state', () => {
    const { stack, list } = setUp()
    stack.addDummy({ name: 'dummy0', mac: 0x0200_0000_0005 })
    const [lo, dummy] = list(Rtm.getLink, 16)
    expect(textIn(lo.attributes.get(Ifla.name))).toBe('lo')
    expect(new DataView(lo.payload.buffer, lo.payload.byteOffset).getUint16(2, true)).toBe(772)
    expect(numberIn(lo.attributes.get(Ifla.mtu))).toBe(65536)
    expect(numberIn(lo.payload.subarray(8))).toBe(0x1_0049)
    expect([...dummy.attributes.get(Ifla.address)!]).toEqual([2, 0, 0, 0, 0, 5])
    expect(dummy.attributes.get(Ifla.stats64)?.length).toBe(192)
  })

  test('ip link add TYPE; set up, down, mtu, name, master; del', () => {
    const { stack, ask, link, names, addLink } = setUp()
    expect([addLink('bridge', 'br0'), addLink('dummy', 'd0'), addLink('wireguard', 'wg0')]).toEqual([
      0,
      0,
      -Errno.EOPNOTSUPP,
    ])
    expect(addLink('dummy', 'd0')).toBe(-Errno.EEXIST)
    expect(addLink('dummy', 'a name too long for it')).toBe(-Errno.EINVAL)
    // Bytes of any kind, 15 at most, as ioctl(2) and /sys have them: those of UTF-8 are never a '/'.
    expect([addLink('dummy', '\xc4\xaf\xff'), addLink('dummy', '\xc4\xaf'.repeat(8))]).toEqual([0, -Errno.EINVAL])
    stack.deleteDevice(stack.device('\xc4\xaf\xff')!)
    const [br0, d0] = [stack.device('br0')!, stack.device('d0')!]
    const change = (fill: (writer: NetlinkWriter) => void, index = d0.index, flags = 0, mask = 0) =>
      ask(Rtm.newLink, 0, (writer) => fill(link(writer, index, flags, mask)))
    expect(change(() => {}, d0.index, 1, 1)).toBe(0)
    expect(d0.up).toBe(true)
    expect(change((writer) => writer.attribute(Ifla.mtu, 9000).attribute(Ifla.name, 'tap7'))).toBe(0)
    expect([d0.mtu, d0.name, d0.up]).toEqual([9000, 'tap7', true])
    expect(change((writer) => writer.attribute(Ifla.mtu, 10))).toBe(-Errno.EINVAL)
    expect(change((writer) => writer.attribute(Ifla.master, br0.index))).toBe(0)
    expect(d0.master).toBe(br0)
    expect(change((writer) => writer.attribute(Ifla.master, d0.index), stack.loopback.index)).toBe(-Errno.EINVAL)
    expect(change(() => {}, 77)).toBe(-Errno.ENODEV)
    expect(ask(Rtm.delLink, 0, (writer) => link(writer, br0.index))).toBe(0)
    expect(d0.master).toBeUndefined()
    expect(ask(Rtm.delLink, 0, (writer) => link(writer, 1))).toBe(-Errno.EOPNOTSUPP)
    expect(names()).toEqual(['lo', 'tap7'])
  })

  test('ip link add veth … peer name … netns; move one; deleting one deletes both', () => {
    const { stack, other, ask, link, names, addLink } = setUp()
    const peer = (info: NetlinkWriter) =>
      info.nested(2, (data) =>
        data.nested(1, (inner) => link(inner).attribute(Ifla.name, 'eth0').attribute(Ifla.netnsPid, 42)),
      )
    expect(addLink('veth', 'veth0', peer)).toBe(0)
    expect([names(), names(other)]).toEqual([
      ['lo', 'veth0'],
      ['lo', 'eth0'],
    ])
    expect(addLink('veth', 'veth1')).toBe(0)
    expect(names()).toEqual(['lo', 'veth0', 'veth1', 'veth2'])
    const move = (name: string, pid: number) =>
      ask(Rtm.newLink, 0, (writer) => link(writer).attribute(Ifla.name, name).attribute(Ifla.netnsPid, pid))
    expect([move('veth2', 42), move('veth1', 43), move('lo', 42)]).toEqual([0, -Errno.ESRCH, -Errno.EINVAL])
    expect(names(other)).toEqual(['lo', 'eth0', 'veth2'])
    expect(ask(Rtm.delLink, 0, (writer) => link(writer).attribute(Ifla.name, 'veth0'))).toBe(0)
    expect([names(), names(other)]).toEqual([
      ['lo', 'veth1'],
      ['lo', 'veth2'],
    ])
    stack.deleteDevice(stack.device('veth1')!)
    expect(names(other)).toEqual(['lo'])
  })
})

describe('addresses and routes', () => {
  const withDevice = () => {
    const all = setUp()
    const device = all.stack.addDummy({ name: 'eth0' })!
    all.stack.setUp(device, true)
    const addressMessage = (type: number, text: string, prefix: number, index = device.index) =>
      all.ask(type, create | exclusive, (writer) =>
        writer
          .u8(2)
          .u8(prefix)
          .u8(0)
          .u8(0)
          .u32(index)
          .attribute(Ifa.local, address(text))
          .attribute(Ifa.address, address(text)),
      )
    const route = (
      type: number,
      text: string,
      prefix: number,
      attributes: [number, number | Uint8Array][],
      flags = create | exclusive,
    ) =>
      all.ask(type, flags, (writer) => {
        writer.u8(2).u8(prefix).u8(0).u8(0).u8(254).u8(3).u8(0).u8(1).u32(0)
        if (prefix > 0) writer.attribute(Rta.destination, address(text))
        for (const [type, value] of attributes) writer.attribute(type, value)
      })
    const routes = () =>
      all.list(Rtm.getRoute, 12).map(({ payload, attributes }) => {
        const to = attributes.get(Rta.destination)
        const by = attributes.get(Rta.gateway)
        return `${to ? formatIpv4(get32(to, 0)) : 'default'}/${payload[1]}${by ? ` via ${formatIpv4(get32(by, 0))}` : ''}`
      })
    return { ...all, device, addressMessage, route, routes }
  }

  test('ip addr add, show, del', () => {
    const { addressMessage, list, routes } = withDevice()
    expect(addressMessage(Rtm.newAddress, '10.1.0.1', 24)).toBe(0)
    expect(addressMessage(Rtm.newAddress, '10.1.0.1', 24)).toBe(-Errno.EEXIST)
    expect(addressMessage(Rtm.newAddress, '10.1.0.1', 24, 55)).toBe(-Errno.ENODEV)
    const shown = list(Rtm.getAddress, 8).map(({ payload, attributes }) => [
      textIn(attributes.get(Ifa.label)),
      formatIpv4(get32(attributes.get(Ifa.local)!, 0)),
      payload[1],
      payload[3],
    ])
    expect(shown).toEqual([
      ['lo', '127.0.0.1', 8, 254],
      ['eth0', '10.1.0.1', 24, 0],
    ])
    expect(routes()).toEqual(['10.1.0.0/24'])
    expect(addressMessage(Rtm.delAddress, '10.1.0.1', 24)).toBe(0)
    expect(addressMessage(Rtm.delAddress, '10.1.0.1', 24)).toBe(-Errno.EADDRNOTAVAIL)
    expect(routes()).toEqual([])
  })

  test('ip route add, replace, del, get', () => {
    const { addressMessage, route, routes, device, stack } = withDevice()
    addressMessage(Rtm.newAddress, '10.1.0.2', 24)
    const via = (text: string): [number, Uint8Array] => [Rta.gateway, address(text)]
    expect(route(Rtm.newRoute, '', 0, [via('10.1.0.1')])).toBe(0)
    expect(route(Rtm.newRoute, '', 0, [via('10.1.0.1')])).toBe(-Errno.EEXIST)
    expect(route(Rtm.newRoute, '10.9.0.0', 16, [via('10.7.0.1')])).toBe(-Errno.ENETUNREACH)
    expect(route(Rtm.newRoute, '10.9.0.1', 16, [[Rta.outDevice, device.index]])).toBe(-Errno.EINVAL)
    expect(route(Rtm.newRoute, '10.9.0.0', 16, [[Rta.outDevice, device.index]])).toBe(0)
    expect(route(Rtm.newRoute, '', 0, [via('10.1.0.254')], create | replace)).toBe(0)
    expect(routes()).toEqual(['default/0 via 10.1.0.254', '10.1.0.0/24', '10.9.0.0/16'])
    const get = new NetlinkWriter()
      .u8(2)
      .u8(32)
      .bytes(new Uint8Array(10))
      .attribute(Rta.destination, address('8.8.8.8'))
    const [reply] = readMessages(rtnetlink(stack, get.message(Rtm.getRoute, request, 1, 0))[0])
    const attributes = readAttributes(reply.payload.subarray(12))!
    expect(formatIpv4(get32(attributes.get(Rta.gateway)!, 0))).toBe('10.1.0.254')
    expect(formatIpv4(get32(attributes.get(Rta.preferredSource)!, 0))).toBe('10.1.0.2')
    expect(route(Rtm.delRoute, '10.9.0.0', 16, [], 0)).toBe(0)
    expect(route(Rtm.delRoute, '10.9.0.0', 16, [], 0)).toBe(-Errno.ESRCH)
  })

  test('a dump of many routes comes in datagrams of 4 kB', () => {
    const { stack, device } = withDevice()
    const fields = { prefix: 32, gateway: undefined, device, metric: 0, source: undefined, type: 1, origin: 3 }
    for (let number = 0; number < 500; number++) stack.ip.routes.add({ ...fields, destination: 0x0b00_0000 + number })
    const writer = new NetlinkWriter().bytes(new Uint8Array(12))
    const replies = rtnetlink(stack, writer.message(Rtm.getRoute, request | dump, 8, 0))
    expect(replies.every(({ length }) => length <= 4096)).toBe(true)
    expect(replies.flatMap(readMessages).length).toBe(501)
  })
})

test('who may not change things can look at them', () => {
  const stack = new NetStack({ clock: new Clock(), seed: 1 })
  const socket = new RtnetlinkSocket(stack, { mayChange: false, port: 5 })
  const buffer = new Uint8Array(8192)
  expect(socket.receive(buffer)).toBe(-Errno.EAGAIN)
  socket.send(new NetlinkWriter().bytes(new Uint8Array(16)).message(Rtm.newLink, request | ack, 1, 0))
  expect(socket.poll() & 1).toBe(1)
  expect(socket.receive(buffer)).toBeGreaterThan(0)
  expect(new DataView(buffer.buffer).getInt32(16, true)).toBe(-Errno.EPERM)
  socket.send(new NetlinkWriter().bytes(new Uint8Array(16)).message(Rtm.getLink, request | dump, 1, 0))
  expect(socket.receive(buffer)).toBeGreaterThan(100)
})

test('50,000 damaged requests: an answer or none, never an exception', () => {
  const { stack, addLink } = setUp()
  addLink('veth', 'veth0')
  const random = new Random(99)
  for (let round = 0; round < 50_000; round++) {
    const writer = new NetlinkWriter()
    for (let count = random.below(24); count > 0; count--) {
      if (random.chance(0.5))
        writer.attribute(
          random.below(32),
          new Uint8Array(random.below(12)).map(() => random.next()),
        )
      else writer.u32(random.chance(0.5) ? random.below(5) : random.next())
    }
    const message = writer.message(16 + random.below(16), random.below(0x800) | request, round, 0)
    if (random.chance(0.3)) message[random.below(message.length)] = random.next()
    rtnetlink(stack, message.subarray(0, random.chance(0.2) ? random.below(message.length) : message.length))
  }
  expect(stack.devices.length).toBeLessThan(4097)
})
