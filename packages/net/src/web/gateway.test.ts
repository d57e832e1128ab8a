/** What guests reach by `fetch`, and what they do not; how answers look to them. In Node, and in a browser. */

import { Clock } from '@vmexit/core'
import { afterEach, describe, expect, test } from 'vitest'
import { at, bytes, noise, sameBytes, text } from '../../test/hosts.ts'
import { until } from '../../test/pace.ts'
import { webGuest as open, readAll, type WebGuest } from '../../test/web-guest.ts'
import { cable, Errno, Poll, Shutdown, type StreamSocket } from '../index.ts'
import { type Fetch, openWebGateway, type WebGatewayOptions } from '../web.ts'

const opened: WebGuest[] = []
afterEach(() => {
  for (const one of opened.splice(0)) one[Symbol.dispose]()
})

interface Asked {
  readonly url: string
  readonly init: RequestInit
}

/** A guest that may reach a.example at port 80, and what has been asked for. */
function webGuest(answer: (asked: Asked) => Response | Promise<Response>, options: Partial<WebGatewayOptions> = {}) {
  const asked: Asked[] = []
  const fetch: Fetch = async (url, init) => {
    asked.push({ url, init })
    return await answer({ url, init })
  }
  const allow = [{ host: 'a.example', ports: 80 }]
  const guest = open({ fetch, allow, ...options })
  opened.push(guest)
  return Object.assign(guest, { asked })
}

const get = (path: string, ...fields: string[]) =>
  `GET ${path} HTTP/1.1\r\n${['Host: a.example', ...fields].join('\r\n')}\r\n\r\n`
const last = (path: string, ...fields: string[]) => get(path, ...fields, 'Connection: close')
const fieldsOf = (init: RequestInit | undefined) => Object.fromEntries(new Headers(init?.headers))

/** A body that comes in parts, and tells whether it was let go. */
function streamOf(pull: (controller: ReadableStreamDefaultController<Uint8Array>) => void | Promise<void>) {
  const state = { cancelled: false, pulled: 0 }
  const stream = new ReadableStream<Uint8Array>(
    {
      pull: (controller) => {
        state.pulled++
        return pull(controller)
      },
      cancel: () => void (state.cancelled = true),
    },
    { highWaterMark: 0 },
  )
  return Object.assign(state, { stream })
}

