/** Programs of containers that reach servers as they would in a browser. */
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { checkKernel } from '@vmexit/linux'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { busyboxImage, isBusyboxThere, WHY_NOT } from '../../test/busybox-image.ts'
import { said } from '../../test/run.ts'
import { ContainerHost, type ContainerOptions, createContainer, createNetwork, type NetworkDenial } from '../index.ts'
import { hostTime } from '../node.ts'
import { type WebOutsideOptions, webOutside } from '../web.ts'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function setUp(options: WebOutsideOptions = {}) {
  const host = new ContainerHost({ engine: 'jit', pace: hostTime })
  const denied: NetworkDenial[] = []
  const outside = webOutside({ onDenied: (one) => denied.push(one), ...options })
  const network = createNetwork({ host, subnet: '10.5.0.0/24', outside })
  ends.push(() => network[Symbol.asyncDispose]())
  const image = await busyboxImage()
  const start = async (more: Partial<ContainerOptions>) => {
    const container = await createContainer({ image, host, network, args: ['cat'], ...more })
    ends.push(() => container[Symbol.asyncDispose]())
    return container
  }
  return { host, network, denied, start }
}

async function serving(listener: RequestListener): Promise<number> {
  const server = createServer(listener)
  ends.push(() => server.close())
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return (server.address() as AddressInfo).port
}

describe.skipIf(!isBusyboxThere)(`a network with the outside of a browser${isBusyboxThere ? '' : WHY_NOT}`, () => {
  it('has wget fetch what a container’s own rules allow, and no other container reaches it', async () => {
    const port = await serving((request, response) => {
      if (request.url === '/numbers')
        return void response.end(Array.from({ length: 50_000 }, (_, n) => `${n}\n`).join(''))
      request.on('data', (data) => response.write(`${request.method} ${data}\n`)).on('end', () => response.end())
    })
    // A name whose server is here.
    const ask = (url: string, init: RequestInit): Promise<Response> =>
      fetch(url.replace('http://site.example/', `http://127.0.0.1:${port}/`), init).then((response) =>
        Object.defineProperty(response, 'url', { value: '' }),
      )
    const { start, denied, host } = await setUp({ fetch: ask })
    const egress = [
      { host: 'site.example', ports: 80 },
      { host: '127.0.0.1', ports: port },
    ]
    const one = await start({ name: 'one', egress })
    const other = await start({ name: 'other', egress: [{ host: 'elsewhere.example' }] })
    expect(await said(one, 'wget -q -O - http://site.example/numbers | md5sum')).toBe(
      await said(one, 'seq 0 49999 | md5sum'),
    )
    expect(await said(one, `wget -q -O - --post-data=hello http://10.5.0.1:${port}/`)).toBe('POST hello\n')
    expect(await said(one, 'wget -q -O - http://site.example:81/')).toContain('refused')
    expect(await said(other, 'wget -q -O - http://site.example/')).toContain('bad address')
    expect(await said(other, `wget -q -O - http://10.5.0.1:${port}/`)).toContain('refused')
    expect(denied).toContainEqual({ protocol: 'dns', host: 'site.example', port: 53, container: 'other' })
    expect(denied).toContainEqual({ protocol: 'tcp', host: 'site.example', port: 81, container: 'one' })
    expect(denied).toContainEqual({ protocol: 'tcp', host: '127.0.0.1', port, container: 'other' })
    expect(checkKernel(host.kernel)).toEqual([])
  }, 120_000)

  it('shows a program why its server could not be asked', async () => {
    const { start } = await setUp({ fetch: () => Promise.reject(new TypeError('Failed to fetch')) })
    const one = await start({ egress: [{ host: 'site.example' }] })
    expect(await said(one, 'wget -q -O - http://site.example/')).toContain('502')
    const request = 'GET / HTTP/1.0\\r\\n\\r\\n'
    expect(await said(one, `printf '${request}' | nc site.example 80`)).toMatch(/could not be asked: Failed to fetch/)
  }, 120_000)

  it('ends what a container has open when the container ends, and keeps bodies to its memory', async () => {
    let closed = 0
    const port = await serving((request, response) => {
      request.on('close', () => closed++)
      response.write('begin\n')
    })
    const { start, network, host } = await setUp()
    const one = await start({ egress: [{ host: '127.0.0.1' }], memory: '8M' })
    one.spawn({ args: ['sh', '-c', `for i in $(seq 5); do wget -q -O - http://10.5.0.1:${port}/ & done; sleep 1000`] })
    const soon = { timeout: 20_000, interval: 10 }
    await vi.waitFor(() => expect([...network.namespace.stack.tcp.connections].length).toBeGreaterThanOrEqual(5), soon)
    const large = `head -c 15000000 /dev/zero | (printf 'POST / HTTP/1.1\\r\\nHost: 10.5.0.1:${port}\\r\\nContent-Length: 15000000\\r\\n\\r\\n'; cat) | nc 10.5.0.1 ${port}`
    expect(await said(one, `${large} | head -n 1`)).toContain('413')
    await one[Symbol.asyncDispose]()
    await vi.waitFor(() => expect(closed).toBeGreaterThanOrEqual(5), soon)
    expect(host.kernel.groups.tree.root.memory.usage).toBeLessThan(1 << 20)
    expect(checkKernel(host.kernel)).toEqual([])
  }, 120_000)

  it('publishes no ports, with an error that says so', async () => {
    const { start, network } = await setUp()
    await expect(start({ publish: [{ port: 80 }] })).rejects.toThrow(/browser has none[\s\S]*hostOutside/)
    expect(network.members).toEqual([])
  }, 60_000)
})
