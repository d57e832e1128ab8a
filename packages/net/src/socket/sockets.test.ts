import { Clock } from '@vmexit/core'
import { describe, expect, test } from 'vitest'
import {
  at,
  bytes,
  connected,
  listening,
  noise,
  pair,
  pass,
  run,
  sameBytes,
  socketOf,
  text,
  transfer,
} from '../../test/hosts.ts'
import {
  AddressFamily,
  Errno,
  everyType,
  NetStack,
  PacketType,
  Poll,
  parseIpv4,
  received,
  SocketType,
} from '../index.ts'

const buffer = new Uint8Array(65536)

describe('kinds of sockets', () => {
  test('what there is not has its error number', () => {
    const stack = new NetStack({ clock: new Clock(), seed: 1 })
    expect(stack.socket(AddressFamily.inet6, SocketType.stream)).toBe(-Errno.EAFNOSUPPORT)
    expect(stack.socket(AddressFamily.inet, SocketType.stream, 17)).toBe(-Errno.EPROTONOSUPPORT)
    expect(stack.socket(AddressFamily.inet, 5)).toBe(-Errno.ESOCKTNOSUPPORT)
  })
})

describe('ports (bind(2))', () => {
  const bound = (stack: NetStack, port: number, reuse = 0, address = '0.0.0.0') => {
    const socket = stack.streamSocket()
    if (reuse) socket.setOption(1, reuse, 1)
    return { socket, result: socket.bind({ address: parseIpv4(address) as number, port }) }
  }

  test('one port has one owner; SO_REUSEADDR lets a second bind but not listen', () => {
    const { a } = pair()
    const first = bound(a, 80, 2)
    expect(bound(a, 80).result).toBe(-Errno.EADDRINUSE)
    const second = bound(a, 80, 2)
    expect([first.result, second.result]).toEqual([0, 0])
    expect(first.socket.listen(1)).toBe(0)
    expect(second.socket.listen(1)).toBe(-Errno.EADDRINUSE)
    expect(bound(a, 80, 2).result).toBe(-Errno.EADDRINUSE)
  })

  test('SO_REUSEPORT shares a port between listeners', () => {
    const { a } = pair()
    const [first, second] = [bound(a, 80, 15), bound(a, 80, 15)]
    expect([first.result, second.result, first.socket.listen(1), second.socket.listen(1)]).toEqual([0, 0, 0, 0])
  })

  test('different addresses do not meet, any address meets all', () => {
    const { a } = pair()
    expect(bound(a, 80, 0, '10.0.0.1').result).toBe(0)
    expect(bound(a, 80, 0, '127.0.0.1').result).toBe(0)
    expect(bound(a, 80).result).toBe(-Errno.EADDRINUSE)
    expect(bound(a, 81, 0, '10.0.0.9').result).toBe(-Errno.EADDRNOTAVAIL)
  })

  test('a server that restarts needs SO_REUSEADDR while old connections are remembered', () => {
    const hosts = pair()
    const listener = hosts.b.streamSocket()
    listener.setOption(1, 2, 1)
    listener.bind(at('0.0.0.0:80'))
    listener.listen(1)
    const client = hosts.a.streamSocket()
    client.connect(at('10.0.0.2:80'))
    pass(hosts.clock, 1e9)
    const server = listener.accept()
    if (typeof server === 'number') throw new Error('not accepted')
    server.close()
    listener.close()
    pass(hosts.clock, 1e9)
    client.close()
    pass(hosts.clock, 1e9)
    expect(bound(hosts.b, 80).result).toBe(-Errno.EADDRINUSE)
    expect(bound(hosts.b, 80, 2).result).toBe(0)
  })

  test('chosen ports are in Linux’s range, differ, and are the same in each run', () => {
    const choose = () => {
      const { a } = pair()
      return Array.from({ length: 50 }, () => {
        const socket = a.udpSocket()
        socket.bind(at('0.0.0.0:0'))
        return socket.localAddress.port
      })
    }
    const ports = choose()
    expect(new Set(ports).size).toBe(50)
    expect(ports.every((port) => port >= 32768 && port <= 60999)).toBe(true)
    expect(choose()).toEqual(ports)
  })
})