describe('what is reached', () => {
  test('a name that a rule allows, by an address of the gateway’s own', async () => {
    const { resolve, exchange, asked, gateway } = webGuest(
      () =>
        new Response('hello', {
          headers: { 'x-one': 'two', 'content-encoding': 'gzip', connection: 'x-gone', 'x-gone': 'y' },
        }),
    )
    const address = await resolve('A.example')
    expect(address).toBe('198.18.0.1')
    expect(await resolve('a.example')).toBe(address)
    const answer = await exchange(
      `${address}:80`,
      last('/news?n=1', 'X-A: b', 'User-Agent: Wget', 'Accept-Encoding: gzip'),
    )
    expect(answer).toBe(
      'HTTP/1.1 200 \r\ncontent-type: text/plain;charset=UTF-8\r\nx-one: two\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n' +
        '5\r\nhello\r\n0\r\n\r\n',
    )
    const [{ url, init }] = asked
    expect(url).toBe('http://a.example/news?n=1')
    expect(fieldsOf(init)).toEqual({ 'x-a': 'b' })
    expect(init).toMatchObject({ method: 'GET', credentials: 'omit', cache: 'no-store', redirect: 'follow' })
    await until(() => gateway.connections === 0)
  })

  test('nothing else: names are refused, and connections', async () => {
    const { resolve, connect, asked, denied } = webGuest(() => new Response(''), {
      allow: [{ host: 'a.example', ports: 80 }, { host: 'udp.example', protocol: 'udp' }, { host: '*.localhost' }],
    })
    expect(await resolve('b.example')).toBe(5)
    expect(await resolve('evil.localhost')).toBe(5)
    const [a, udp] = [await resolve('a.example'), await resolve('udp.example')]
    for (const to of [`${a}:81`, `${udp}:80`, '198.18.0.99:80', '93.184.216.34:80', '10.0.2.2:80']) {
      expect(await connect(to), to).toBe(Errno.ECONNREFUSED)
    }
    expect(asked).toEqual([])
    expect(denied.map(({ protocol, host, port }) => `${protocol} ${host} ${port}`)).toEqual([
      ...['dns b.example 53', 'dns evil.localhost 53', 'tcp a.example 81', 'tcp udp.example 80', 'tcp 198.18.0.99 80'],
      ...['tcp 93.184.216.34 80', 'tcp 127.0.0.1 80'],
    ])
  })

  test('nothing at all unless it is opened with rules', async () => {
    const { resolve, connect } = webGuest(() => new Response(''), { allow: [] })
    expect(await resolve('a.example')).toBe(5)
    expect(await connect('198.18.0.1:80')).toBe(Errno.ECONNREFUSED)
  })

  test('by HTTPS where the rule says so; addresses and this host by rules of their own', async () => {
    const { resolve, exchange, asked } = webGuest(() => new Response(''), {
      allow: [
        { host: 'a.example', ports: [80, 90], by: 'https' },
        { host: '192.0.2.0/24', ports: 8080 },
        { host: '127.0.0.1', ports: 3000 },
      ],
    })
    const address = await resolve('a.example')
    await exchange(`${address}:80`, last('/'))
    await exchange(`${address}:90`, 'GET / HTTP/1.1\r\nHost: a.example:90\r\nConnection: close\r\n\r\n')
    await exchange('192.0.2.7:8080', 'GET / HTTP/1.0\r\n\r\n')
    await exchange('10.0.2.2:3000', 'GET / HTTP/1.0\r\nHost: my-machine:3000\r\n\r\n')
    expect(asked.map(({ url }) => url)).toEqual([
      ...['https://a.example/', 'https://a.example:90/', 'http://192.0.2.7:8080/', 'http://127.0.0.1:3000/'],
    ])
  })

  test('an answer that a redirect has led to is given only where a rule allows its place', async () => {
    let from = ''
    const { resolve, exchange } = webGuest(() => Object.defineProperty(new Response('moved'), 'url', { value: from }), {
      allow: [
        { host: 'a.example', ports: 80 },
        { host: 'b.example', ports: 443 },
        { host: '127.0.0.1', ports: 9 },
      ],
    })
    const address = await resolve('a.example')
    const statusFrom = async (url: string) => {
      from = url
      return (await exchange(`${address}:80`, last('/'))).slice(9, 12)
    }
    for (const url of ['http://a.example/other', 'https://a.example/', 'https://b.example/', 'http://127.0.0.1:9/']) {
      expect(await statusFrom(url), url).toBe('200')
    }
    for (const url of [
      'http://b.example/',
      'http://c.example/',
      'http://127.0.0.1/',
      'http://localhost:9/',
      'data:,a',
    ]) {
      expect(await statusFrom(url), url).toBe('502')
    }
  })

  test('a network that has the addresses which stand for names is an error with a remedy', () => {
    const [, port] = cable(new Clock())
    const open = (more: object) => () => openWebGateway({ clock: new Clock(), seed: 1, port, ...more })
    expect(open({ network: '198.19.0.0/24' })).toThrow(/10\.0\.2\.0\/24/)
    expect(open({ relay: { url: 'https://relay.example/' } })).toThrow(/wss:/)
  })
})

