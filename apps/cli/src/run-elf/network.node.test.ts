/** The network of `vmexit run-elf`: published ports, and what is reached outside. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { parseAllowance, parsePublication } from './network.ts'

const main = fileURLToPath(new URL('../main.ts', import.meta.url))
const root = join(homedir(), '.cache/vmexit/guests/busybox/initramfs.gz')
const isThere = existsSync(root)

describe('the command line of the network', () => {
  it.each([
    ['80', { hostPort: 0, guestPort: 80 }],
    ['8080:80', { hostPort: 8080, guestPort: 80 }],
    ['0.0.0.0:8080:80/tcp', { hostAddress: '0.0.0.0', hostPort: 8080, guestPort: 80 }],
    ['53:53/udp', { hostPort: 53, guestPort: 53, protocol: 'udp' }],
    ['80:', undefined],
    ['8080:80000', undefined],
    ['8080:0', undefined],
    ['a:b', undefined],
  ])('takes %s for a publication, or not', (text, expected) => {
    expect(parsePublication(text)).toEqual(expected)
  })
  it.each([
    ['deb.debian.org', { host: 'deb.debian.org' }],
    ['*.debian.org:80', { host: '*.debian.org', ports: [80, 80] }],
    ['192.0.2.0/24:8000-8100/tcp', { host: '192.0.2.0/24', ports: [8000, 8100], protocol: 'tcp' }],
    ['10.0.2.2:9', { host: '127.0.0.1', ports: [9, 9] }],
    ['host:0', undefined],
    ['host:99999', undefined],
    ['a b', undefined],
  ])('takes %s for a host that is allowed, or not', (text, expected) => {
    expect(parseAllowance(text)).toEqual(expected)
  })
})

describe.skipIf(!isThere)(
  `a program on the network${isThere ? '' : ' (skipped: `vmexit guests` has not fetched busybox)'}`,
  () => {
    const running: ChildProcess[] = []
    const servers: Server[] = []
    afterEach(() => {
      for (const child of running.splice(0)) child.kill('SIGKILL')
      for (const server of servers.splice(0)) server.close()
    })

    /** Starts a script; what it prints so far, and its end. */
    function start(script: string, ...flags: string[]) {
      const command = [
        '--conditions=@vmexit/source',
        main,
        'run-elf',
        '--root',
        root,
        ...flags,
        'busybox',
        'sh',
        '-c',
        script,
      ]
      const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'pipe'] })
      running.push(child)
      const told = { out: '', err: '' }
      child.stdout.on('data', (bytes: Buffer) => void (told.out += bytes.toString()))
      child.stderr.on('data', (bytes: Buffer) => void (told.err += bytes.toString()))
      const ended = new Promise<number | null>((done) => child.on('close', (code) => done(code)))
      return { told, ended }
    }
    async function until(holds: () => boolean): Promise<void> {
      for (const end = performance.now() + 40_000; !holds(); ) {
        if (performance.now() > end) throw new Error('it did not come to that')
        await new Promise((done) => setTimeout(done, 20))
      }
    }
    async function serve(): Promise<number> {
      const server = createServer((request, response) => response.end(`${request.method} ${request.url}\n`))
      servers.push(server)
      await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
      return (server.address() as AddressInfo).port
    }

    it('serves this machine by a published port', async () => {
      const { told, ended } = start(
        'mkdir /tmp/w; seq 50000 > /tmp/w/numbers; echo ready; exec busybox httpd -f -p 80 -h /tmp/w',
        ...['-p', '0:80'],
      )
      await until(() => told.out.includes('ready') && told.err.includes('leads to'))
      const port = Number(/127\.0\.0\.1:(\d+) leads to port 80\/tcp/.exec(told.err)?.[1])
      const texts = await Promise.all(
        [1, 2, 3].map(async () => {
          for (let tries = 0; ; tries++) {
            try {
              return await (await fetch(`http://127.0.0.1:${port}/numbers`)).text()
            } catch (error) {
              // It may not listen yet.
              if (tries > 50) throw error
              await new Promise((done) => setTimeout(done, 100))
            }
          }
        }),
      )
      const numbers = Array.from({ length: 50_000 }, (_, n) => `${n + 1}\n`).join('')
      for (const text of texts) expect(text === numbers).toBe(true)
      expect((await fetch(`http://127.0.0.1:${port}/none`)).status).toBe(404)
      running[0]?.kill('SIGTERM')
      await ended
    }, 60_000)

    it('reaches what is allowed, and nothing else', async () => {
      const port = await serve()
      const url = `http://10.0.2.2:${port}/path`
      const script = `busybox wget -q -O - ${url}; echo $?; busybox wget -q -O - http://192.0.2.1:80/; echo $?; cat /etc/resolv.conf`
      const allowed = start(script, '--allow', `10.0.2.2:${port}`)
      expect(await allowed.ended).toBe(0)
      expect(allowed.told.out).toBe('GET /path\n0\n1\nnameserver 10.0.2.3\n')
      expect(allowed.told.err).toContain('denied: tcp 192.0.2.1:80 (--allow 192.0.2.1:80 would let it through)')
      const other = start(`busybox wget -q -O - ${url}; echo $?`, '--network', 'gateway')
      await other.ended
      expect(other.told.out).toBe('1\n')
      expect(other.told.err).toContain(`denied: tcp 127.0.0.1:${port}`)
    }, 60_000)

    it('has loopback alone unless it is told to have more', async () => {
      const { told, ended } = start('busybox ip -o link | wc -l; busybox wget -q -O - http://10.0.2.2/; echo $?')
      expect(await ended).toBe(0)
      expect(told.out).toBe('1\n1\n')
      expect(told.err).toContain('Network is unreachable')
      const refused = start('true', '--network', 'none', '-p', '80')
      expect(await refused.ended).toBe(1)
      expect(refused.told.err).toContain('leave out --network none')
      const skipping = start('true', '--idle', 'skip', '-p', '80')
      expect(await skipping.ended).toBe(1)
      expect(skipping.told.err).toContain('leave out --idle skip')
    }, 60_000)

    it('gets an address by DHCP as elsewhere', async () => {
      const script = 'busybox ip addr flush dev eth0; busybox udhcpc -i eth0 -n -q -f -s /bin/none 2>&1 | grep obtained'
      const { told, ended } = start(script, '--network', 'gateway')
      await ended
      expect(told.out).toMatch(/^udhcpc: lease of 10\.0\.2\.15 obtained( from 10\.0\.2\.2)?, lease time \d+\n$/)
    }, 60_000)

    it('sends all that it has sent when it ends', async () => {
      let got = 0
      const server = createServer((request, response) => {
        request.on('data', (bytes: Buffer) => void (got += bytes.length))
        request.on('end', () => response.end('thanks\n'))
      })
      servers.push(server)
      await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
      const { port } = server.address() as AddressInfo
      const length = 300_000
      const { ended } = start(
        `(printf 'POST / HTTP/1.0\\r\\nContent-Length: ${length}\\r\\n\\r\\n'; head -c ${length} /dev/zero) | busybox nc -w 5 10.0.2.2 ${port}`,
        ...['--allow', `10.0.2.2:${port}`],
      )
      await ended
      await until(() => got === length)
    }, 60_000)
  },
)
