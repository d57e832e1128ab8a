/** Containers that lie about who they are, or send more than anybody can take: others go on, and memory stays bounded. */
import { broadcastMac, EtherType, parseIpv4, setEtherHeader, setMac } from '@vmexit/net'
import { describe, expect, it } from 'vitest'
import { busyboxImage, isBusyboxThere, WHY_NOT } from '../test/busybox-image.ts'
import { said } from '../test/run.ts'
import { type Container, ContainerHost, type ContainerNetwork, createContainer, createNetwork } from './index.ts'

const SUBNET = '10.4.0.0/24'
const at = (last: number): number => (parseIpv4('10.4.0.0') ?? 0) + last
const macAt = (last: number): number => 0x0242_0000_0000 + at(last)

/** Three containers: a server, a client, and one that has every right on its network and a packet socket. */
async function setUp() {
  const host = new ContainerHost({ engine: 'jit' })
  const network = createNetwork({ host, subnet: SUBNET })
  const image = await busyboxImage()
  const start = (name: string, args: readonly string[] = ['cat']) =>
    createContainer({ image, host, network, name, args, capAdd: ['NET_ADMIN'] })
  const web = await start('web', ['sh', '-c', 'mkdir /w; echo true > /w/index.html; exec busybox httpd -f -p 80 -h /w'])
  const client = await start('client')
  const evil = await start('evil')
  const { stack } = evil.network.namespace
  const socket = stack.packetSocket(3, 3)
  if (typeof socket === 'number') throw new Error(`no packet socket: ${socket}`)
  const eth0 = stack.device('eth0')!
  socket.bind({ device: eth0.index, protocol: 0x88b5 })
  return { host, network, web, client, evil, socket }
}
type World = Awaited<ReturnType<typeof setUp>>

async function end({ network, web, client, evil }: World): Promise<void> {
  for (const one of [web, client, evil]) await one[Symbol.asyncDispose]()
  await network[Symbol.asyncDispose]()
}
const fetched = (client: Container): Promise<string> => said(client, 'timeout 5 wget -q -O - http://web/')

function arp(operation: number, mac: number, senderMac: number, sender: number, target: number): Uint8Array {
  const frame = new Uint8Array(42)
  setEtherHeader(frame, broadcastMac, mac, EtherType.arp)
  frame.set([0, 1, 8, 0, 6, 4, 0, operation], 14)
  setMac(frame, 22, senderMac)
  const view = new DataView(frame.buffer)
  view.setUint32(28, sender)
  view.setUint32(38, target)
  return frame
}

function dropped(network: ContainerNetwork): number {
  return network.namespace.stack.devices.reduce((all, { counters }) => all + counters.rxDropped, 0)
}

describe.skipIf(!isBusyboxThere)(`a hostile container${isBusyboxThere ? '' : WHY_NOT}`, () => {
  it('does not get what is for another, by claiming its address', async () => {
    const world = await setUp()
    const { client, evil, network } = world
    const script = [
      'ip addr add 10.4.0.2/24 dev eth0; mkdir /w; echo false > /w/index.html; busybox httpd -p 80 -h /w',
      'arping -c 2 -A -I eth0 10.4.0.2 > /dev/null; arping -c 2 -U -I eth0 10.4.0.2 > /dev/null; echo tried',
    ].join('; ')
    expect(await said(evil, script)).toContain('tried')
    expect(dropped(network)).toBeGreaterThan(0)
    expect(await fetched(client)).toBe('true\n')
    expect(await said(client, 'ip neigh show 10.4.0.2')).toContain('02:42:0a:04:00:02')
    // Nor by the MAC address of another, or the gateway's.
    for (const last of [2, 1]) {
      const mac = `02:42:0a:04:00:0${last}`
      await said(
        evil,
        `ip link set eth0 down; ip link set eth0 address ${mac}; ip link set eth0 up; ping -c 1 -W 1 10.4.0.3`,
      )
      expect(await fetched(client)).toBe('true\n')
    }
    await end(world)
  }, 120_000)

  it('does not answer for the gateway: names are looked up at the true one', async () => {
    const world = await setUp()
    const { client, evil } = world
    await said(evil, 'ip addr add 10.4.0.1/24 dev eth0; arping -c 2 -A -I eth0 10.4.0.1')
    expect(await fetched(client)).toBe('true\n')
    expect(await said(client, 'ip neigh show 10.4.0.1')).toContain('02:42:0a:04:00:01')
    await end(world)
  }, 120_000)

  it.each<[string, (n: number) => Uint8Array]>([
    ['ARP in its own name', (n) => arp(1, macAt(4), macAt(4), at(4), at(n % 256))],
    ['ARP of thousands of others', (n) => arp(2, 0x0200_0000_0000 + n, 0x0200_0000_0000 + n, at(n % 256), at(3))],
    ['broadcasts', (n) => Uint8Array.from({ length: 1514 }, (_, k) => [0xff, n][k >= 6 ? 1 : 0]! & 0xff)],
    [
      'packets to nobody, from everybody',
      (n) => {
        const frame = new Uint8Array(60)
        setEtherHeader(frame, 0x0200_0000_0000 + n * 7, 0x0200_0000_0000 + n * 3, EtherType.ipv4)
        return frame
      },
    ],
    ['garbage', (n) => Uint8Array.from({ length: 14 + (n % 100) }, (_, k) => (n * 2654435761 + k * 40503) >>> 11)],
  ])(
    'that floods with %s harms nobody, and costs no memory',
    async (_what, frameOf) => {
      const world = await setUp()
      const { network, client, evil, socket, host } = world
      expect(await fetched(client)).toBe('true\n')
      const { stack } = network.namespace
      let sent = 0
      const burst = (): void => {
        for (let n = 0; n < 3000; n++) if (socket.send(frameOf(sent + n)) >= 0) sent++
      }
      for (let round = 0; round < 10; round++) {
        burst()
        expect(await fetched(client)).toBe('true\n')
      }
      expect(sent).toBeGreaterThan(5000)
      // What anybody knows of others is bounded by who is there.
      const known = [stack, client.network.namespace.stack].flatMap(({ ip }) => ip.neighbours.all)
      expect(known.length).toBeLessThan(300)
      expect(evil.usage.memory).toBeLessThan(4 << 20)
      expect(host.kernel.network.clock.deadline - host.kernel.now).toBeGreaterThan(0)
      await end(world)
    },
    120_000,
  )

  it('gets nothing but its own from the DNS server, however much it asks', async () => {
    const world = await setUp()
    const { client, evil } = world
    const { stack } = evil.network.namespace
    const socket = stack.udpSocket()
    const question = Uint8Array.of(0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 3, 119, 101, 98, 0, 0, 1, 0, 1)
    for (let n = 0; n < 5000; n++) socket.send(question, 0, { address: at(1), port: 53 })
    expect(await fetched(client)).toBe('true\n')
    await end(world)
  }, 120_000)
})
