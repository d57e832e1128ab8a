/** A server of WebSockets (RFC 6455) for tests: binary messages, one frame each, and an end with a code. */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

export interface ServedWebSocket {
  readonly socket: Socket
  send(bytes: Uint8Array): void
  close(code?: number): void
  onMessage: (bytes: Uint8Array) => void
  onClose: () => void
}

const magic = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** Listens at a port of 127.0.0.1 that is free. Requests that `opened` answers false for are refused. */
export async function serveWebSockets(
  opened: (one: ServedWebSocket, request: IncomingMessage) => false | void,
): Promise<{ readonly url: string } & Disposable> {
  const sockets = new Set<Socket>()
  const server = createServer()
  server.on('upgrade', (request, stream, head) => {
    const socket = stream as Socket
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => {})
    const write = (opcode: number, payload: Uint8Array) => {
      const { length } = payload
      const size = length < 126 ? [length] : length < 65536 ? [126, length >> 8, length & 255] : [127, 0, 0, 0, 0]
      if (length >= 65536) size.push(length >>> 24, (length >>> 16) & 255, (length >>> 8) & 255, length & 255)
      socket.write(Buffer.concat([Uint8Array.of(0x80 | opcode, ...size), payload]))
    }
    const one: ServedWebSocket = {
      socket,
      send: (bytes) => write(2, bytes),
      close: (code = 1000) => {
        write(8, Uint8Array.of(code >> 8, code & 255))
        socket.end()
      },
      onMessage: () => {},
      onClose: () => {},
    }
    const key = `${request.headers['sec-websocket-key']}${magic}`
    const protocol = request.headers['sec-websocket-protocol']
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        `${protocol === undefined ? '' : `Sec-WebSocket-Protocol: ${protocol}\r\n`}` +
        `Sec-WebSocket-Accept: ${createHash('sha1').update(key).digest('base64')}\r\n\r\n`,
    )
    if (opened(one, request) === false) return void socket.destroy()
    let waiting: Buffer = head
    socket.on('data', (data: Buffer) => {
      waiting = Buffer.concat([waiting, data])
      for (let frame = takeFrame(waiting); frame !== undefined; frame = takeFrame(waiting)) {
        waiting = frame.rest
        if (frame.opcode === 8) socket.end()
        else one.onMessage(frame.payload)
      }
    })
    socket.on('close', () => one.onClose())
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.dispose]: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

/** A frame of a client, which is masked. */
function takeFrame(bytes: Buffer): { opcode: number; payload: Uint8Array; rest: Buffer } | undefined {
  if (bytes.length < 2) return undefined
  const short = bytes[1] & 127
  const at = short === 126 ? 4 : short === 127 ? 10 : 2
  if (bytes.length < at + 4) return undefined
  const size = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short
  if (bytes.length < at + 4 + size) return undefined
  const mask = bytes.subarray(at, at + 4)
  const payload = Uint8Array.from(bytes.subarray(at + 4, at + 4 + size), (byte, index) => byte ^ mask[index & 3])
  return { opcode: bytes[0] & 15, payload, rest: bytes.subarray(at + 4 + size) }
}
