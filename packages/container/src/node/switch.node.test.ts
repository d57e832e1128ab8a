/** A switch at which kernels meet: real programs through it, and peers that stall, lie, die and send garbage. */
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EtherType, parseIpv4, Random, setEtherHeader } from '@vmexit/net'
import { afterEach, describe, expect, it } from 'vitest'
import { busyboxImage, isBusyboxThere, WHY_NOT } from '../../test/busybox-image.ts'
import { finish, said } from '../../test/run.ts'
import { ContainerHost, createContainer, createNetwork } from '../index.ts'
import { hostTime, inspectSwitch, joinSwitch, openSwitch } from '../node.ts'
import { FairQueue } from './fair-queue.ts'
import { messageUnit, readMessage, UnitReader, unit } from './switch-protocol.ts'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function opened() {
  const folder = mkdtempSync(join(tmpdir(), 'vmexit-switch-'))
  ends.push(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'socket')
  const opened = await openSwitch({ path, subnet: '10.6.0.0/24' })
  ends.push(() => opened[Symbol.asyncDispose]())
  return { path, opened }
}

async function until(holds: () => boolean): Promise<void> {
  for (const end = performance.now() + 20_000; !holds(); ) {
    if (performance.now() > end) throw new Error('it did not come to that')
    await new Promise((done) => setTimeout(done, 5))
  }
}

const macAt = (last: number): number => 0x0242_0a06_0000 + last
const at = (last: number): number => parseIpv4('10.6.0.0')! + last

function packet(from: number, to: number, size = 100, mark = 0): Uint8Array {
  const frame = new Uint8Array(size)
  setEtherHeader(frame, to, macAt(from), EtherType.ipv4)
  new DataView(frame.buffer).setUint32(26, at(from))
  frame[40] = mark
  return frame
}

/** One who is plugged in, and what it gets. */
async function plugged(path: string, name: string, options: { aliases?: string[]; address?: string } = {}) {
  const uplink = await joinSwitch({ path, name, ...options })
  ends.push(() => uplink[Symbol.asyncDispose]())
  const got: Uint8Array[] = []
  let takes = true
  uplink.attach((frame) => takes && got.push(frame) > 0)
  return { uplink, got, stall: (on: boolean) => void (takes = !on) }
}