describe('streams', () => {
  test('connect answers EINPROGRESS, EALREADY, 0, EISCONN', () => {
    const { a, b, clock } = pair()
    listening(b, 80)
    const socket = a.streamSocket()
    const connect = () => socket.connect(at('10.0.0.2:80'))
    expect([connect(), connect()]).toEqual([-Errno.EINPROGRESS, -Errno.EALREADY])
    expect(socket.send(bytes('early'))).toBe(-Errno.EAGAIN)
    pass(clock, 1e9)
    expect([connect(), connect()]).toEqual([0, -Errno.EISCONN])
  })

  test('wake is called when a call that said EAGAIN may be tried again', () => {
    const hosts = pair()
    const { client, server } = connected(hosts)
    const woken: string[] = []
    server.wake = () => woken.push('server')
    client.wake = () => woken.push('client')
    expect(server.receive(buffer)).toBe(-Errno.EAGAIN)
    client.send(bytes('hello'))
    run(hosts.clock, () => woken.includes('server'))
    expect(server.receive(buffer)).toBe(5)
    while (client.poll() & Poll.out) {
      client.send(buffer)
      pass(hosts.clock, 1e9)
    }
    woken.length = 0
    expect(client.poll() & Poll.out).toBe(0)
    while (server.receive(buffer) > 0) {}
    run(hosts.clock, () => woken.includes('client'))
    expect(client.poll() & Poll.out).toBe(Poll.out)
  })

  test('MSG_PEEK reads again', () => {
    const hosts = pair()
    const { client, server } = connected(hosts)
    client.send(bytes('look'))
    pass(hosts.clock, 1e9)
    expect([server.receive(buffer, 2), server.readable, server.receive(buffer)]).toEqual([4, 4, 4])
  })

  test('nobody is there: EHOSTUNREACH after three questions for its MAC address', () => {
    const { a, clock } = pair()
    const socket = a.streamSocket()
    socket.connect(at('10.0.0.77:80'))
    pass(clock, 4e9)
    expect(socket.takeError()).toBe(Errno.EHOSTUNREACH)
  })

  test('no route: ENETUNREACH at once', () => {
    const { a } = pair()
    expect(a.streamSocket().connect(at('192.168.1.1:80'))).toBe(-Errno.ENETUNREACH)
  })

  test('a socket talks to another of its own host over loopback', () => {
    const { a, clock } = pair()
    const listener = listening(a, 80)
    for (const address of ['127.0.0.1:80', '10.0.0.1:80', '127.9.9.9:80', '0.0.0.0:80']) {
      const socket = a.streamSocket()
      socket.connect(at(address))
      pass(clock, 1e9)
      expect(typeof listener.accept(), address).toBe('object')
    }
  })

  test('options come back as they were set; buffers twice as large', () => {
    const socket = pair().a.streamSocket()
    for (const [level, option, value, read] of [
      [1, 2, 1, 1],
      [1, 7, 10_000, 20_000],
      [1, 8, 10_000, 20_000],
      [1, 13, 5, 5],
      [6, 1, 1, 1],
      [6, 4, 60, 60],
      [6, 18, 1500, 1500],
      [0, 2, 9, 9],
    ]) {
      expect(socket.setOption(level, option, value)).toBe(0)
      expect(socket.getOption(level, option)).toBe(read)
    }
    expect(socket.setOption(6, 4, 0)).toBe(-Errno.EINVAL)
    expect(socket.getOption(6, 99)).toBe(-Errno.ENOPROTOOPT)
    expect([socket.getOption(1, 3), socket.getOption(1, 38), socket.getOption(1, 39)]).toEqual([1, 6, 2])
  })
})

