/** What of a network is open outside: published ports, and what containers reach. */
import { createSocket } from 'node:dgram'
import { createServer } from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net'
import { checkKernel } from '@vmexit/linux'
import { received } from '@vmexit/net'
import { afterEach, describe, expect, it } from 'vitest'
import { busyboxImage, isBusyboxThere, WHY_NOT } from '../../test/busybox-image.ts'
import { said } from '../../test/run.ts'
import { ContainerHost, type ContainerOptions, createContainer, createNetwork, type NetworkDenial } from '../index.ts'
import { hostOutside, hostTime } from '../node.ts'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function setUp() {
  const host = new ContainerHost({ engine: 'jit', pace: hostTime })
  const denied: NetworkDenial[] = []
  const outside = hostOutside({ onDenied: (one) => denied.push(one), connectionsOfContainer: 20 })
  const network = createNetwork({ host, subnet: '10.5.0.0/24', outside })
  ends.push(() => network[Symbol.asyncDispose]())
  const image = await busyboxImage()
  const start = async (options: Partial<ContainerOptions>) => {
    const container = await createContainer({ image, host, network, args: ['cat'], ...options })
    ends.push(() => container[Symbol.asyncDispose]())
    return container
  }
  return { host, network, denied, start }
}

async function listening(): Promise<number> {
  const server = createServer((request, response) => response.end(`${request.method} ${request.url}\n`))
  ends.push(() => server.close())
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return (server.address() as AddressInfo).port
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 20_000; !(await holds()); ) {
    if (performance.now() > end) throw new Error('it did not come to that')
    await new Promise((done) => setTimeout(done, 10))
  }
}
const httpd = (script: string): string[] => ['sh', '-c', `mkdir /w; ${script}; exec busybox httpd -f -p 80 -h /w`]
const isServed = (url: string) =>
  fetch(url).then(
    ({ ok }) => ok,
    () => false,
  )

