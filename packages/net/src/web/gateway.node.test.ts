/** The gateway with the `fetch` and the `WebSocket` of Node, and real servers behind them. */
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, connect as connectTcp, createServer as createTcpServer } from 'node:net'
import { gzipSync } from 'node:zlib'
import { Clock } from '@vmexit/core'
import { afterEach, describe, expect, test } from 'vitest'
import { at, bytes, listening, noise, sameBytes, text } from '../../test/hosts.ts'
import { pace, until } from '../../test/pace.ts'
import { webGuest as open, readAll } from '../../test/web-guest.ts'
import { type ServedWebSocket, serveWebSockets } from '../../test/web-socket-server.ts'
import { Errno, NetStack, Poll, type StreamSocket } from '../index.ts'
import { EthernetLink, type WebGatewayOptions } from '../web.ts'

const opened: (Disposable | { close(): unknown })[] = []
afterEach(() => {
  for (const one of opened.splice(0).reverse()) {
    if (Symbol.dispose in one) one[Symbol.dispose]()
    else one.close()
  }
})

function webGuest(options: Partial<WebGatewayOptions>) {
  const guest = open(options)
  opened.push(guest)
  return guest
}

describe('by fetch', () => {
  async function serving(listener: RequestListener): Promise<number> {
    const server = createServer(listener)
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    opened.push(server)
    return (server.address() as AddressInfo).port
  }

  test('requests and their bodies arrive, and answers come back decoded', async () => {
    const port = await serving((request, response) => {
      const parts: Buffer[] = []
      request.on('data', (data) => parts.push(data))
      request.on('end', () => {
        response.setHeader('set-cookie', ['a=b', 'c=d'])
        response.setHeader('content-encoding', 'gzip')
        response.end(gzipSync(`${request.method} ${request.url} ${request.headers['x-a']} ${Buffer.concat(parts)}`))
      })
    })
    const { exchange } = webGuest({ allow: [{ host: '127.0.0.1', ports: port }] })
    const answer = await exchange(
      `10.0.2.2:${port}`,
      `POST /p?q HTTP/1.1\r\nHost: 10.0.2.2:${port}\r\nX-A: b\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
    )
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(answer).toMatch(/set-cookie: a=b\r\n(.*\r\n)*set-cookie: c=d\r\n/)
    expect(answer).not.toMatch(/content-encoding|content-length/)
    expect(answer).toContain('POST /p?q b abc\r\n')
  })

  test('redirects are followed, and not to where no rule leads', async () => {
    const secret = await serving((_, response) => response.end('secret'))
    const port = await serving((request, response) => {
      if (request.url === '/here') return void response.end('here')
      response.writeHead(302, { location: request.url === '/out' ? `http://127.0.0.1:${secret}/` : '/here' }).end()
    })
    const { exchange } = webGuest({ allow: [{ host: '127.0.0.1', ports: port }] })
    expect(await exchange(`10.0.2.2:${port}`, 'GET / HTTP/1.0\r\n\r\n')).toMatch(/200 OK[\s\S]*here$/)
    const out = await exchange(`10.0.2.2:${port}`, 'GET /out HTTP/1.0\r\n\r\n')
    expect(out).toMatch(new RegExp(`502 Bad Gateway[\\s\\S]*allow 127.0.0.1 at port ${secret}`))
    expect(out).not.toContain('secret')
  })

  test('a server that nobody reaches is a 502', async () => {
    const { exchange } = webGuest({ allow: [{ host: '127.0.0.1' }] })
    expect(await exchange('10.0.2.2:1', 'GET / HTTP/1.0\r\n\r\n')).toMatch(/502 Bad Gateway/)
  })

  test('a guest that goes ends the request at the server', async () => {
    let closed = false
    const port = await serving((request, response) => {
      request.on('close', () => (closed = true))
      response.write('begin')
    })
    const { connect } = webGuest({ allow: [{ host: '127.0.0.1' }] })
    const socket = await connect(`10.0.2.2:${port}`)
    if (typeof socket === 'number') throw new Error(`connect: ${socket}`)
    socket.send(bytes('GET / HTTP/1.0\r\n\r\n'))
    await until(() => socket.readable > 0)
    socket.linger = 0
    socket.close()
    await until(() => closed)
  })
})

