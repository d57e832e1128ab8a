import { execFile } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, connect, createServer } from 'node:net'
import { promisify } from 'node:util'
import { Clock } from '@vmexit/core'
import { afterEach, describe, expect, test } from 'vitest'
import { at, bytes, noise, sameBytes, socketOf, text } from '../../test/hosts.ts'
import { pace, until } from '../../test/pace.ts'
import { cable, Errno, formatIpv4, NetStack, Poll, received, type StreamSocket } from '../index.ts'
import { type Denial, type GatewayOptions, openGateway } from '../node.ts'

const opened: (Disposable | AsyncDisposable | { close(): unknown })[] = []
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) {
    if (Symbol.asyncDispose in one) await one[Symbol.asyncDispose]()
    else if (Symbol.dispose in one) one[Symbol.dispose]()
    else one.close()
  }
})

/** A guest at 10.0.2.15 behind a gateway. */
async function behindGateway(options: Partial<GatewayOptions> = {}) {
  const clock = new Clock()
  const [inside, outside] = cable(clock)
  const denied: Denial[] = []
  const gateway = await openGateway({ clock, seed: 1, port: outside, onDenied: (one) => denied.push(one), ...options })
  const guest = new NetStack({ clock, seed: 2 })
  const device = guest.addEthernet({ name: 'eth0' }, inside)!
  guest.configure(device, '10.0.2.15/24')
  guest.addRoute('0.0.0.0/0', '10.0.2.2')
  opened.push(gateway, pace(clock))
  return { clock, gateway, guest, denied, device }
}

async function connected(guest: NetStack, to: string): Promise<StreamSocket | number> {
  const socket = guest.streamSocket()
  socket.connect(at(to))
  await until(() => (socket.poll() & (Poll.out | Poll.err)) !== 0)
  return -socket.connect(at(to)) || socket
}

async function readAll(socket: StreamSocket): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  const buffer = new Uint8Array(65536)
  await until(() => {
    for (;;) {
      const size = socket.receive(buffer)
      if (size === -Errno.EAGAIN) return false
      if (size <= 0) return true
      parts.push(buffer.slice(0, size))
    }
  })
  return new Uint8Array(Buffer.concat(parts))
}

async function listenOnHost(onConnection: Parameters<typeof createServer>[1] & {}): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, onConnection)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  opened.push(server)
  return (server.address() as AddressInfo).port
}