describe('datagrams', () => {
  test('arrive whole, with where they are from; what does not fit is cut off and told', () => {
    const { a, b, clock } = pair()
    const server = b.udpSocket()
    server.bind(at('0.0.0.0:53'))
    const client = a.udpSocket()
    expect(client.send(bytes('question'), 0, at('10.0.0.2:53'))).toBe(8)
    client.send(new Uint8Array(0), 0, at('10.0.0.2:53'))
    pass(clock, 1e9)
    const from = received()
    expect(server.receive(buffer.subarray(0, 4), 0, from)).toBe(4)
    expect([from.size, from.address, text(buffer.subarray(0, 4))]).toEqual([8, at('10.0.0.1').address, 'ques'])
    expect(from.port).toBe(client.localAddress.port)
    expect(server.receive(buffer)).toBe(0)
    expect(server.receive(buffer)).toBe(-Errno.EAGAIN)
  })

  test('of 60 kB go in fragments; larger ones are EMSGSIZE', () => {
    const { a, b, clock } = pair()
    const server = b.udpSocket()
    server.bind(at('0.0.0.0:53'))
    const client = a.udpSocket()
    expect(client.send(new Uint8Array(60_000).fill(7), 0, at('10.0.0.2:53'))).toBe(60_000)
    expect(client.send(new Uint8Array(65_508), 0, at('10.0.0.2:53'))).toBe(-Errno.EMSGSIZE)
    pass(clock, 1e9)
    expect(server.receive(buffer)).toBe(60_000)
    expect(buffer.subarray(0, 60_000).every((byte) => byte === 7)).toBe(true)
  })

  test('where nobody listens a connected socket gets ECONNREFUSED', () => {
    const { a, clock } = pair()
    const socket = a.udpSocket()
    socket.connect(at('10.0.0.2:99'))
    socket.send(bytes('anybody?'))
    pass(clock, 1e9)
    expect(socket.poll() & Poll.err).toBe(Poll.err)
    expect(socket.receive(buffer)).toBe(-Errno.ECONNREFUSED)
    expect(socket.receive(buffer)).toBe(-Errno.EAGAIN)
  })

  test('a connected socket takes from its peer only', () => {
    const { a, b, clock } = pair()
    const [one, other] = [b.udpSocket(), b.udpSocket()]
    one.bind(at('0.0.0.0:1000'))
    other.bind(at('0.0.0.0:2000'))
    const socket = a.udpSocket()
    socket.bind(at('0.0.0.0:500'))
    socket.connect(at('10.0.0.2:1000'))
    other.send(bytes('no'), 0, at('10.0.0.1:500'))
    one.send(bytes('yes'), 0, at('10.0.0.1:500'))
    pass(clock, 1e9)
    expect(socket.receive(buffer)).toBe(3)
    expect(socket.receive(buffer)).toBe(-Errno.EAGAIN)
  })

  test('a queue that nobody reads is bounded', () => {
    const { a, b, clock } = pair()
    const server = b.udpSocket()
    server.bind(at('0.0.0.0:53'))
    const client = a.udpSocket()
    for (let count = 0; count < 5000; count++) {
      client.send(new Uint8Array(1000), 0, at('10.0.0.2:53'))
      if (count % 100 === 0) pass(clock, 1e9)
    }
    let got = 0
    while (server.receive(buffer) > 0) got++
    expect(got).toBe(Math.floor(212_992 / 1256))
  })

  test('broadcasts need SO_BROADCAST and reach every socket of the port', () => {
    const { a, b, clock } = pair()
    const servers = [b.udpSocket(), b.udpSocket()]
    for (const server of servers) {
      server.setOption(1, 2, 1)
      expect(server.bind(at('0.0.0.0:53'))).toBe(0)
    }
    const client = a.udpSocket()
    expect(client.send(bytes('x'), 0, at('10.0.0.255:53'))).toBe(-Errno.EACCES)
    client.setOption(1, 6, 1)
    for (const to of ['10.0.0.255:53', '255.255.255.255:53']) expect(client.send(bytes('x'), 0, at(to))).toBe(1)
    pass(clock, 1e9)
    for (const server of servers) expect([1, 1].map(() => server.receive(buffer))).toEqual([1, 1])
  })

  test('a group is heard by who joined it', () => {
    const { a, b, clock } = pair()
    const server = b.udpSocket()
    server.bind(at('0.0.0.0:5353'))
    const client = a.udpSocket()
    client.device = a.device('eth0')
    client.send(bytes('x'), 0, at('224.0.0.251:5353'))
    pass(clock, 1e9)
    expect(server.receive(buffer)).toBe(-Errno.EAGAIN)
    server.join(at('224.0.0.251').address)
    client.send(bytes('x'), 0, at('224.0.0.251:5353'))
    pass(clock, 1e9)
    expect(server.receive(buffer)).toBe(1)
  })
})

describe('ping', () => {
  const echo = Uint8Array.of(8, 0, 0, 0, 0, 0, 0, 1, 104, 105)

  test('through a ping socket: its own replies come back with its identifier', () => {
    const { a, clock } = pair()
    const socket = socketOf(a, 'datagram', 1)
    expect(socket.send(echo, 0, at('10.0.0.2'))).toBe(10)
    expect(socket.send(bytes('no request'), 0, at('10.0.0.2'))).toBe(-Errno.EINVAL)
    pass(clock, 1e9)
    expect(socket.receive(buffer)).toBe(10)
    expect([buffer[0], (buffer[4] << 8) | buffer[5]]).toEqual([0, socket.localAddress.port])
  })

  test('through a raw socket: whole packets, header first', () => {
    const { a, clock } = pair()
    const socket = socketOf(a, 'raw', 1)
    const request = echo.slice()
    request.set([0xf7, 0xff - 1 - 0x68 - 0], 2)
    const sum = ~(0x0800 + 1 + 0x6869) & 0xffff
    request.set([sum >> 8, sum & 255], 2)
    socket.send(request, 0, at('10.0.0.2'))
    pass(clock, 1e9)
    expect(socket.receive(buffer)).toBe(30)
    expect([buffer[0], buffer[9], buffer[20]]).toEqual([0x45, 1, 0])
  })
})

