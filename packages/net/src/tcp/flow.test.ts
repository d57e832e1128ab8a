/** When data is sent, sent again, held back and acknowledged. */
import { describe, expect, test } from 'vitest'
import { bytes, connected, millisecond, noise, pair, pass, run, sameBytes, second, transfer } from '../../test/hosts.ts'
import { Wire } from '../../test/wire.ts'
import { Errno, Poll } from '../index.ts'

const buffer = new Uint8Array(1 << 20)

function established() {
  const wire = new Wire()
  return { wire, ...wire.openPassive() }
}

describe('retransmission (RFC 6298)', () => {
  test('after a timeout, which doubles each time; the connection is given up at last', () => {
    const { wire, socket } = established()
    socket.send(bytes('hello'))
    const times: number[] = []
    for (let step = 0; step < 100_000 && socket.state !== 'closed'; step++) {
      wire.pass(10 * millisecond)
      for (const word of wire.words()) if (word === 'A 1:1 hello') times.push(step)
    }
    const waits = times.slice(1).map((time, index) => time - times[index])
    expect(waits.slice(0, 5)).toEqual([20, 40, 80, 160, 320])
    expect(Math.max(...waits)).toBe(12_000)
    expect(times.length).toBe(16)
    expect(socket.receive(buffer)).toBe(-Errno.ETIMEDOUT)
  })

  test('three duplicate acknowledgements resend the first segment at once (RFC 5681, section 3.2)', () => {
    const { wire, socket } = established()
    socket.send(new Uint8Array(1460 * 6))
    wire.pass()
    expect(wire.segments().length).toBe(6)
    for (let count = 0; count < 2; count++) wire.send({ flags: 'A', seq: 1, ack: 1 })
    expect(wire.segments()).toEqual([])
    wire.send({ flags: 'A', seq: 1, ack: 1 })
    expect(wire.came().map(({ seq }) => seq)).toEqual([1])
    expect(socket.info.fastRetransmits).toBe(1)
  })

  test('in recovery a partial acknowledgement resends the next hole (RFC 6582)', () => {
    const { wire, socket } = established()
    socket.send(new Uint8Array(1460 * 6))
    wire.pass()
    wire.segments()
    for (let count = 0; count < 3; count++) wire.send({ flags: 'A', seq: 1, ack: 1 })
    wire.segments()
    wire.send({ flags: 'A', seq: 1, ack: 1461 })
    expect(wire.came().map(({ seq }) => seq)).toEqual([1461])
    wire.send({ flags: 'A', seq: 1, ack: 8761 })
    expect(socket.unsent).toBe(0)
  })

  test('a lost FIN is sent again', () => {
    const { wire, socket } = established()
    socket.shutdown(1)
    wire.pass()
    wire.segments()
    wire.pass(300 * millisecond)
    expect(wire.words()).toEqual(['FA 1:1'])
  })

  test('TCP_USER_TIMEOUT ends it sooner', () => {
    const { wire, socket } = established()
    socket.setOption(6, 18, 1000)
    socket.send(bytes('hello'))
    wire.pass(3 * second)
    expect(socket.takeError()).toBe(Errno.ETIMEDOUT)
  })
})

