/** The state machine of RFC 9293, segment by segment. */
import { describe, expect, test } from 'vitest'
import { bytes, second } from '../../test/hosts.ts'
import { there, Wire } from '../../test/wire.ts'
import { Errno, Poll } from '../index.ts'

const buffer = new Uint8Array(65536)

describe('opening (RFC 9293, section 3.5)', () => {
  test('active: SYN, SYN-ACK, ACK', () => {
    const wire = new Wire()
    const { socket, options } = wire.openActive()
    expect(options).toEqual({ mss: 1460, windowScale: 3 })
    expect(socket.state).toBe('syn-sent')
    wire.send({ flags: 'SA', ack: 1, mss: 1460, windowScale: 7 })
    expect(wire.words()).toEqual(['A 1:1'])
    expect(socket.state).toBe('established')
    expect(socket.poll()).toBe(Poll.out)
  })

  test('passive: the connection can be accepted after the third segment', () => {
    const wire = new Wire()
    const listener = wire.stack.streamSocket()
    listener.bind({ address: 0, port: 80 })
    listener.listen(1)
    wire.localPort = 80
    wire.send({ flags: 'S', mss: 1460 })
    expect(listener.poll()).toBe(0)
    expect(listener.accept()).toBe(-Errno.EAGAIN)
    const [answer] = wire.segments()
    wire.iss = answer.seq
    wire.send({ flags: 'A', seq: 1, ack: 1 })
    expect(listener.poll()).toBe(Poll.in)
    const socket = listener.accept()
    expect(typeof socket === 'number' ? socket : socket.remoteAddress).toEqual({ address: there, port: 4000 })
  })

  test('both at once (figure 8): SYNs cross, and both ends are connected', () => {
    const wire = new Wire()
    const { socket } = wire.openActive()
    wire.send({ flags: 'S', mss: 1460 })
    expect(socket.state).toBe('syn-received')
    expect(wire.words()).toEqual(['SA 0:1'])
    wire.send({ flags: 'SA', ack: 1, mss: 1460 })
    expect(socket.state).toBe('established')
    socket.send(bytes('hi'))
    wire.pass()
    expect(wire.words()).toContain('A 1:1 hi')
  })

  test('shutdown before it is open: given up, or FIN as soon as it is', () => {
    const wire = new Wire()
    const { socket } = wire.openActive()
    socket.shutdown(1)
    expect(socket.state).toBe('closed')
    wire.send({ flags: 'SA', ack: 1, mss: 1460 })
    expect(wire.words()).toEqual(['R 1:0'])

    const crossing = new Wire()
    const other = crossing.openActive().socket
    crossing.send({ flags: 'S', mss: 1460 })
    other.shutdown(1)
    crossing.segments()
    crossing.send({ flags: 'SA', ack: 1, mss: 1460 })
    expect(crossing.words()).toContain('FA 1:1')
  })

  test('an old duplicate SYN-ACK is reset (figure 9), and the connection comes about', () => {
    const wire = new Wire()
    const { socket } = wire.openActive()
    wire.send({ flags: 'SA', ack: 90, mss: 1460 })
    expect(wire.words()).toEqual(['R 90:0'])
    wire.send({ flags: 'SA', ack: 1, mss: 1460 })
    expect(socket.state).toBe('established')
  })

  test('a refusal: RST with an acknowledgement of our SYN, and no other', () => {
    const wire = new Wire()
    const { socket } = wire.openActive()
    wire.send({ flags: 'RA', ack: 2 })
    wire.send({ flags: 'R' })
    expect(socket.state).toBe('syn-sent')
    wire.send({ flags: 'RA', ack: 1 })
    expect(socket.state).toBe('closed')
    expect(socket.poll()).toBe(Poll.in | Poll.out | Poll.err | Poll.hup | Poll.rdhup)
    expect(socket.connect({ address: there, port: 4000 })).toBe(-Errno.ECONNREFUSED)
    expect(socket.connect({ address: there, port: 4000 })).toBe(-Errno.EINPROGRESS)
  })

  test('SYN is repeated after 1, 2, 4 … seconds, then it is ETIMEDOUT', () => {
    const wire = new Wire()
    const { socket } = wire.openActive()
    const times: number[] = []
    for (let step = 0; step < 140; step++) {
      wire.pass(second)
      if (wire.segments().length > 0) times.push(step + 1)
    }
    expect(times).toEqual([1, 3, 7, 15, 31, 63])
    expect(socket.takeError()).toBe(Errno.ETIMEDOUT)
  })

  test('a repeated SYN gets the same answer', () => {
    const wire = new Wire()
    const listener = wire.stack.streamSocket()
    listener.bind({ address: 0, port: 80 })
    listener.listen(1)
    wire.localPort = 80
    wire.send({ flags: 'S', mss: 1460 })
    wire.send({ flags: 'S', mss: 1460 })
    const [first, second] = wire.segments()
    expect(second.seq).toBe(first.seq)
  })

  test('without options windows are not scaled and segments are 536 bytes', () => {
    const wire = new Wire()
    const { socket } = wire.openActive()
    wire.send({ flags: 'SA', ack: 1 })
    wire.segments()
    socket.send(new Uint8Array(1000))
    wire.pass()
    const [first] = wire.segments()
    expect(first.dataEnd - first.dataAt).toBe(536)
    expect(first.window).toBe(65535)
  })

  test('where nobody listens (section 3.10.7.1): RST, but never for a RST', () => {
    const wire = new Wire()
    wire.localPort = 81
    wire.send({ flags: 'S', seq: 10 })
    wire.send({ flags: 'A', seq: 10, ack: 77 })
    wire.send({ flags: 'FA', seq: 10, ack: 78 })
    wire.send({ flags: 'F', seq: 10, data: 'abc' })
    wire.send({ flags: 'R', seq: 10 })
    expect(wire.words()).toEqual(['RA 0:11', 'R 77:0', 'R 78:0', 'RA 0:14'])
  })
})