/** A peer that speaks as it likes. */
async function raw(path: string): Promise<Socket> {
  const socket = connect(path)
  ends.push(() => socket.destroy())
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

describe('a switch', () => {
  it('gives addresses, tells names, and forgets who has gone', async () => {
    const { path, opened: one } = await opened()
    const web = await plugged(path, 'web', { aliases: ['www'] })
    const db = await plugged(path, 'db', { address: '10.6.0.77' })
    expect([web.uplink.address, db.uplink.address, db.uplink.subnet]).toEqual(['10.6.0.2', '10.6.0.77', '10.6.0.0/24'])
    await until(() => web.uplink.lookup('db').length > 0)
    expect([db.uplink.lookup('WWW'), web.uplink.lookup('db'), web.uplink.lookup('nobody')]).toEqual([
      [at(2)],
      [at(77)],
      [],
    ])
    expect((await inspectSwitch(path)).members).toEqual([
      { name: 'web', aliases: ['www'], address: '10.6.0.2' },
      { name: 'db', aliases: [], address: '10.6.0.77' },
    ])
    await expect(joinSwitch({ path, name: 'x', address: '10.6.0.77' })).rejects.toThrow(/another container/)
    await expect(joinSwitch({ path, name: 'x', aliases: ['a b'] })).rejects.toThrow(/no name/)
    let isEmpty = false
    one.onEmpty = () => void (isEmpty = true)
    await db.uplink[Symbol.asyncDispose]()
    await until(() => web.uplink.lookup('db').length === 0)
    expect(isEmpty).toBe(false)
    await web.uplink[Symbol.asyncDispose]()
    await until(() => isEmpty)
    expect(one.members).toEqual([])
  })

  it('takes frames to whom they are for, and to all others what is for all', async () => {
    const { path } = await opened()
    const [a, b, c] = [await plugged(path, 'a'), await plugged(path, 'b'), await plugged(path, 'c')]
    a.uplink.send(packet(2, macAt(3), 1514, 1))
    a.uplink.send(packet(2, 0xffff_ffff_ffff, 60, 2))
    a.uplink.send(packet(2, macAt(99), 60, 3))
    await until(() => b.got.length === 2 && c.got.length === 1)
    expect(b.got.map((frame) => [frame.length, frame[40]])).toEqual([
      [1514, 1],
      [60, 2],
    ])
    expect(a.got).toEqual([])
  })

  it('lets nobody speak for another', async () => {
    const { path, opened: one } = await opened()
    const [a, b] = [await plugged(path, 'a'), await plugged(path, 'b')]
    a.uplink.send(packet(3, macAt(3)))
    const spoofed = packet(2, macAt(3))
    new DataView(spoofed.buffer).setUint32(26, at(9))
    a.uplink.send(spoofed)
    a.uplink.send(packet(1, macAt(3)))
    a.uplink.send(packet(2, macAt(3), 60, 7))
    await until(() => b.got.length > 0)
    expect(b.got.map((frame) => frame[40])).toEqual([7])
    expect(one.counts.refused).toBe(3)
  })

  it('drops for who stalls, and for nobody else; what it keeps is bounded', async () => {
    const { path, opened: one } = await opened()
    const [fast, slow, sender] = [
      await plugged(path, 'fast'),
      await plugged(path, 'slow'),
      await plugged(path, 'sender'),
    ]
    slow.stall(true)
    for (let round = 0; round < 400; round++) {
      for (let n = 0; n < 20; n++) sender.uplink.send(packet(4, macAt(3), 1514))
      sender.uplink.send(packet(4, macAt(2), 60, 1))
      await new Promise((done) => setImmediate(done))
    }
    await until(() => fast.got.length === 400)
    await until(() => one.counts.dropped > 1000)
    expect(slow.got.length).toBe(0)
    slow.stall(false)
    await until(() => slow.got.length > 500)
    // Two queues, and what the system keeps.
    await new Promise((done) => setTimeout(done, 100))
    expect(slow.got.length * 1514).toBeLessThan(12 << 20)
    sender.uplink.send(packet(4, macAt(3), 60, 9))
    await until(() => slow.got.at(-1)?.[40] === 9)
  })

  it('gives a sender its turn while another floods', async () => {
    const { path } = await opened()
    const [victim, evil, good] = [
      await plugged(path, 'victim'),
      await plugged(path, 'evil'),
      await plugged(path, 'good'),
    ]
    victim.stall(true)
    for (let round = 0; round < 300; round++) {
      for (let n = 0; n < 20; n++) evil.uplink.send(packet(3, 0xffff_ffff_ffff, 1514))
      await new Promise((done) => setImmediate(done))
    }
    for (let n = 0; n < 50; n++) good.uplink.send(packet(4, macAt(2), 200, 5))
    await new Promise((done) => setTimeout(done, 50))
    victim.stall(false)
    await until(() => victim.got.filter((frame) => frame[40] === 5).length === 50)
  })

  it.each<[string, (random: Random) => readonly Uint8Array[]]>([
    [
      'random bytes',
      (random) => Array.from({ length: 20 }, () => Uint8Array.from({ length: 5000 }, () => random.below(256))),
    ],
    ['a unit without end', () => [Uint8Array.of(0xff, 0xff, 0xff, 0xff, 1)]],
    ['a message without end', () => [Uint8Array.of(0, 1, 0, 0, 2), new Uint8Array(65_536)]],
    ['frames before it says who it is', () => [unit(1, packet(2, macAt(2)))]],
    ['what is no JSON', () => [unit(2, Uint8Array.of(1, 2, 3))]],
    ['nobody', () => [unit(2, new TextEncoder().encode('{}'))]],
    ['names of megabytes', () => [messageUnit({ join: { name: 'x'.repeat(10_000), aliases: [] } })]],
    ['itself twice', () => [1, 2].map(() => messageUnit({ join: { name: 'x', aliases: [] } }))],
    ['frames that are none', () => [messageUnit({ join: { name: 'x', aliases: [] } }), unit(1, new Uint8Array(3))]],
  ])('unplugs who sends %s, and others go on', async (_what, bytesOf) => {
    const { path, opened: one } = await opened()
    const [a, b] = [await plugged(path, 'a'), await plugged(path, 'b')]
    const socket = await raw(path)
    const closed = once(socket, 'close')
    socket.resume()
    for (const bytes of bytesOf(new Random(5))) socket.write(bytes)
    await closed
    a.uplink.send(packet(2, macAt(3), 60, 1))
    await until(() => b.got.length === 1)
    await until(() => one.members.length === 2)
  })

  it('goes on when a peer dies in the middle of a unit', async () => {
    const { path, opened: one } = await opened()
    const [a, b] = [await plugged(path, 'a'), await plugged(path, 'b')]
    const socket = await raw(path)
    const reader = new UnitReader()
    socket.write(messageUnit({ join: { name: 'dying', aliases: [] } }))
    const [bytes] = (await once(socket, 'data')) as [Uint8Array]
    expect([...reader.read(bytes)].map(({ payload }) => readMessage(payload))[0]).toMatchObject({
      welcome: { address: '10.6.0.4' },
    })
    socket.write(unit(1, packet(4, macAt(2), 1514)).subarray(0, 700))
    await until(() => one.members.length === 3)
    socket.destroy()
    await until(() => one.members.length === 2)
    a.uplink.send(packet(2, macAt(3), 60, 1))
    await until(() => b.got.length === 1)
    expect(a.got).toEqual([])
  })

  it('lets few be there who do not say who they are', async () => {
    const { path } = await opened()
    const strangers = await Promise.all(Array.from({ length: 100 }, () => raw(path)))
    for (const socket of strangers) socket.resume()
    await until(() => strangers.filter(({ destroyed }) => destroyed).length === 36)
  })

  it('is found again when it comes back, by those who can bring it back', async () => {
    const { path, opened: one } = await opened()
    let isGone = false
    let tries = 0
    const bring = async (): Promise<void> => {
      if (++tries === 1) await openAgain()
    }
    const openAgain = async (): Promise<void> => {
      const two = await openSwitch({ path, subnet: '10.6.0.0/24' })
      ends.push(() => two[Symbol.asyncDispose]())
    }
    const [a, b, c] = await Promise.all(
      [bring, async () => {}, () => Promise.reject(new Error('there is no such network'))].map((again, n) =>
        joinSwitch({ path, name: 'abc'[n]!, again, onGone: () => void (isGone = n === 2) }),
      ),
    )
    for (const uplink of [a!, b!, c!]) ends.push(() => uplink[Symbol.asyncDispose]())
    const addresses = [a!.address, b!.address]
    const got: Uint8Array[] = []
    b!.attach((frame) => got.push(frame) > 0)
    await one[Symbol.asyncDispose]()
    await until(() => a!.lookup('b').length === 0 && b!.lookup('a').length === 0)
    await until(() => a!.lookup('b').length === 1 && b!.lookup('a').length === 1)
    expect([a!.address, b!.address, a!.lookup('b')]).toEqual([...addresses, [parseIpv4(addresses[1]!)]])
    const [from, to] = addresses.map((address) => (parseIpv4(address) ?? 0) & 255)
    a!.send(packet(from!, macAt(to!), 60, 3))
    await until(() => got.length === 1)
    await until(() => isGone)
  })

  it('does not hold up who leaves, when it takes nothing any more', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'vmexit-switch-'))
    ends.push(() => rmSync(folder, { recursive: true, force: true }))
    const path = join(folder, 'socket')
    const sockets: Socket[] = []
    // It says welcome, and reads nothing behind that.
    const server = createServer((socket) => {
      sockets.push(socket)
      socket.once('data', () => {
        socket.pause()
        socket.write(messageUnit({ welcome: { address: '10.6.0.2', subnet: '10.6.0.0/24' } }))
      })
    })
    ends.push(() => server.close())
    await new Promise<void>((done) => server.listen(path, done))
    const uplink = await joinSwitch({ path, name: 'a' })
    for (let n = 0; n < 10_000; n++) uplink.send(packet(2, macAt(3), 1514))
    await new Promise((done) => setTimeout(done, 20))
    const before = performance.now()
    await uplink[Symbol.asyncDispose]()
    expect(performance.now() - before).toBeLessThan(4000)
    for (const socket of sockets) socket.destroy()
  })

  it('is missed by those who were plugged in, and leaves no socket', async () => {
    const { path, opened: one } = await opened()
    let isGone = false
    const uplink = await joinSwitch({ path, name: 'a', onGone: () => void (isGone = true) })
    await one[Symbol.asyncDispose]()
    await until(() => isGone)
    expect(existsSync(path)).toBe(false)
    uplink.send(packet(2, macAt(3)))
    await uplink[Symbol.asyncDispose]()
    await expect(joinSwitch({ path, name: 'a' })).rejects.toMatchObject({ code: 'container-switch-gone' })
  })
})

