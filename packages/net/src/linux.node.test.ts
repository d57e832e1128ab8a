/** Against Linux's own stack, through a TAP device in a network namespace: skipped where this process may make none. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Clock } from '@vmexit/core'
import { afterEach, describe, expect, test } from 'vitest'
import { at, noise, sameBytes, socketOf } from '../test/hosts.ts'
import { pace, until } from '../test/pace.ts'
import { Errno, NetStack, Poll, type Port, type StreamSocket } from './index.ts'

const helper = fileURLToPath(new URL('../test/tap.py', import.meta.url))
const probe = spawnSync('unshare', ['--net', 'python3', helper, '10.9.0.1/24'], { input: '' })
const possible = probe.status === 0
const suite = possible ? 'a TAP device' : 'a TAP device (skipped: needs root, /dev/net/tun, unshare, ip, python3)'

const running: { child: ChildProcess; pacing: Disposable }[] = []
afterEach(() => {
  for (const { child, pacing } of running.splice(0)) {
    pacing[Symbol.dispose]()
    child.stdin?.end()
  }
})

/** A stack at 10.9.0.2, and Linux at 10.9.0.1 with a Python program beside it. */
function besideLinux(program = '') {
  const clock = new Clock()
  const command = program === '' ? [] : ['python3', '-c', program]
  const child = spawn('unshare', ['--net', 'python3', helper, '10.9.0.1/24', ...command], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let receive: ((frame: Uint8Array) => void) | undefined
  let buffered: Buffer = Buffer.alloc(0)
  let frames = 0
  child.stdout.on('data', (data: Buffer) => {
    buffered = Buffer.concat([buffered, data])
    while (buffered.length >= 2 && buffered.length >= 2 + buffered.readUInt16BE()) {
      const size = buffered.readUInt16BE()
      frames++
      receive?.(new Uint8Array(buffered.subarray(2, 2 + size)))
      buffered = buffered.subarray(2 + size)
    }
  })
  const port: Port = {
    attach: (taker) => void (receive = taker),
    send(frame) {
      const head = Buffer.alloc(2)
      head.writeUInt16BE(frame.length)
      child.stdin.write(Buffer.concat([head, frame]))
      return true
    },
  }
  const stack = new NetStack({ clock, seed: 3 })
  stack.configure(stack.addEthernet({ name: 'eth0' }, port)!, '10.9.0.2/24')
  running.push({ child, pacing: pace(clock) })
  return { clock, stack, frames: () => frames }
}

/** Connects, as often as it takes until the program listens. */
async function connect(stack: NetStack, to: string): Promise<StreamSocket> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const socket = stack.streamSocket()
    socket.connect(at(to))
    await until(() => (socket.poll() & (Poll.out | Poll.err)) !== 0)
    if (socket.connect(at(to)) === 0) return socket
    socket.close()
    await new Promise((done) => setTimeout(done, 50))
  }
  throw new Error('nobody listens')
}

async function readAll(socket: StreamSocket): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  const buffer = new Uint8Array(65536)
  let ended = false
  const read = () => {
    for (;;) {
      const size = socket.receive(buffer)
      if (size === -Errno.EAGAIN) return
      if (size <= 0) {
        ended = true
        return
      }
      parts.push(buffer.slice(0, size))
    }
  }
  socket.wake = read
  read()
  await until(() => ended)
  return new Uint8Array(Buffer.concat(parts))
}

async function writeAll(socket: StreamSocket, bytes: Uint8Array): Promise<void> {
  let sent = 0
  while (sent < bytes.length) {
    const size = socket.send(bytes.subarray(sent))
    if (size > 0) sent += size
    else await new Promise((done) => setTimeout(done, 1))
  }
  socket.shutdown(1)
}

describe.skipIf(!possible)(suite, () => {
  test('ping', async () => {
    const { stack, frames } = besideLinux()
    await until(() => frames() > 0)
    const socket = socketOf(stack, 'datagram', 1)
    await until(() => {
      socket.send(Uint8Array.of(8, 0, 0, 0, 0, 0, 0, 1), 0, at('10.9.0.1'))
      return (socket.poll() & Poll.in) !== 0
    })
    expect(socket.receive(new Uint8Array(100))).toBe(8)
  })

  test('2 MB there and back through a Linux program', async () => {
    const { stack } = besideLinux(`
import socket
s = socket.create_server(("10.9.0.1", 80))
c, _ = s.accept()
data = b""
while True:
    part = c.recv(65536)
    if not part: break
    data += part
c.sendall(data)
c.close()
`)
    const socket = await connect(stack, '10.9.0.1:80')
    const sent = noise(2 * 1024 * 1024)
    const [back] = await Promise.all([readAll(socket), writeAll(socket, sent)])
    expect(sameBytes(back, sent)).toBe(true)
    expect(socket.state).toMatch(/time-wait|closing|fin-wait/)
  })

  test('a Linux program connects to us, and is refused elsewhere', async () => {
    const { stack } = besideLinux(`
import socket, time
for i in range(100):
    try:
        c = socket.create_connection(("10.9.0.2", 80), 5)
        break
    except OSError: time.sleep(0.05)
try:
    socket.create_connection(("10.9.0.2", 81), 5)
    answer = b"connected"
except ConnectionRefusedError: answer = b"refused"
c.sendall(answer + b" " * 100000)
c.shutdown(socket.SHUT_WR)
c.recv(10)
`)
    const listener = stack.streamSocket()
    listener.bind(at('0.0.0.0:80'))
    listener.listen(4)
    await until(() => listener.poll() !== 0)
    const socket = listener.accept()
    if (typeof socket === 'number') throw new Error(`accept: ${socket}`)
    const all = await readAll(socket)
    expect(all.length).toBe(100_007)
    expect(new TextDecoder().decode(all.subarray(0, 7))).toBe('refused')
    socket.close()
  })

  test('datagrams of 20 kB in fragments, both ways', async () => {
    const { stack } = besideLinux(`
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.9.0.1", 9))
while True:
    data, peer = s.recvfrom(65536)
    s.sendto(data, peer)
`)
    const socket = stack.udpSocket()
    const sent = noise(20_000)
    const buffer = new Uint8Array(65536)
    let size = 0
    await until(() => {
      if ((size = socket.receive(buffer)) > 0) return true
      socket.send(sent, 0, at('10.9.0.1:9'))
      return false
    })
    expect(sameBytes(buffer.subarray(0, size), sent)).toBe(true)
  })
})

const tcpdump = spawnSync('tcpdump', ['--version']).status === 0

test.skipIf(!tcpdump)(`captures are read by tcpdump${tcpdump ? '' : ' (skipped: no tcpdump here)'}`, async () => {
  const { capture } = await import('../test/capture.ts')
  for (const format of ['pcap', 'pcapng'] as const) {
    const { stdout, status } = spawnSync('tcpdump', ['-nn', '-tt', '-r', '-'], { input: capture(format) })
    const lines = `${stdout}`.split('\n')
    expect(status).toBe(0)
    expect(lines[0]).toMatch(/^0\.\d+ ARP, Request who-has 10\.0\.0\.2 tell 10\.0\.0\.1/)
    expect(
      lines.some((line) =>
        /IP 10\.0\.0\.1\.\d+ > 10\.0\.0\.2\.80: Flags \[S\], seq \d+, win 65535, options \[mss 1460,nop,wscale 3\]/.test(
          line,
        ),
      ),
    ).toBe(true)
    expect(lines.join('\n')).not.toMatch(/bad|incorrect|truncated/i)
  }
})