describe('closing (RFC 9293, section 3.6)', () => {
  test('by us: FIN-WAIT-1, FIN-WAIT-2, TIME-WAIT for a minute; a repeated FIN is acknowledged again', () => {
    const wire = new Wire()
    const { socket } = wire.openPassive()
    socket.shutdown(1)
    wire.pass()
    expect(wire.words()).toEqual(['FA 1:1'])
    expect(socket.state).toBe('fin-wait-1')
    wire.send({ flags: 'A', seq: 1, ack: 2 })
    expect(socket.state).toBe('fin-wait-2')
    wire.send({ flags: 'FA', seq: 1, ack: 2 })
    expect(wire.words()).toEqual(['A 2:2'])
    expect(socket.state).toBe('time-wait')
    wire.pass(30 * second)
    wire.send({ flags: 'FA', seq: 1, ack: 2 })
    expect(wire.words()).toEqual(['A 2:2'])
    wire.pass(59 * second)
    expect(socket.state).toBe('time-wait')
    wire.pass(2 * second)
    expect(socket.state).toBe('closed')
    expect([...wire.stack.tcp.connections]).toEqual([])
  })

  test('by the peer: CLOSE-WAIT, in which we still send, LAST-ACK', () => {
    const wire = new Wire()
    const { socket } = wire.openPassive()
    wire.send({ flags: 'FA', seq: 1, ack: 1 })
    expect(wire.words()).toEqual(['A 1:2'])
    expect(socket.state).toBe('close-wait')
    expect(socket.receive(buffer)).toBe(0)
    expect(socket.poll() & (Poll.in | Poll.rdhup | Poll.hup)).toBe(Poll.in | Poll.rdhup)
    expect(socket.send(bytes('bye'))).toBe(3)
    socket.close()
    wire.pass()
    expect(wire.words()).toEqual(['A 1:2 bye', 'FA 4:2'])
    wire.send({ flags: 'A', seq: 2, ack: 5 })
    expect([...wire.stack.tcp.connections]).toEqual([])
  })

  test('both at once (figure 13): CLOSING, TIME-WAIT', () => {
    const wire = new Wire()
    const { socket } = wire.openPassive()
    socket.shutdown(1)
    wire.pass()
    wire.segments()
    wire.send({ flags: 'FA', seq: 1, ack: 1 })
    expect(socket.state).toBe('closing')
    expect(wire.words()).toEqual(['A 2:2'])
    wire.send({ flags: 'A', seq: 2, ack: 2 })
    expect(socket.state).toBe('time-wait')
  })

  test('FIN with the acknowledgement of ours goes from FIN-WAIT-1 to TIME-WAIT', () => {
    const wire = new Wire()
    const { socket } = wire.openPassive()
    socket.shutdown(1)
    wire.send({ flags: 'FA', seq: 1, ack: 2 })
    expect(socket.state).toBe('time-wait')
  })

  test('half closed: the peer still sends to us, and we read it', () => {
    const wire = new Wire()
    const { socket } = wire.openPassive()
    socket.shutdown(1)
    wire.send({ flags: 'A', seq: 1, ack: 2, data: 'late' })
    expect(socket.receive(buffer)).toBe(4)
    expect(socket.send(bytes('x'))).toBe(-Errno.EPIPE)
  })

  test('FIN that comes before the data in front of it waits for it', () => {
    const wire = new Wire()
    const { socket } = wire.openPassive()
    wire.send({ flags: 'FA', seq: 4, ack: 1, data: 'def' })
    expect(socket.state).toBe('established')
    wire.send({ flags: 'A', seq: 1, ack: 1, data: 'abc' })
    expect(wire.words().at(-1)).toBe('A 1:8')
    expect(socket.state).toBe('close-wait')
    expect(socket.receive(buffer)).toBe(6)
  })

  test('nobody holds it: FIN-WAIT-2 ends after a minute, and data is reset', () => {
    const wire = new Wire()
    const { socket } = wire.openPassive()
    socket.close()
    wire.send({ flags: 'A', seq: 1, ack: 2 })
    wire.send({ flags: 'A', seq: 1, ack: 2, data: 'who reads this?' })
    expect(wire.words()).toEqual(['FA 1:1', 'RA 2:1'])

    const other = new Wire()
    other.openPassive().socket.close()
    other.send({ flags: 'A', seq: 1, ack: 2 })
    other.pass(61 * second)
    expect([...other.stack.tcp.connections]).toEqual([])
  })

  test('closing with unread data resets (RFC 2525, section 2.17)', () => {
    const wire = new Wire()
    const { socket } = wire.openPassive()
    wire.send({ flags: 'A', seq: 1, ack: 1, data: 'unread' })
    socket.close()
    wire.pass()
    expect(wire.words().at(-1)).toBe('RA 1:7')
  })

  test('SO_LINGER of 0 resets', () => {
    const wire = new Wire()
    const { socket } = wire.openPassive()
    socket.setOption(1, 13, 0)
    socket.send(bytes('gone'))
    socket.close()
    wire.pass()
    expect(wire.words().at(-1)).toBe('RA 5:1')
  })

  test('a new SYN takes over what is in TIME-WAIT', () => {
    const wire = new Wire()
    const { socket, listener } = wire.openPassive()
    socket.close()
    wire.send({ flags: 'FA', seq: 1, ack: 2 })
    expect(listener.accept()).toBe(-Errno.EAGAIN)
    wire.segments()
    wire.send({ flags: 'S', seq: 100_000, mss: 1460 })
    const [answer] = wire.segments()
    expect([answer.flags & 0x12, (answer.ack - wire.irs) >>> 0]).toEqual([0x12, 100_001])
  })
})