describe('by a relay', () => {
  /** As websockify does it: a connection for each WebSocket. */
  async function relaying(): Promise<{ url: string; asked: string[] }> {
    const asked: string[] = []
    const server = await serveWebSockets((one, request) => {
      asked.push(`${request.url} ${request.headers['sec-websocket-protocol'] ?? ''}`.trim())
      const host = connectTcp(Number(/:(\d+)/.exec(request.url ?? '')?.[1]), '127.0.0.1')
      one.onMessage = (data) => {
        if (!host.write(data)) one.socket.pause()
      }
      host.on('drain', () => one.socket.resume())
      host.on('data', (data) => one.send(data))
      host.on('end', () => one.close(1000)).on('error', () => one.close(1011))
      one.onClose = () => host.destroy()
    })
    opened.push(server)
    return { url: `${server.url}/?token={host}:{port}`, asked }
  }
  async function listeningTcp(accepted: Parameters<typeof createTcpServer>[1] & {}): Promise<number> {
    const server = createTcpServer(accepted)
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    opened.push(server)
    return (server.address() as AddressInfo).port
  }
  const connectedTo = async (guest: ReturnType<typeof webGuest>, port: number): Promise<StreamSocket> => {
    const socket = await guest.connect(`${await guest.resolve('a.example')}:${port}`)
    if (typeof socket === 'number') throw new Error(`connect: ${socket}`)
    return socket
  }

  test('2 MB there and back', async () => {
    const port = await listeningTcp((socket) => socket.pipe(socket))
    const { url, asked } = await relaying()
    const guest = webGuest({ allow: [{ host: 'a.example' }], relay: { url, protocols: ['binary'] } })
    const socket = await connectedTo(guest, port)
    expect(asked).toEqual([`/?token=a.example:${port} binary`])
    const sent = noise(2 << 20)
    const got = new Uint8Array(sent.length)
    let [there, back] = [0, 0]
    await until(() => {
      const size = socket.send(sent.subarray(there))
      if (size > 0) there += size
      const received = socket.receive(got.subarray(back))
      if (received > 0) back += received
      return back === sent.length
    })
    expect(sameBytes(got, sent)).toBe(true)
    socket.close()
    await until(() => guest.gateway.connections === 0, 40_000)
  })

  test('a server that speaks first and ends at once is heard; its end is the guest’s', async () => {
    const port = await listeningTcp((socket) => socket.end('220 welcome\r\n'))
    const guest = webGuest({ allow: [{ host: 'a.example' }], relay: { url: (await relaying()).url } })
    const socket = await connectedTo(guest, port)
    expect(text(await readAll(socket))).toBe('220 welcome\r\n')
    socket.close()
    await until(() => guest.gateway.connections === 0)
  })

  test('an answer still comes when the guest has ended its direction', async () => {
    const port = await listeningTcp((socket) => socket.once('data', () => setTimeout(() => socket.end('late'), 50)))
    const guest = webGuest({ allow: [{ host: 'a.example' }], relay: { url: (await relaying()).url } })
    const socket = await connectedTo(guest, port)
    socket.send(bytes('question'))
    socket.shutdown(1)
    expect(text(await readAll(socket))).toBe('late')
  })

  test('what the relay cannot reach is a reset, a relay that is not there a refusal, and so is what no rule allows', async () => {
    const { url, asked } = await relaying()
    const guest = webGuest({ allow: [{ host: 'a.example', ports: [1, 99] }], relay: { url } })
    // The relay knows it after the WebSocket is open: the guest may or may not have seen its connection made.
    const socket = await guest.connect(`${await guest.resolve('a.example')}:1`)
    if (typeof socket === 'number') expect(socket).toBe(Errno.ECONNRESET)
    else await expect(readAll(socket)).rejects.toThrow(`receive: -${Errno.ECONNRESET}`)
    expect(await guest.connect('198.18.0.1:100')).toBe(Errno.ECONNREFUSED)
    expect(asked).toHaveLength(1)
    const alone = webGuest({ allow: [{ host: 'a.example' }], relay: { url: 'ws://127.0.0.1:1/{host}/{port}' } })
    expect(await alone.connect(`${await alone.resolve('a.example')}:22`)).toBe(Errno.ECONNREFUSED)
    await until(() => alone.gateway.connections === 0 && guest.gateway.connections === 0)
    const without = webGuest({ allow: [{ host: 'a.example', by: 'relay' }] })
    expect(await without.connect(`${await without.resolve('a.example')}:22`)).toBe(Errno.ECONNREFUSED)
  })

  test('a relay that sends more than is kept is broken off, and a guest that resets ends the WebSocket', async () => {
    const served: ServedWebSocket[] = []
    let ended = 0
    const server = await serveWebSockets((one) => {
      served.push(one)
      one.onClose = () => ended++
    })
    opened.push(server)
    const guest = webGuest({ allow: [{ host: 'a.example' }], relay: { url: server.url }, relayBuffer: 100_000 })
    const flooded = await connectedTo(guest, 1)
    const other = await connectedTo(guest, 2)
    for (let count = 0; count < 100; count++) served[0].send(new Uint8Array(50_000))
    await until(() => ended === 1)
    served[1].send(bytes('unharmed'))
    await until(() => other.readable === 8)
    expect(guest.gateway.connections).toBe(1)
    other.linger = 0
    other.close()
    await until(() => ended === 2)
    flooded.close()
  })
})

test('two hosts on an Ethernet link of WebSockets', async () => {
  const served: ServedWebSocket[] = []
  const hub = await serveWebSockets((one) => {
    served.push(one)
    one.onMessage = (frame) => {
      for (const other of served) if (other !== one) other.send(frame)
    }
  })
  opened.push(hub)
  const clock = new Clock()
  const hosts = await Promise.all(
    [1, 2].map(async (number) => {
      const link = new EthernetLink({ url: hub.url })
      await link.opened
      const stack = new NetStack({ clock, seed: number })
      stack.configure(stack.addEthernet({ name: 'eth0' }, link)!, `10.0.0.${number}/24`)
      return { link, stack }
    }),
  )
  opened.push(pace(clock), ...hosts.map(({ link }) => link))
  const [one, other] = hosts
  const listener = listening(other.stack, 80)
  const client = one.stack.streamSocket()
  client.connect(at('10.0.0.2:80'))
  await until(() => (client.poll() & Poll.out) !== 0)
  client.send(bytes('hello'))
  let server: StreamSocket | number = -1
  await until(() => typeof (server = typeof server === 'number' ? listener.accept() : server) !== 'number')
  await until(() => (server as StreamSocket).readable === 5)
  served[0].send(new Uint8Array(3)) // no frame
  hub[Symbol.dispose]()
  await one.link.closed
  expect(one.link.send(new Uint8Array(60))).toBe(false)
})