describe('windows', () => {
  test('no more is sent than the peer takes, and the rest when it takes more', () => {
    const wire = new Wire()
    const { socket } = wire.openPassive({ window: 3000 })
    socket.send(new Uint8Array(5000))
    wire.pass()
    const sizes = () => wire.came().map(({ data }) => data.length)
    expect(sizes()).toEqual([1460, 1460])
    wire.send({ flags: 'A', seq: 1, ack: 2921, window: 1000 })
    expect(sizes()).toEqual([])
    wire.send({ flags: 'A', seq: 1, ack: 2921, window: 3000 })
    expect(sizes()).toEqual([1460])
    wire.send({ flags: 'A', seq: 1, ack: 4381, window: 3000 })
    expect(sizes()).toEqual([5000 - 3 * 1460])
  })

  test('a closed window is probed (section 3.8.6.1) for as long as the peer answers', () => {
    const { wire, socket } = established()
    wire.send({ flags: 'A', seq: 1, ack: 1, window: 0 })
    socket.send(bytes('patience'))
    let probes = 0
    for (let step = 0; step < 3000; step++) {
      wire.pass(second)
      for (const { seq, data } of wire.came()) {
        expect([seq, data]).toEqual([0, ''])
        probes++
        wire.send({ flags: 'A', seq: 1, ack: 1, window: 0 })
      }
    }
    expect(probes).toBeGreaterThan(20)
    expect(socket.state).toBe('established')
    wire.send({ flags: 'A', seq: 1, ack: 1, window: 1000 })
    expect(wire.words()).toContain('A 1:1 patience')
  })

  test('nobody answers the probes: ETIMEDOUT', () => {
    const { wire, socket } = established()
    wire.send({ flags: 'A', seq: 1, ack: 1, window: 0 })
    socket.send(bytes('patience'))
    wire.pass(3600 * second)
    expect(socket.takeError()).toBe(Errno.ETIMEDOUT)
  })

  test('what is not read closes our window; data beyond it is not taken, and reading opens it', () => {
    const { wire, socket } = established()
    socket.setOption(1, 8, 1152) // 2304 bytes
    wire.send({ flags: 'A', seq: 1, ack: 1, data: new Uint8Array(1460) })
    let sent = 1460
    for (let count = 0; count < 60; count++) {
      wire.send({ flags: 'A', seq: 1 + sent, ack: 1, data: new Uint8Array(1460) })
      sent += 1460
    }
    const { readable } = socket
    const last = wire.came().at(-1)
    expect(last?.window).toBe(0)
    expect(readable).toBeLessThanOrEqual(65535)
    expect(socket.receive(buffer)).toBe(readable)
    wire.pass()
    expect(wire.came().at(-1)?.window).toBeGreaterThanOrEqual(1152)
  })

  test('a window opens by whole segments, not by bytes (section 3.8.6.2.2)', () => {
    const { wire, socket } = established()
    socket.setOption(1, 8, 8000) // 16000 bytes
    for (let at = 0; at < 46; at++) {
      wire.send({ flags: 'A', seq: 1 + at * 1460, ack: 1, data: new Uint8Array(1460) })
    }
    expect(wire.came().at(-1)?.window).toBe(0)
    socket.receive(buffer.subarray(0, socket.readable - 16_000 + 1000))
    wire.pass()
    expect(wire.segments()).toEqual([])
    socket.receive(buffer.subarray(0, 1920))
    wire.pass()
    expect(wire.came().map(({ window }) => window)).toEqual([2920])
  })

  test('early data is kept, and acknowledged with what fills the gap', () => {
    const { wire, socket } = established()
    wire.send({ flags: 'A', seq: 7, ack: 1, data: 'ghi' })
    wire.send({ flags: 'A', seq: 4, ack: 1, data: 'defg' })
    expect(wire.words()).toEqual(['A 1:1', 'A 1:1'])
    wire.send({ flags: 'A', seq: 1, ack: 1, data: 'abcd' })
    expect(wire.words()).toEqual(['A 1:10'])
    expect(socket.receive(buffer)).toBe(9)
    expect(new TextDecoder().decode(buffer.subarray(0, 9))).toBe('abcdefghi')
  })
})

describe('small segments', () => {
  test('Nagle: the second small write waits for the acknowledgement of the first; TCP_NODELAY does not', () => {
    const { wire, socket } = established()
    for (const letter of 'abc') socket.send(bytes(letter))
    wire.pass()
    expect(wire.words()).toEqual(['A 1:1 a'])
    wire.send({ flags: 'A', seq: 1, ack: 2 })
    expect(wire.words()).toEqual(['A 2:1 bc'])
    socket.setOption(6, 1, 1)
    for (const letter of 'de') socket.send(bytes(letter))
    wire.pass()
    expect(wire.words()).toEqual(['A 4:1 d', 'A 5:1 e'])
  })

  test('TCP_CORK holds back what fills no segment, until it is taken off', () => {
    const { wire, socket } = established()
    socket.setOption(6, 3, 1)
    socket.send(bytes('head'))
    socket.send(bytes('body'))
    wire.pass()
    expect(wire.words()).toEqual([])
    socket.setOption(6, 3, 0)
    wire.pass()
    expect(wire.words()).toEqual(['A 1:1 headbody'])
  })

  test('acknowledgements wait up to 40 ms, but not for a second full segment', () => {
    const { wire } = established()
    wire.send({ flags: 'A', seq: 1, ack: 1, data: 'x' })
    wire.pass(30 * millisecond)
    expect(wire.words()).toEqual([])
    wire.pass(15 * millisecond)
    expect(wire.words()).toEqual(['A 1:2'])
    wire.send({ flags: 'A', seq: 2, ack: 1, data: new Uint8Array(1460) })
    expect(wire.words()).toEqual([])
    wire.send({ flags: 'A', seq: 1462, ack: 1, data: new Uint8Array(1460) })
    expect(wire.words()).toEqual(['A 1:2922'])
  })
})