describe('resets and what else is forged (RFC 5961)', () => {
  test('RST at the next sequence number ends it: ECONNRESET once, then the end', () => {
    const wire = new Wire()
    const { socket } = wire.openPassive()
    wire.send({ flags: 'A', seq: 1, ack: 1, data: 'abc' })
    wire.send({ flags: 'R', seq: 4 })
    expect(socket.receive(buffer)).toBe(3)
    expect(socket.receive(buffer)).toBe(-Errno.ECONNRESET)
    expect(socket.receive(buffer)).toBe(0)
    expect(socket.send(bytes('x'))).toBe(-Errno.EPIPE)
  })

  test('RST elsewhere in the window is asked about, outside of it ignored', () => {
    const wire = new Wire()
    const { socket } = wire.openPassive()
    wire.send({ flags: 'R', seq: 100 })
    expect(wire.words()).toEqual(['A 1:1'])
    wire.send({ flags: 'R', seq: 10_000_000 })
    expect(wire.words()).toEqual([])
    expect(socket.state).toBe('established')
  })

  test('SYN in a connection is asked about', () => {
    const wire = new Wire()
    const { socket } = wire.openPassive()
    wire.send({ flags: 'S', seq: 50, mss: 1460 })
    expect(wire.words()).toEqual(['A 1:1'])
    expect(socket.state).toBe('established')
  })

  test('acknowledgements of what was never sent, or long ago, take nothing in', () => {
    const wire = new Wire()
    const { socket } = wire.openPassive()
    wire.send({ flags: 'A', seq: 1, ack: 5000, data: 'forged' })
    wire.send({ flags: 'A', seq: 1, ack: -100_000, data: 'forged' })
    expect(wire.words()).toEqual(['A 1:1', 'A 1:1'])
    expect(socket.readable).toBe(0)
  })

  test('answers to such segments are few', () => {
    const wire = new Wire()
    wire.openPassive()
    for (let count = 0; count < 100; count++) wire.send({ flags: 'S', seq: 50 })
    expect(wire.segments().length).toBe(10)
  })

  test('RST in TIME-WAIT does not end it early (RFC 1337)', () => {
    const wire = new Wire()
    const { socket } = wire.openPassive()
    socket.shutdown(1)
    wire.send({ flags: 'FA', seq: 1, ack: 2 })
    wire.send({ flags: 'R', seq: 2 })
    expect(socket.state).toBe('time-wait')
  })
})