describe('a queue of frames', () => {
  it('gives each sender its turn, and drops from who has most', () => {
    const queue = new FairQueue<string>(1000)
    const frame = (mark: number) => Uint8Array.of(mark, ...new Uint8Array(35))
    for (let n = 0; n < 30; n++) queue.put('evil', frame(0))
    for (let n = 1; n <= 3; n++) queue.put('good', frame(n))
    expect([queue.bytes, queue.dropped]).toEqual([1000, 23])
    const order = Array.from({ length: 10 }, () => queue.take()?.[0])
    expect(order).toEqual([0, 1, 0, 2, 0, 3, 0, 0, 0, 0])
    expect([queue.take(), queue.bytes]).toEqual([undefined, 0])
  })
  it('is what a list of lists would be', () => {
    const random = new Random(8)
    const queue = new FairQueue<number>(20_000)
    let kept = 0
    for (let n = 0; n < 50_000; n++) {
      const act = random.below(10)
      const sender = random.below(5)
      if (act < 5) queue.put(sender, new Uint8Array(random.below(1500)))
      else if (act < 9) kept += queue.take() === undefined ? 0 : 1
      else if (random.below(50) === 0) queue.forget(sender)
      expect(queue.bytes).toBeLessThanOrEqual(20_000)
      expect(queue.bytes).toBeGreaterThanOrEqual(0)
    }
    while (queue.take() !== undefined) kept++
    expect([queue.bytes, kept > 10_000]).toEqual([0, true])
  })
})