describe('from a guest to the host', () => {
  test('nothing is reached unless a rule allows it: refused, and told', async () => {
    const port = await listenOnHost(() => {})
    const { guest, denied } = await behindGateway()
    expect(await connected(guest, `10.0.2.2:${port}`)).toBe(Errno.ECONNREFUSED)
    expect(denied).toEqual([{ protocol: 'tcp', host: '127.0.0.1', port, guest: '10.0.2.15' }])
  })

  test('HTTP from a Node server on the host', async () => {
    const server = createHttpServer((request, response) => response.end(`you asked for ${request.url}`))
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    opened.push(server)
    const { port } = server.address() as AddressInfo
    const { guest } = await behindGateway({ allow: [{ host: '127.0.0.1', ports: port }] })
    const socket = await connected(guest, `10.0.2.2:${port}`)
    if (typeof socket === 'number') throw new Error(`connect: ${socket}`)
    socket.send(bytes('GET /news HTTP/1.0\r\n\r\n'))
    const answer = text(await readAll(socket))
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK/)
    expect(answer).toMatch(/you asked for \/news$/)
  })

  test('2 MB there and back, with half-closed connections, each side as fast as the other', async () => {
    const port = await listenOnHost((host) => {
      const parts: Buffer[] = []
      host.on('data', (data) => parts.push(data))
      host.on('end', () => host.end(Buffer.concat(parts)))
    })
    const { guest, gateway } = await behindGateway({ allow: [{ host: '127.0.0.1' }] })
    const socket = await connected(guest, `10.0.2.2:${port}`)
    if (typeof socket === 'number') throw new Error(`connect: ${socket}`)
    const sent = noise(2 * 1024 * 1024)
    for (let at = 0; at < sent.length; ) {
      const size = socket.send(sent.subarray(at))
      if (size > 0) at += size
      else await new Promise((done) => setTimeout(done, 1))
    }
    socket.shutdown(1)
    const back = await readAll(socket)
    expect(back.length).toBe(sent.length)
    expect(sameBytes(back, sent)).toBe(true)
    await until(() => gateway.connections === 0)
  })

  test('what the host sent before it closed arrives, however late the guest reads', async () => {
    let size = 0
    let closed = false
    const port = await listenOnHost((host) => {
      host.resume().on('close', () => (closed = true))
      host.end(new Uint8Array(size))
    })
    const { guest, gateway } = await behindGateway({ allow: [{ host: '127.0.0.1' }] })
    for (size = 300_000; size < 700_000; size += 40_000) {
      closed = false
      const socket = guest.streamSocket()
      socket.setOption(1, 8, 40_000)
      socket.connect(at(`10.0.2.2:${port}`))
      await until(() => (socket.poll() & Poll.in) !== 0)
      socket.shutdown(1)
      const buffer = new Uint8Array(100_000)
      let got = 0
      await new Promise((done) => setTimeout(done, 20)) // all buffers fill, and the host's end waits behind them
      for (let read = socket.receive(buffer); read !== 0; read = socket.receive(buffer)) {
        if (read > 0) got += read
        else if (read !== -Errno.EAGAIN) throw new Error(`receive: ${read}`)
        await new Promise((done) => setTimeout(done, 1))
      }
      expect(got).toBe(size)
      socket.close()
      await until(() => closed && gateway.connections === 0)
    }
  })

  test('a port where nobody listens is refused, as the host refuses it', async () => {
    const { guest, denied } = await behindGateway({ allow: [{ host: '127.0.0.1' }] })
    expect(await connected(guest, '10.0.2.2:1')).toBe(Errno.ECONNREFUSED)
    expect(denied).toEqual([])
  })

  test('a host that resets is a reset inside', async () => {
    const port = await listenOnHost((host) => host.once('data', () => host.resetAndDestroy()))
    const { guest } = await behindGateway({ allow: [{ host: '127.0.0.1' }] })
    const socket = await connected(guest, `10.0.2.2:${port}`)
    if (typeof socket === 'number') throw new Error(`connect: ${socket}`)
    socket.send(bytes('x'))
    await until(() => (socket.poll() & Poll.err) !== 0)
    expect(socket.receive(new Uint8Array(1))).toBe(-Errno.ECONNRESET)
  })

  test('connections are bounded', async () => {
    const port = await listenOnHost((host) => host.resume().on('end', () => host.end()))
    const { guest } = await behindGateway({ allow: [{ host: '127.0.0.1' }], connections: 2 })
    const results = []
    for (let count = 0; count < 3; count++) results.push(typeof (await connected(guest, `10.0.2.2:${port}`)))
    expect(results).toEqual(['object', 'object', 'number'])
  })

  test('datagrams, with the answer from where it was asked', async () => {
    const server = createSocket('udp4')
    server.on('message', (data, { port, address }) => server.send(`got ${data}`, port, address))
    await new Promise<void>((done) => server.bind(0, '127.0.0.1', done))
    opened.push(server)
    const { port } = server.address()
    const { guest, denied } = await behindGateway({ allow: [{ host: '127.0.0.1', protocol: 'udp', ports: port }] })
    const socket = guest.udpSocket()
    socket.send(bytes('this'), 0, at(`10.0.2.2:${port}`))
    await until(() => (socket.poll() & Poll.in) !== 0)
    const buffer = new Uint8Array(100)
    const from = received()
    expect(text(buffer.subarray(0, socket.receive(buffer, 0, from)))).toBe('got this')
    expect([formatIpv4(from.address), from.port]).toEqual(['10.0.2.2', port])
    const refused = guest.udpSocket()
    refused.connect(at('10.0.2.2:9'))
    refused.send(bytes('no'))
    await until(() => (refused.poll() & Poll.err) !== 0)
    expect(denied).toEqual([{ protocol: 'udp', host: '127.0.0.1', port: 9, guest: '10.0.2.15' }])
  })

  test('the gateway answers ping', async () => {
    const { guest } = await behindGateway()
    const socket = socketOf(guest, 'datagram', 1)
    socket.send(Uint8Array.of(8, 0, 0, 0, 0, 0, 0, 1), 0, at('10.0.2.2'))
    await until(() => (socket.poll() & Poll.in) !== 0)
  })
})

