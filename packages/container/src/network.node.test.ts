/** Networks of containers with real programs: who reaches whom, by which name, and who does not. */
import { checkKernel } from '@vmexit/linux'
import { describe, expect, it } from 'vitest'
import { busyboxImage, isBusyboxThere, WHY_NOT } from '../test/busybox-image.ts'
import { finish, said, shell } from '../test/run.ts'
import { ContainerHost, type ContainerNetwork, type ContainerOptions, createContainer, createNetwork } from './index.ts'

/** A container that waits until it is disposed of. */
async function waiting(network: ContainerNetwork | undefined, options: Partial<ContainerOptions> = {}) {
  const image = await busyboxImage()
  return await createContainer({ image, args: ['cat'], ...(network && { network, host: network.host }), ...options })
}
const serve = (text: string): string[] => [
  'sh',
  '-c',
  `mkdir /www; echo ${text} > /www/index.html; exec busybox httpd -f -p 80 -h /www`,
]

describe.skipIf(!isBusyboxThere)(`containers on a network${isBusyboxThere ? '' : WHY_NOT}`, () => {
  it('find each other by name, by alias and by address', async () => {
    const host = new ContainerHost({ engine: 'jit' })
    await using network = createNetwork({ host, subnet: '10.1.0.0/24' })
    await using web = await waiting(network, { name: 'web', aliases: ['www', 'Shop.example'], args: serve('hello') })
    await using client = await waiting(network, { name: 'client' })
    expect([web.network.address, client.network.address, client.network.gateway]).toEqual([
      '10.1.0.2',
      '10.1.0.3',
      '10.1.0.1',
    ])
    for (const name of ['web', 'WEB', 'www', 'shop.example', '10.1.0.2'])
      expect(await said(client, `wget -q -O - http://${name}/`)).toBe('hello\n')
    expect(await said(client, 'nslookup web 2>&1 | tail -n +4 | grep Address')).toContain('10.1.0.2')
    expect(await said(client, 'cat /etc/resolv.conf /etc/hosts')).toBe(
      'nameserver 10.1.0.1\noptions ndots:0\n127.0.0.1\tlocalhost\n10.1.0.3\tclient\n',
    )
    expect(
      await said(client, 'ping -c 2 -W 1 web | grep -c "bytes from"; ping -c 1 -W 1 10.1.0.1 | grep -c from'),
    ).toBe('2\n1\n')
    expect(await said(client, 'ip -o addr show dev eth0; ip route; ip -o link | wc -l')).toMatch(
      /eth0 +inet 10\.1\.0\.3\/24 .*\ndefault via 10\.1\.0\.1 dev eth0 *\n10\.1\.0\.0\/24 dev eth0 .*src 10\.1\.0\.3 *\n2\n$/,
    )
    expect(await said(client, 'ls /sys/class/net; cat /sys/class/net/eth0/operstate')).toBe('eth0\nlo\nup\n')
    expect(checkKernel(host.kernel)).toEqual([])
  }, 120_000)

  it('do not find who has gone, nor names of others, and reach nothing outside', async () => {
    const host = new ContainerHost({ engine: 'jit' })
    await using network = createNetwork({ host })
    await using client = await waiting(network)
    const web = await waiting(network, { name: 'web' })
    expect(await said(client, 'nslookup web > /dev/null && echo there')).toBe('there\n')
    await web[Symbol.asyncDispose]()
    expect(await said(client, 'nslookup web 2>&1 | grep -c NXDOMAIN')).toMatch(/^[1-9]\n$/)
    expect(await said(client, 'nslookup debian.org 2>&1 | grep -c NXDOMAIN')).toMatch(/^[1-9]\n$/)
    expect(await said(client, 'wget -q -O - http://192.0.2.1/; ping -c 1 -W 1 192.0.2.1 | grep -i filter')).toMatch(
      /No route to host/,
    )
  }, 120_000)

  it('of another network are not reached, by no address and no name', async () => {
    const host = new ContainerHost({ engine: 'jit' })
    await using one = createNetwork({ host })
    await using other = createNetwork({ host })
    await using web = await waiting(one, { name: 'web', args: serve('secret') })
    await using client = await waiting(other, { capAdd: ['NET_ADMIN'] })
    const { address } = web.network
    expect(one.subnet).not.toBe(other.subnet)
    const reach = `timeout 2 wget -q -O - http://${address}/; timeout 2 wget -q -O - http://web/`
    expect(await said(client, reach)).not.toContain('secret')
    // Nor by saying that it is on its link.
    expect(await said(client, `ip addr add ${address}0/16 dev eth0; ${reach}; ip neigh`)).not.toContain('secret')
    expect(await said(web, `wget -q -O - http://${address}/`)).toBe('secret\n')
  }, 120_000)

  it('have loopback alone without one', async () => {
    await using alone = await waiting(undefined)
    expect(await said(alone, 'ip -o link | wc -l; ping -c 1 127.0.0.1 | grep -c from; cat /etc/hosts')).toBe(
      `1\n1\n127.0.0.1\tlocalhost ${alone.name}\n`,
    )
    expect(await said(alone, 'wget -q -O - http://10.88.1.1/; [ -e /etc/resolv.conf ] || echo none')).toContain(
      'Network is unreachable',
    )
    const script = '(echo served | nc -l -p 80) & sleep 1; nc 127.0.0.1 80 < /dev/null'
    expect((await shell(script)).output).toBe('served\n')
  }, 120_000)

  it.each([
    ['a network of another host', { network: createNetwork({ host: new ContainerHost() }) }, /another host/],
    ['a port where there is no network', { publish: [{ port: 80 }] }, /no network/],
    ['a name that is none', { aliases: ['a b'] }, /a b is no name/],
    ['an address of another network', { address: '10.9.9.9' }, /no address of 10\.2\.0\.0\/24/],
    ['the address of the gateway', { address: '10.2.0.1' }, /no address of/],
    ['a port where nothing leads outside', { publish: [{ port: 80 }] }, /no outside/],
  ])(
    'are refused with %s, and nothing is left',
    async (what, options, message) => {
      const host = new ContainerHost()
      const network = createNetwork({ host, subnet: '10.2.0.0/24' })
      const image = await busyboxImage()
      const own = what.includes('no network') ? {} : { network }
      await expect(createContainer({ image, host, ...own, ...options })).rejects.toThrow(message)
      expect(network.members).toEqual([])
      expect(host.kernel.processes.size).toBe(0)
    },
    60_000,
  )

  it('are given each address once, until there is none left', async () => {
    const host = new ContainerHost()
    await using network = createNetwork({ host, subnet: '10.3.0.0/29' })
    const image = await busyboxImage()
    const all = []
    for (let n = 0; n < 5; n++) all.push(await createContainer({ image, host, network, args: ['cat'] }))
    expect(all.map((one) => one.network.address)).toEqual([2, 3, 4, 5, 6].map((n) => `10.3.0.${n}`))
    await expect(createContainer({ image, host, network })).rejects.toThrow(/no address left/)
    await all[1]!.network.address
    await all[1]![Symbol.asyncDispose]()
    await using again = await createContainer({ image, host, network, args: ['cat'] })
    expect(again.network.address).toBe('10.3.0.3')
    await expect(createContainer({ image, host, network, address: '10.3.0.4' })).rejects.toThrow(/another container/)
    for (const one of all) await one[Symbol.asyncDispose]()
  }, 60_000)

  it('lets what was sent arrive, when the sender has ended', async () => {
    const host = new ContainerHost({ engine: 'jit' })
    await using network = createNetwork({ host })
    await using sink = await waiting(network, { name: 'sink', args: ['sh', '-c', 'nc -l -p 9 | wc -c'] })
    await using source = await waiting(network, { args: ['sh', '-c', 'sleep 1; head -c 300000 /dev/zero | nc sink 9'] })
    await finish(source)
    await source[Symbol.asyncDispose]()
    expect((await finish(sink)).output.trim()).toBe('300000')
  }, 120_000)

  it('leaves nothing when it dies in the middle of a transfer', async () => {
    const host = new ContainerHost({ engine: 'jit' })
    const { frames, groups, pageCache, processes, network: net } = host.kernel
    await using network = createNetwork({ host })
    const round = async (): Promise<readonly number[]> => {
      const script = 'head -c 3000000 /dev/zero > /big; while :; do nc -l -p 80 < /big > /dev/null; done'
      await using server = await waiting(network, { name: 'server', args: ['sh', '-c', script] })
      await using client = await waiting(network)
      const load = client.spawn({ args: ['sh', '-c', 'sleep 1; nc server 80 | sh -c "kill -STOP \\$\\$"'] })
      const sent = () => network.namespace.stack.devices.reduce((all, { counters }) => all + counters.txBytes, 0)
      const before = sent()
      for (let n = 0; n < 4000 && sent() < before + 100_000; n++) await new Promise((done) => setTimeout(done, 1))
      expect(sent()).toBeGreaterThan(before + 100_000)
      await client[Symbol.asyncDispose]()
      expect((await load.exited).signal).toBe('SIGKILL')
      // The server's connection has ended, too.
      expect(await said(server, 'sleep 1; grep -c " 01 " /proc/net/tcp')).toBe('0\n')
      await server[Symbol.asyncDispose]()
      const { root } = groups.tree
      // What the image's layers have in memory is nobody's.
      pageCache.reclaim(Number.POSITIVE_INFINITY, () => true)
      return [frames.used, root.memory.usage, root.children.size, processes.size, net.sockets, network.members.length]
    }
    const first = await round()
    expect(await round()).toEqual(first)
    expect(first.slice(2)).toEqual([0, 0, 0, 0])
    expect(network.namespace.stack.devices.length).toBe(2)
    expect(checkKernel(host.kernel)).toEqual([])
  }, 120_000)
})