describe('packet sockets', () => {
  test('see what passes a device, with the header or without, and send frames', () => {
    const { a, b, clock } = pair()
    pass(clock, 1e9)
    const [all, udp] = [b.packetSocket(SocketType.raw, everyType), b.packetSocket(SocketType.datagram, 0x0800)]
    if (typeof all === 'number' || typeof udp === 'number') throw new Error('no packet socket')
    expect(udp.bind({ device: 77, protocol: 0 })).toBe(-Errno.ENODEV)
    expect(udp.bind({ device: b.device('eth0')?.index ?? 0, protocol: 0 })).toBe(0)
    a.udpSocket().send(bytes('hello'), 0, at('10.0.0.2:9'))
    pass(clock, 1e9)
    const from = { device: 0, protocol: 0, type: 0, mac: 0 }
    expect(udp.receive(buffer, 0, from)).toBe(33)
    expect([buffer[0], from.protocol, from.type, from.mac]).toEqual([
      0x45,
      0x0800,
      PacketType.host,
      a.device('eth0')?.mac,
    ])
    const types: string[] = []
    while (all.receive(buffer, 0, from) > 0) types.push(`${from.protocol.toString(16)} ${from.type}`)
    expect(types).toEqual(['806 1', '806 4', '800 0', '800 4'])
    const heard: number[] = []
    a.device('eth0')?.tap((frame) => heard.push(frame.length))
    expect(udp.send(new Uint8Array(50), { device: 0, protocol: 0x88b5, mac: 0xffff_ffff_ffff })).toBe(50)
    expect(udp.send(new Uint8Array(2000), { device: 0, protocol: 0x88b5, mac: 0xffff_ffff_ffff })).toBe(-Errno.EMSGSIZE)
    pass(clock, 1e9)
    expect(heard).toEqual([64])
    all.close()
    udp.close()
  })
})

describe('memory has an owner', () => {
  const account = (limit: number) => {
    const paid = { used: 0, most: 0 }
    return {
      paid,
      charge(size: number) {
        if (paid.used + size > limit) return false
        paid.used += size
        paid.most = Math.max(paid.most, paid.used)
        return true
      },
      release: (size: number) => void (paid.used -= size),
    }
  }

  test('of datagrams: what nobody pays for is lost, and all is given back', () => {
    const { a, b, clock } = pair()
    const owner = account(5000)
    const server = b.udpSocket(owner)
    server.bind(at('0.0.0.0:9'))
    const client = a.udpSocket()
    for (let count = 0; count < 10; count++) client.send(new Uint8Array(1000), 0, at('10.0.0.2:9'))
    pass(clock, 1e9)
    expect(owner.paid.used).toBe(3 * 1256)
    server.receive(buffer)
    expect(owner.paid.used).toBe(2 * 1256)
    server.close()
    expect(owner.paid.used).toBe(0)
  })

  test('of streams: the stream waits for memory, arrives whole, and all is given back', () => {
    const hosts = pair()
    const [sending, receiving] = [account(20_000), account(20_000)]
    const listener = hosts.b.streamSocket(receiving)
    listener.bind(at('0.0.0.0:80'))
    listener.listen(4)
    const client = hosts.a.streamSocket(sending)
    client.connect(at('10.0.0.2:80'))
    pass(hosts.clock, 1e9)
    client.connect(at('10.0.0.2:80'))
    const server = listener.accept()
    if (typeof server === 'number') throw new Error(`accept: ${server}`)
    const sent = noise(300_000)
    expect(sameBytes(transfer(hosts.clock, client, server, sent), sent)).toBe(true)
    for (const { paid } of [sending, receiving]) expect(paid.most).toBeGreaterThan(4000)
    client.close()
    server.close()
    listener.close()
    pass(hosts.clock, 300e9)
    expect([sending.paid.used, receiving.paid.used]).toEqual([0, 0])
  })

  test('of what was never accepted or read', () => {
    const hosts = pair()
    const owner = account(1e6)
    const listener = hosts.b.streamSocket(owner)
    listener.bind(at('0.0.0.0:80'))
    listener.listen(4)
    const clients = [1, 2].map(() => {
      const client = hosts.a.streamSocket()
      client.connect(at('10.0.0.2:80'))
      return client
    })
    pass(hosts.clock, 1e9)
    for (const client of clients) client.send(new Uint8Array(50_000))
    pass(hosts.clock, 1e9)
    expect(owner.paid.used).toBe(2 * 65_536)
    const server = listener.accept()
    if (typeof server === 'number') throw new Error(`accept: ${server}`)
    clients[0].setOption(1, 13, 0)
    clients[0].close()
    pass(hosts.clock, 1e9)
    server.close()
    listener.close()
    expect(owner.paid.used).toBe(0)
  })
})