describe('published ports', () => {
  const serve = (guest: NetStack, answer: string) => {
    const listener = guest.streamSocket()
    listener.bind(at('0.0.0.0:80'))
    listener.listen(16)
    listener.wake = () => {
      for (let socket = listener.accept(); typeof socket !== 'number'; socket = listener.accept()) {
        const one = socket
        const buffer = new Uint8Array(4096)
        one.wake = () => {
          const size = one.receive(buffer)
          if (size === -Errno.EAGAIN) return
          if (size > 0) one.send(bytes(`HTTP/1.0 200 OK\r\n\r\n${answer}`))
          one.close()
        }
        one.wake()
      }
    }
  }

  test('curl and Node reach a server in a guest', async () => {
    const publish = [{ hostPort: 0, guestAddress: '10.0.2.15', guestPort: 80 }]
    const { guest, gateway } = await behindGateway({ publish })
    serve(guest, 'hello from inside')
    const [{ hostPort }] = gateway.published
    expect(await (await fetch(`http://127.0.0.1:${hostPort}/`)).text()).toBe('hello from inside')
    const curl = await promisify(execFile)('curl', ['-s', `http://127.0.0.1:${hostPort}/`]).catch((error) => error)
    if (curl.code === 'ENOENT') return // no curl here
    expect(curl.stdout).toBe('hello from inside')
    await until(() => gateway.connections === 0)
  })

  test('where nobody listens inside, the host’s connection ends', async () => {
    const { gateway } = await behindGateway({ publish: [{ hostPort: 0, guestAddress: '10.0.2.15', guestPort: 81 }] })
    const socket = connect(gateway.published[0].hostPort, '127.0.0.1')
    const ended = new Promise<string>((done) => {
      socket.on('error', (error: NodeJS.ErrnoException) => done(error.code ?? ''))
      socket.on('close', () => done('closed'))
    })
    expect(await ended).toMatch(/ECONNRESET|closed/)
  })

  test('a port that is taken is an error with a remedy', async () => {
    const port = await listenOnHost(() => {})
    const publish = [{ hostPort: port, guestAddress: '10.0.2.15', guestPort: 80 }]
    await expect(behindGateway({ publish })).rejects.toMatchObject({
      code: 'net-publish',
      remedy: expect.stringMatching('another'),
    })
  })

  test('datagrams', async () => {
    const { guest, gateway } = await behindGateway({
      publish: [{ protocol: 'udp', hostPort: 0, guestAddress: '10.0.2.15', guestPort: 53 }],
    })
    const server = guest.udpSocket()
    server.bind(at('0.0.0.0:53'))
    server.wake = () => {
      const buffer = new Uint8Array(100)
      const from = received()
      const size = server.receive(buffer, 0, from)
      if (size > 0) server.send(buffer.subarray(0, size).reverse(), 0, from)
    }
    const socket = createSocket('udp4')
    opened.push(socket)
    const answer = new Promise<string>((done) => socket.on('message', (data) => done(`${data}`)))
    socket.send('abc', gateway.published[0].hostPort, '127.0.0.1')
    expect(await answer).toBe('cba')
  })
})

describe('DNS and DHCP', () => {
  const query = (name: string, type = 1) => {
    const labels = name.split('.').flatMap((label) => [label.length, ...bytes(label)])
    return Uint8Array.of(0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 0, type, 0, 1)
  }
  const ask = async (guest: NetStack, question: Uint8Array) => {
    const socket = guest.udpSocket()
    socket.send(question, 0, at('10.0.2.3:53'))
    await until(() => (socket.poll() & Poll.in) !== 0)
    const buffer = new Uint8Array(512)
    return buffer.subarray(0, socket.receive(buffer))
  }

  test('names that a rule allows are answered from the host, others refused', async () => {
    const { guest, denied } = await behindGateway({ allow: [{ host: 'localhost' }] })
    const answer = await ask(guest, query('localhost'))
    expect([answer[2] & 0x80, answer[3] & 15, answer[7]]).toEqual([0x80, 0, 1])
    expect([...answer.subarray(-4)]).toEqual([127, 0, 0, 1])
    expect((await ask(guest, query('localhost', 28)))[7]).toBe(0)
    expect((await ask(guest, query('localhost', 16)))[3] & 15).toBe(4)
    expect((await ask(guest, query('secrets.evil.example')))[3] & 15).toBe(5)
    expect(denied).toEqual([{ protocol: 'dns', host: 'secrets.evil.example', port: 53, guest: '10.0.2.15' }])
  })

  test('DHCP gives out an address, the router, DNS', async () => {
    const { guest, device } = await behindGateway()
    guest.ip.interfaces.removeAddress(device, at('10.0.2.15').address)
    const socket = guest.udpSocket()
    socket.device = device
    socket.setOption(1, 6, 1)
    socket.bind(at('0.0.0.0:68'))
    const message = (type: number, ...options: number[]) => {
      const frame = new Uint8Array(300)
      frame.set([1, 1, 6, 0, 0xaa, 0xbb, 0xcc, 0xdd])
      frame.set([2, 0, 0, 0, 0, 9], 28)
      frame.set([0x63, 0x82, 0x53, 0x63, 53, 1, type, ...options, 255], 236)
      return frame
    }
    const exchange = async (request: Uint8Array) => {
      expect(socket.send(request, 0, at('255.255.255.255:67'))).toBe(300)
      await until(() => (socket.poll() & Poll.in) !== 0)
      const buffer = new Uint8Array(600)
      return buffer.subarray(0, socket.receive(buffer))
    }
    const offer = await exchange(message(1))
    expect([offer[0], offer[242], ...offer.subarray(16, 20)]).toEqual([2, 2, 10, 0, 2, 15])
    const granted = await exchange(message(3, 50, 4, 10, 0, 2, 15))
    expect([granted[242], ...granted.subarray(4, 8)]).toEqual([5, 0xaa, 0xbb, 0xcc, 0xdd])
    expect([...granted.subarray(240)].join(' ')).toContain('1 4 255 255 255 0 3 4 10 0 2 2 6 4 10 0 2 3')
    expect((await exchange(message(3, 50, 4, 10, 0, 2, 99)))[242]).toBe(6)
  })
})
