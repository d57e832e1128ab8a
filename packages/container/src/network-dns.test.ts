/** What the DNS server of a network says: to sensible questions, and to bytes of all kinds. */
import { Clock } from '@vmexit/core'
import { NetStack, Random, readQuery, received } from '@vmexit/net'
import { describe, expect, it } from 'vitest'
import { answerOwn, NetworkDns } from './network-dns.ts'
import { NetworkNames } from './network-names.ts'

const names = new NetworkNames()
names.add(0x0a00_0002, ['web', 'www.shop'])
names.add(0x0a00_0003, ['Web', 'db_1'])
for (let n = 0; n < 30; n++) names.add(0x0a00_0100 + n, ['many'])

function query(name: string, { type = 1, id = 7, flags = 0x0100, klass = 1 } = {}): Uint8Array {
  const labels = name.split('.').flatMap((label) => [label.length, ...new TextEncoder().encode(label)])
  const words = (...values: number[]): number[] => values.flatMap((value) => [value >> 8, value & 255])
  return Uint8Array.from([...words(id, flags, 1, 0, 0, 0), ...labels, 0, ...words(type, klass)])
}

/** Reads an answer by RFC 1035 alone, and by nothing of ours. Undefined where it is malformed. */
function parse(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const [id, flags, questions, answers, authorities, more] = [0, 2, 4, 6, 8, 10].map((at) => view.getUint16(at))
  let at = 12
  const labels: string[] = []
  const nameAt = (): string => {
    const parts: string[] = []
    let place = at
    let end: number | undefined
    for (let jumps = 0; ; ) {
      const size = bytes[place]!
      if (size >= 0xc0) {
        end ??= place + 2
        place = view.getUint16(place) & 0x3fff
        if (++jumps > 5) throw new Error('a circle')
      } else if (size === 0) {
        at = end ?? place + 1
        return parts.join('.')
      } else {
        parts.push(new TextDecoder().decode(bytes.subarray(place + 1, place + 1 + size)))
        place += 1 + size
      }
    }
  }
  labels.push(nameAt())
  at += 4
  const addresses: number[] = []
  for (let n = 0; n < answers!; n++) {
    const owner = nameAt()
    if (owner !== labels[0]) throw new Error(`an answer for ${owner}`)
    const [type, klass, size] = [view.getUint16(at), view.getUint16(at + 2), view.getUint16(at + 8)]
    if (type !== 1 || klass !== 1 || size !== 4) throw new Error('no address')
    addresses.push(view.getUint32(at + 10))
    at += 14
  }
  if (at !== bytes.length) throw new Error(`${bytes.length - at} bytes behind the end`)
  return { id, flags: flags!, questions, authorities, more, name: labels[0]!, addresses }
}

/** A server at 10.0.0.1 of a stack, and what it answers at once to what the stack itself asks. */
function server(lookupOutside: ConstructorParameters<typeof NetworkDns>[2]['lookupOutside'] = () => undefined) {
  const clock = new Clock()
  const stack = new NetStack({ clock, seed: 1 })
  const device = stack.addDummy({ name: 'd' })!
  stack.configure(device, '10.0.0.1/24')
  const dns = new NetworkDns(stack, 0x0a00_0001, {
    lookup: (name) => names.lookup(name),
    lookupOutside,
    wake: () => {},
  })
  const socket = stack.udpSocket()
  const buffer = new Uint8Array(2000)
  const pass = (): void => clock.advanceTo(clock.now + 1e6)
  const heard = (): Uint8Array[] => {
    const all: Uint8Array[] = []
    for (let size = socket.receive(buffer, 0, received()); size >= 0; size = socket.receive(buffer, 0, received()))
      all.push(buffer.slice(0, size))
    return all
  }
  const ask = (bytes: Uint8Array): Uint8Array[] => {
    socket.send(bytes, 0, { address: 0x0a00_0001, port: 53 })
    pass()
    pass()
    return heard()
  }
  return { ask, heard, pass, dns }
}