describe.skipIf(!isBusyboxThere)(`the outside of a network${isBusyboxThere ? '' : WHY_NOT}`, () => {
  it('reaches published ports, as many clients at once as there are', async () => {
    const { start, host } = await setUp()
    const web = await start({ args: httpd('seq 50000 > /w/numbers'), publish: [{ port: 80 }] })
    const [published] = web.network.published
    expect(published).toMatchObject({ protocol: 'tcp', hostAddress: '127.0.0.1', port: 80 })
    const url = `http://127.0.0.1:${published!.hostPort}/numbers`
    await until(() => isServed(url))
    const texts = await Promise.all([1, 2, 3].map(async () => await (await fetch(url)).text()))
    const numbers = Array.from({ length: 50_000 }, (_, n) => `${n + 1}\n`).join('')
    for (const text of texts) expect(text === numbers).toBe(true)
    await web[Symbol.asyncDispose]()
    await expect(fetch(url)).rejects.toThrow()
    expect(checkKernel(host.kernel)).toEqual([])
  }, 120_000)

  it('reaches published ports of datagrams', async () => {
    const { start } = await setUp()
    const echo = await start({ publish: [{ port: 7, protocol: 'udp' }] })
    // What a program with a socket would do; busybox has none that serves datagrams.
    const server = echo.network.namespace.stack.udpSocket()
    server.bind({ address: 0, port: 7 })
    server.wake = () => {
      const buffer = new Uint8Array(100)
      const from = received()
      const size = server.receive(buffer, 0, from)
      if (size > 0) server.send(buffer.subarray(0, size).reverse(), 0, from)
    }
    const socket = createSocket('udp4')
    ends.push(() => socket.close())
    let answer = ''
    socket.on('message', (bytes) => void (answer = bytes.toString()))
    await until(() => {
      socket.send('to and fro', echo.network.published[0]!.hostPort, '127.0.0.1')
      return answer === 'orf dna ot'
    })
  }, 120_000)

  it('is reached by what a container’s own rules allow, and by no other container', async () => {
    const { start, denied } = await setUp()
    const port = await listening()
    const one = await start({ name: 'one', egress: [{ host: '127.0.0.1', ports: port }] })
    const other = await start({ name: 'other' })
    const ask = `timeout 5 wget -q -O - http://10.5.0.1:${port}/path`
    expect(await said(one, ask)).toBe('GET /path\n')
    expect(await said(other, ask)).toContain('Connection refused')
    expect(await said(one, 'timeout 5 wget -q -O - http://192.0.2.1/')).toContain('Connection refused')
    expect(denied).toEqual([
      { protocol: 'tcp', host: '127.0.0.1', port, container: 'other' },
      { protocol: 'tcp', host: '192.0.2.1', port: 80, container: 'one' },
    ])
    expect(await said(one, 'ping -c 1 -W 1 192.0.2.1 | grep -c from')).not.toBe('1\n')
  }, 120_000)

  it('is asked for names that rules allow, and for no others', async () => {
    const { start, denied } = await setUp()
    const one = await start({ name: 'one', egress: [{ host: 'localhost' }] })
    const other = await start({ name: 'other' })
    expect(await said(one, 'nslookup localhost 10.5.0.1 2>&1')).toContain('127.0.0.1')
    expect(await said(one, 'nslookup other 10.5.0.1 2>&1')).toContain('10.5.0.3')
    expect(await said(one, 'nslookup secret.example 10.5.0.1 2>&1')).toContain('REFUSED')
    expect(await said(other, 'nslookup localhost.example 10.5.0.1 2>&1')).toContain('NXDOMAIN')
    expect(denied[0]).toEqual({ protocol: 'dns', host: 'secret.example', port: 53, container: 'one' })
  }, 120_000)

  it('keeps what a container has open to so much, and closes it when it ends', async () => {
    const { start, host, network } = await setUp()
    const open = new Set<object>()
    // (nc has nothing to send, and says so: without the option that would end the other direction as well.)
    const server = createTcpServer({ allowHalfOpen: true }, (socket) => {
      open.add(socket)
      socket.on('error', () => {}).on('close', () => open.delete(socket))
      // It says more than anybody reads.
      const more = (): void =>
        void (socket.writable && socket.write(new Uint8Array(65_536), (error) => error ?? more()))
      more()
    })
    ends.push(() => server.close())
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    const { port } = server.address() as AddressInfo
    const { root } = host.kernel.groups.tree
    const one = await start({ egress: [{ host: '127.0.0.1' }], memory: '16M' })
    one.spawn({ args: ['sh', '-c', `for i in $(seq 30); do nc 10.5.0.1 ${port} | sleep 1000 & done; sleep 1000`] })
    await until(() => open.size === 20)
    await until(() => one.usage.memory > 4 << 20)
    await new Promise((done) => setTimeout(done, 300))
    expect(open.size).toBe(20)
    expect(one.usage.memoryPeak).toBeLessThanOrEqual(16 << 20)
    await one[Symbol.asyncDispose]()
    await until(() => open.size === 0)
    await until(() => [...network.namespace.stack.tcp.connections].length === 0)
    expect([root.children.size, host.kernel.processes.size]).toEqual([0, 0])
    expect(root.memory.usage).toBeLessThan(1 << 20)
    expect(checkKernel(host.kernel)).toEqual([])
  }, 120_000)

  it('has no port twice, and of a container that is refused nothing is left', async () => {
    const { start, network } = await setUp()
    const taken = await listening()
    await expect(start({ publish: [{ port: 1 }, { port: 80, hostPort: taken }] })).rejects.toMatchObject({
      code: 'net-publish',
    })
    expect(network.members).toEqual([])
    const socket = connect(taken, '127.0.0.1')
    ends.push(() => socket.destroy())
    await new Promise((done) => socket.once('connect', done))
  }, 60_000)

  it('needs a host that keeps pace with it', async () => {
    const host = new ContainerHost()
    await using network = createNetwork({ host, outside: hostOutside() })
    const image = await busyboxImage()
    await expect(createContainer({ image, host, network, publish: [{ port: 80 }] })).rejects.toThrow(/hostTime/)
    await using inside = await createContainer({ image, host, network, args: ['true'] })
    expect((await inside.exited).exitCode).toBe(0)
  }, 60_000)
})