describe('connections', () => {
  test('carry one request behind the other, answered in order however slow each is', async () => {
    const { resolve, exchange, asked } = webGuest(async ({ url, init }) => {
      await new Promise((done) => setTimeout(done, url.endsWith('slow') ? 30 : 0))
      const body = init.body instanceof Uint8Array ? text(init.body) : ''
      return new Response(`${init.method} ${new URL(url).pathname} ${body}`)
    })
    const address = await resolve('a.example')
    const chunked =
      'POST /c HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n'
    const post = 'POST /p HTTP/1.1\r\nHost: a.example\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nfour'
    const answer = await exchange(`${address}:80`, get('/slow') + chunked + post + last('/last') + get('/never'))
    expect(answer.match(/(GET|POST) .*|HTTP\/1.1 100.*/g)?.map((line) => line.trim())).toEqual([
      ...['GET /slow', 'POST /c abcde', 'HTTP/1.1 100 Continue', 'POST /p four', 'GET /last'],
    ])
    expect(asked).toHaveLength(4)
  })

  test('of HTTP/1.0 end with the answer, and heads alone have no body', async () => {
    const { resolve, exchange } = webGuest(() => new Response('hello', { headers: { 'content-length': '5' } }))
    const address = await resolve('a.example')
    expect(await exchange(`${address}:80`, 'GET / HTTP/1.0\r\n\r\n')).toMatch(
      /content-length: 5\r\nconnection: close\r\n\r\nhello$/,
    )
    const head = 'HEAD / HTTP/1.1\r\nHost: a.example\r\n\r\n'
    const both = await exchange(`${address}:80`, head + head.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'))
    expect(both.match(/content-length: 5/g)).toHaveLength(2)
    expect(both).not.toContain('hello')
  })

  test('4 MB there and 4 MB back', async () => {
    const sent = noise(4 << 20)
    const { resolve, connect } = webGuest(({ init }) => new Response(init.body as Uint8Array<ArrayBuffer>))
    const socket = await connect(`${await resolve('a.example')}:80`)
    if (typeof socket === 'number') throw new Error(`connect: ${socket}`)
    socket.send(bytes(`PUT / HTTP/1.0\r\nContent-Length: ${sent.length}\r\n\r\n`))
    let at = 0
    const write = () => {
      for (let size = 1; size > 0 && at < sent.length; at += Math.max(0, size)) size = socket.send(sent.subarray(at))
    }
    socket.wake = write
    write()
    const answer = await readAll(socket)
    expect(sameBytes(answer.subarray(answer.length - sent.length), sent)).toBe(true)
  })

  test('are bounded', async () => {
    const { resolve, connect, gateway } = webGuest(() => new Response(''), { connections: 2 })
    const address = await resolve('a.example')
    const results = []
    for (let count = 0; count < 3; count++) {
      results.push(typeof (await connect(`${address}:80`)))
      await until(() => gateway.connections === Math.min(2, count + 1))
    }
    expect(results).toEqual(['object', 'object', 'number'])
  })
})

describe('errors', () => {
  const status = (answer: string) => answer.slice(9, 12)

  test('of requests are answered with what is wrong, and end the connection', async () => {
    const { resolve, exchange, asked } = webGuest(() => new Response(''), { bodyLimit: 10 })
    const to = `${await resolve('a.example')}:80`
    const host = '\r\nHost: a.example\r\n'
    for (const [said, expected] of [
      [`GET / HTTP/1.1${host}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`, '400'],
      [`GET / HTTP/1.1${host}X: a\r\n b\r\n\r\n`, '400'],
      ['GET / HTTP/1.1\r\nHost: other.example\r\n\r\n', '421'],
      ['GET / HTTP/1.1\r\nHost: a.example:81\r\n\r\n', '421'],
      ['GET / HTTP/1.1\r\nHost: a.example@b.example\r\n\r\n', '400'],
      [`GET http://other.example/ HTTP/1.1${host}\r\n`, '421'],
      [`GET no-path HTTP/1.1${host}\r\n`, '400'],
      [`CONNECT a.example:80 HTTP/1.1${host}\r\n`, '501'],
      [`TRACE / HTTP/1.1${host}\r\n`, '501'],
      [`OPTIONS * HTTP/1.1${host}\r\n`, '501'],
      [`GET / HTTP/1.1${host}Content-Length: 1\r\n\r\nx`, '501'],
      [`GET / HTTP/1.1${host}Expect: more\r\n\r\n`, '417'],
      [`POST / HTTP/1.1${host}Content-Length: 11\r\n\r\n`, '413'],
      [`POST / HTTP/1.1${host}Transfer-Encoding: chunked\r\n\r\nb\r\n01234567890\r\n`, '413'],
      [`GET / HTTP/1.1${host}X: ${'y'.repeat(70_000)}`, '431'],
    ]) {
      const answer = await exchange(to, said + get('/second'))
      expect(status(answer), said.slice(0, 100)).toBe(expected)
      expect(answer).toMatch(/connection: close\r\n\r\n.+\n.+\n$/)
    }
    expect(asked).toEqual([])
  })

  test('of names that no URL can have', async () => {
    const { resolve, exchange, asked } = webGuest(() => new Response('well'), { allow: [{ host: 'a.1' }] })
    const to = `${await resolve('a.1')}:80`
    expect(status(await exchange(to, 'GET / HTTP/1.1\r\nHost: a.1\r\n\r\n'))).toBe('421')
    expect(asked).toEqual([])
  })

  test('of more bodies at once than there is room for', async () => {
    const { resolve, exchange, connect } = webGuest(() => new Response('well'), { buffers: 10_000 })
    const to = `${await resolve('a.example')}:80`
    const post = (size: number, said: number) =>
      `POST / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\nContent-Length: ${size}\r\n\r\n${'x'.repeat(said)}`
    const held = await connect(to)
    if (typeof held === 'number') throw new Error(`connect: ${held}`)
    held.send(bytes(post(5000, 4999)))
    await until(() => held.unsent === 0)
    expect(status(await exchange(to, post(5000, 5000)))).toBe('413')
    held.send(bytes('x'))
    expect(text(await readAll(held))).toContain('well')
    expect(status(await exchange(to, post(5000, 5000)))).toBe('200')
  })

  test('of the network and of other origins are a 502 that names cause and remedy', async () => {
    const { resolve, exchange } = webGuest(() => {
      throw new TypeError('Failed to fetch')
    })
    const answer = await exchange(`${await resolve('a.example')}:80`, get('/'))
    expect(answer).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n/)
    expect(answer).toMatch(
      /http:\/\/a\.example could not be asked: Failed to fetch\n.*Access-Control-Allow-Origin.*by: 'https'/,
    )
  })

  test('a server that breaks off is a reset, never an end in order; nobody else notices', async () => {
    const { resolve, connect, exchange, gateway } = webGuest(({ url }) => {
      if (!url.endsWith('broken')) return new Response('well')
      const { stream } = streamOf((controller) => controller.error(new TypeError('network error')))
      return new Response(stream)
    })
    const to = `${await resolve('a.example')}:80`
    const socket = await connect(to)
    if (typeof socket === 'number') throw new Error(`connect: ${socket}`)
    socket.send(bytes(get('/broken')))
    await expect(readAll(socket)).rejects.toThrow(`receive: -${Errno.ECONNRESET}`)
    expect(await exchange(to, last('/'))).toContain('well')
    await until(() => gateway.connections === 0)
  })

  test('a server that sends more, or less, than it has said does not deceive the guest', async () => {
    const { resolve, connect } = webGuest(
      ({ url }) =>
        new Response(url.endsWith('less') ? 'hell' : 'hello HTTP/1.1 200', { headers: { 'content-length': '5' } }),
    )
    const to = `${await resolve('a.example')}:80`
    for (const path of ['/less', '/more']) {
      const socket = await connect(to)
      if (typeof socket === 'number') throw new Error(`connect: ${socket}`)
      socket.send(bytes(get(path)))
      await expect(readAll(socket)).rejects.toThrow('receive:')
    }
  })
})