describe.skipIf(!isBusyboxThere)(`kernels at a switch${isBusyboxThere ? '' : WHY_NOT}`, () => {
  async function container(path: string, name: string, args: readonly string[]) {
    const uplink = await joinSwitch({ path, name })
    const host = new ContainerHost({ engine: 'jit', pace: hostTime })
    const network = createNetwork({ host, subnet: uplink.subnet, uplink })
    const image = await busyboxImage()
    const container = await createContainer({ image, host, network, name, args, address: uplink.address })
    ends.push(async () => {
      await container[Symbol.asyncDispose]()
      await network[Symbol.asyncDispose]()
    })
    return container
  }

  it('have containers that find each other by name, and move megabytes', async () => {
    const { path } = await opened()
    const script =
      'mkdir /w; head -c 2000000 /dev/urandom > /w/big; echo hello > /w/index.html; exec busybox httpd -f -p 80 -h /w'
    const web = await container(path, 'web', ['sh', '-c', script])
    const client = await container(path, 'client', ['cat'])
    await until(() => web.usage.memory > 2_000_000)
    await said(web, 'while ! wget -q -O /dev/null http://127.0.0.1/; do sleep 0.1; done')
    expect(await said(client, 'wget -q -O - http://web/; ping -c 1 -W 2 web | grep -c from')).toBe('hello\n1\n')
    const sum = await said(web, 'sha256sum < /w/big')
    expect(await said(client, 'wget -q -O - http://web/big | sha256sum')).toBe(sum)
    expect(await said(client, 'nslookup nobody 2>&1 | grep -c NXDOMAIN')).toMatch(/^[1-9]/)
    // Its own gateway, and its own alone.
    expect(await said(client, 'ping -c 1 -W 2 10.6.0.1 | grep -c from; ip neigh show 10.6.0.1')).toMatch(
      /^1\n.*02:42:0a:06:00:01/,
    )
    await web[Symbol.asyncDispose]()
    expect(await said(client, 'timeout 2 wget -q -O - http://web/ 2>&1')).not.toContain('hello')
  }, 120_000)

  it('have what was sent arrive though the sender has ended', async () => {
    const { path } = await opened()
    const sink = await container(path, 'sink', ['sh', '-c', 'nc -l -p 9 | wc -c'])
    const source = await container(path, 'source', ['sh', '-c', 'sleep 1; head -c 300000 /dev/zero | nc sink 9'])
    await finish(source)
    await source[Symbol.asyncDispose]()
    expect((await finish(sink)).output.trim()).toBe('300000')
  }, 120_000)
})