test('keepalive: probes when nothing comes, ETIMEDOUT when nobody answers', () => {
  const { wire, socket } = established()
  socket.setOption(1, 9, 1)
  socket.setOption(6, 4, 10)
  socket.setOption(6, 5, 2)
  socket.setOption(6, 6, 3)
  wire.pass(11 * second)
  expect(wire.words()).toEqual(['A 0:1'])
  wire.send({ flags: 'A', seq: 1, ack: 1 })
  wire.pass(20 * second)
  expect(wire.words().at(-1)).toBe('RA 1:1')
  expect(socket.poll() & Poll.err).toBe(Poll.err)
  expect(socket.takeError()).toBe(Errno.ETIMEDOUT)
})

test('urgent data is read in its place, and POLLPRI says that it is ahead', () => {
  const { wire, socket } = established()
  wire.send({ flags: 'UA', seq: 1, ack: 1, data: 'abc!', urgent: 4 })
  expect(socket.poll() & Poll.pri).toBe(Poll.pri)
  socket.receive(buffer.subarray(0, 3))
  expect(socket.atMark).toBe(true)
  socket.receive(buffer)
  expect(socket.poll() & Poll.pri).toBe(0)
  socket.send(bytes('now!'), 1)
  wire.pass()
  const [segment] = wire.segments()
  expect([segment.flags & 0x20, segment.urgent]).toEqual([0x20, 4])
})

test('a SYN flood keeps nobody out: the oldest half-open connections go', () => {
  const wire = new Wire()
  const listener = wire.stack.streamSocket()
  listener.bind({ address: 0, port: 80 })
  listener.listen(16)
  for (let port = 1000; port < 3000; port++) wire.send({ flags: 'S', from: port, to: 80, mss: 1460 })
  expect([...wire.stack.tcp.connections].length).toBe(16)
  wire.localPort = 80
  wire.send({ flags: 'S', mss: 1460 })
  wire.iss = wire.segments().at(-1)?.seq ?? 0
  wire.send({ flags: 'A', seq: 1, ack: 1 })
  expect(listener.poll()).toBe(Poll.in)
})

test('a full queue of accepted connections makes clients wait, and they get through later', () => {
  const hosts = pair()
  const listener = hosts.b.streamSocket()
  listener.bind({ address: 0, port: 80 })
  listener.listen(1)
  const clients = Array.from({ length: 5 }, () => {
    const client = hosts.a.streamSocket()
    client.connect({ address: 0x0a00_0002, port: 80 })
    return client
  })
  pass(hosts.clock, second / 2)
  expect(clients.every(({ state }) => state === 'established')).toBe(true)
  expect([...hosts.b.tcp.connections].filter(({ state }) => state === 'established').length).toBe(2)
  let accepted = 0
  run(hosts.clock, () => {
    if (typeof listener.accept() !== 'number') accepted++
    return accepted === 5
  })
  expect(accepted).toBe(5)
})

test('a smaller MTU on the way is found out (RFC 1191)', () => {
  const hosts = pair({ mtu: 1500 })
  const { client, server } = connected(hosts)
  for (const { ip } of [hosts.a, hosts.b])
    for (const device of ip.interfaces.all) if (device.name !== 'lo') device.mtu = 900
  const sent = noise(100_000)
  expect(sameBytes(transfer(hosts.clock, client, server, sent), sent)).toBe(true)
  expect(client.info.mss).toBe(860)
})

test('what nobody holds goes when its peer takes nothing, although it answers probes', () => {
  const two = pair()
  const { client, server } = connected(two)
  while (server.send(noise(65536)) > 0) run(two.clock, () => false, second)
  server.close()
  const isGone = () => ![...two.b.tcp.connections].some(({ state }) => state === 'fin-wait-1')
  expect(isGone()).toBe(false)
  expect(run(two.clock, isGone, 600 * second)).toBe(true)
  expect(client.readable).toBeGreaterThan(100_000)
  // One that is held waits as long as it takes.
  const other = connected(two, 81)
  while (other.server.send(noise(65536)) > 0) run(two.clock, () => false, second)
  run(two.clock, () => false, 3600 * second)
  expect(other.server.state).toBe('established')
})