describe('a server without end', () => {
  test('is read no faster than the guest does, and let go when the guest goes', async () => {
    const endless = streamOf((controller) => controller.enqueue(new Uint8Array(65536)))
    const { resolve, connect, gateway, asked } = webGuest(() => new Response(endless.stream))
    const socket = await connect(`${await resolve('a.example')}:80`)
    if (typeof socket === 'number') throw new Error(`connect: ${socket}`)
    socket.send(bytes(get('/')))
    await until(() => socket.readable > 200_000)
    await new Promise((done) => setTimeout(done, 100))
    expect(endless.pulled).toBeLessThan(20) // 512 kB fit the two buffers
    socket.close()
    await until(() => gateway.connections === 0)
    expect(asked[0].init.signal?.aborted).toBe(true)
  })

  test('and one that never answers is aborted by a guest that resets, or by the end of the gateway', async () => {
    const { resolve, connect, gateway, asked } = webGuest(
      ({ init }) => new Promise((_, fail) => init.signal?.addEventListener('abort', () => fail(new Error('aborted')))),
    )
    const to = `${await resolve('a.example')}:80`
    for (let count = 0; count < 2; count++) {
      const socket = await connect(to)
      if (typeof socket === 'number') throw new Error(`connect: ${socket}`)
      socket.send(bytes(get('/')))
      await until(() => asked.length === count + 1)
      if (count === 0) {
        socket.linger = 0
        socket.close()
      } else gateway[Symbol.dispose]()
      await until(() => gateway.connections === 0)
      expect(asked[count].init.signal?.aborted).toBe(true)
    }
  })

  test('and one that never answers is aborted when its guest has closed, not reset, and is gone for a while', async () => {
    const { resolve, connect, gateway, guest, asked } = webGuest(
      ({ init }) => new Promise((_, fail) => init.signal?.addEventListener('abort', () => fail(new Error('aborted')))),
    )
    const socket = await connect(`${await resolve('a.example')}:80`)
    if (typeof socket === 'number') throw new Error(`connect: ${socket}`)
    socket.send(bytes(get('/')))
    await until(() => asked.length === 1)
    socket.close()
    const { clock } = guest.ip
    for (let seconds = 0; seconds < 300; seconds++) clock.advanceTo(clock.now + clock.ticks(1e9))
    await until(() => gateway.connections === 0)
    expect(asked[0].init.signal?.aborted).toBe(true)
  })

  test('and one whose guest says it has ended, and takes nothing, still counts', async () => {
    const { resolve, connect, gateway } = webGuest(() => new Response(new Uint8Array(400 << 10)), { connections: 2 })
    const to = `${await resolve('a.example')}:80`
    const sockets: StreamSocket[] = []
    for (let count = 0; count < 2; count++) {
      const socket = await connect(to)
      if (typeof socket === 'number') throw new Error(`connect: ${socket}`)
      socket.send(bytes(last('/')))
      socket.shutdown(Shutdown.write)
      await until(() => socket.readable > 200_000)
      sockets.push(socket)
    }
    await new Promise((done) => setTimeout(done, 50))
    expect(await connect(to)).toBe(Errno.ECONNREFUSED)
    for (const socket of sockets) expect((await readAll(socket)).length).toBeGreaterThan(400 << 10)
    await until(() => gateway.connections === 0)
  })
})

test('nothing is asked behind the end of a gateway, also by a guest in the middle of its handshake', async () => {
  const { resolve, guest, gateway, asked } = webGuest(() => new Response('well'))
  const to = at(`${await resolve('a.example')}:80`)
  const { tcp } = guest
  const held: Parameters<typeof tcp.send>[] = []
  const send = tcp.send.bind(tcp)
  const socket = guest.streamSocket()
  socket.connect(to)
  tcp.send = (...segment) => {
    held.push(segment)
    return 0
  }
  await until(() => held.length > 0)
  gateway[Symbol.dispose]()
  tcp.send = send
  for (const segment of held) tcp.send(...segment)
  socket.send(bytes(get('/')))
  await until(() => (socket.poll() & Poll.err) !== 0)
  expect([asked.length, gateway.connections]).toEqual([0, 0])
})

test('an answer without content says so, since the connection goes on', async () => {
  const { resolve, exchange } = webGuest(() => new Response(null, { status: 205 }))
  const answer = await exchange(`${await resolve('a.example')}:80`, get('/') + last('/'))
  expect(answer).toMatch(/^HTTP\/1\.1 205 \r\ncontent-length: 0\r\n\r\nHTTP\/1\.1 205 /)
})