describe('the DNS server of a network', () => {
  it.each<[name: string, options: Parameters<typeof query>[1], code: number, addresses: readonly number[]]>([
    ['web', {}, 0, [0x0a00_0002, 0x0a00_0003]],
    ['WWW.Shop', {}, 0, [0x0a00_0002]],
    ['db_1', {}, 0, [0x0a00_0003]],
    ['web', { type: 28 }, 0, []],
    ['web', { type: 15 }, 0, []],
    ['web', { type: 255 }, 0, []],
    ['shop', {}, 3, []],
    ['web.example', {}, 3, []],
    ['2.0.0.10.in-addr.arpa', { type: 12 }, 3, []],
    ['many', {}, 0, Array.from({ length: 14 }, (_, n) => 0x0a00_0100 + n)],
  ])('answers for %s %j', (name, options, code, addresses) => {
    const [answer, ...more] = server().ask(query(name, options))
    expect(more).toEqual([])
    const { flags, ...read } = parse(answer!)
    expect(read).toEqual({ id: 7, questions: 1, authorities: 0, more: 0, name, addresses })
    // A response, with authority, recursion asked for and there.
    expect(flags).toBe(0x8580 | code)
    expect(answer!.length).toBeLessThanOrEqual(512)
  })

  it('says nothing to what is no query', () => {
    const { ask } = server()
    expect(ask(query('web', { flags: 0x8100 }))).toEqual([])
    expect(ask(query('web', { flags: 0x2100 }))).toEqual([])
    expect(ask(query('web', { klass: 3 }))).toEqual([])
    expect(ask(query('web').subarray(0, 11))).toEqual([])
    expect(ask(new Uint8Array(0))).toEqual([])
  })

  it('asks outside for so many names at a time, and answers each when it is known', async () => {
    const answers: ((found: readonly number[] | 'refused' | undefined) => void)[] = []
    const { ask, heard, pass } = server(() => new Promise((done) => answers.push(done)))
    for (let n = 0; n < 100; n++) ask(query(`n${n}.example`, { id: n }))
    expect(answers.length).toBe(16)
    answers[0]!([1])
    answers[1]!('refused')
    answers[2]!(undefined)
    await new Promise((done) => setTimeout(done))
    pass()
    expect(
      heard()
        .map(parse)
        .map(({ id, flags, addresses }) => [id, flags & 15, addresses]),
    ).toEqual([
      [0, 0, [1]],
      [1, 5, []],
      [2, 3, []],
    ])
    ask(query('more.example'))
    expect(answers.length).toBe(17)
  })

  it('takes bytes of any kind: it answers well or not at all, and lives', () => {
    const random = new Random(20)
    const { ask } = server()
    const seeds = ['web', 'www.shop', 'many', 'no.such.name', 'x'.repeat(63)].map((name) => query(name))
    let answered = 0
    for (let round = 0; round < 20_000; round++) {
      const bytes =
        random.below(4) === 0
          ? Uint8Array.from({ length: random.below(80) }, () => random.below(256))
          : seeds[random.below(seeds.length)]!.slice(0, 12 + random.below(90))
      for (let n = random.below(4); n > 0 && bytes.length > 0; n--)
        bytes[random.below(bytes.length)] = random.below(256)
      for (const answer of ask(bytes)) {
        answered++
        const { id, flags, name, addresses } = parse(answer)
        expect([id, flags & 0x8000]).toEqual([(bytes[0]! << 8) | bytes[1]!, 0x8000])
        const type = (bytes[12 + name.length + 2]! << 8) | bytes[12 + name.length + 3]!
        expect(addresses).toEqual(type === 1 ? names.lookup(name).slice(0, 14) : [])
      }
    }
    expect(answered).toBeGreaterThan(2000)
    expect(parse(ask(query('web'))[0]!).addresses.length).toBe(2)
  })
})

describe('an own name', () => {
  it('is nobody’s when whoever had it has gone', () => {
    const some = new NetworkNames()
    some.add(1, ['a', 'b'])
    some.add(2, ['b'])
    some.remove(1)
    const lookup = (name: string): readonly number[] => some.lookup(name)
    expect(answerOwn({ lookup }, readQuery(query('a'))!)).toBeUndefined()
    expect(parse(answerOwn({ lookup }, readQuery(query('b'))!)!).addresses).toEqual([2])
  })
})
