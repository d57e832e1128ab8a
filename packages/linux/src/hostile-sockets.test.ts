/** Programs that mean ill with sockets: wild arguments, messages of any shape, floods of descriptors. */
import { describe, expect, it } from 'vitest'
import { type Call, mapScratch, programOf, SCRATCH, SCRATCH_BYTES } from '../test/calls.ts'
import { run } from '../test/run.ts'
import { Random } from './random.ts'
import type { Account } from './tasks/account.ts'

const NONBLOCK = 0o4000
const SOCKET_CALLS = [102, 337, 345, ...Array.from({ length: 15 }, (_, n) => 359 + n), 417]
/** read, write, close, dup, ioctl, dup2, readv, writev, poll, sendfile, fcntl64, epoll_ctl, epoll_wait. */
const OTHERS = [3, 4, 6, 41, 54, 63, 145, 146, 168, 187, 221, 255, 256]
/** Where structures lie in the scratch memory, 64 bytes each. */
const SLOT = 64
const SLOTS = 160
const ADDRESSES = SCRATCH
const HEADERS = SCRATCH + 32 * SLOT
const CONTROLS = SCRATCH + 64 * SLOT
const VECTORS = SCRATCH + 96 * SLOT
const LENGTHS = SCRATCH + 128 * SLOT

/** Scratch memory full of addresses, headers, control messages and vectors, some of which are in order. */
function scratch(random: Random): Uint8Array {
  const bytes = new Uint8Array(SCRATCH_BYTES)
  const view = new DataView(bytes.buffer)
  const slot = (at: number, n: number): number => at - SCRATCH + n * SLOT
  const put = (at: number, ...words: number[]): void => {
    for (const [n, word] of words.entries()) view.setInt32(at + n * 4, word | 0, true)
  }
  const some = (most: number): number => random.next() % most
  for (let n = 0; n < 32; n++) {
    const [address, header, control] = [slot(ADDRESSES, n), slot(HEADERS, n), slot(CONTROLS, n)]
    const family = [1, 1, 2, 2, 16, 17, 0, some(50)][some(8)]!
    view.setUint16(address, family, true)
    view.setUint16(address + 2, family === 1 ? some(4) << 8 : [0, 80, 5000 + some(4)][some(3)]!)
    view.setUint32(address + 4, [0x7f00_0001, 0, 0xffff_ffff, 0xe000_0001, random.next()][some(5)]!)
    const vectors = VECTORS + some(32) * SLOT
    put(
      header,
      ADDRESSES + some(32) * SLOT,
      some(40),
      vectors,
      some(6),
      CONTROLS + some(32) * SLOT,
      some(64),
      random.next(),
    )
    put(header + 32, 0, 0, vectors, some(3), 0, 0, 0, 0)
    put(control, 12 + 4 * some(6), [1, 1, 1, 0, some(9)][some(5)]!, [1, 1, 2, some(40)][some(4)]!)
    put(control + 12, ...Array.from({ length: 8 }, () => some(24)))
    put(slot(LENGTHS, n), ...Array.from({ length: 8 }, () => [4, 16, 8, 110, 0, 1, some(200), -some(9)][some(8)]!))
    const vector = slot(VECTORS, n)
    for (let m = 0; m < 8; m++)
      put(vector + m * 8, SCRATCH + some(SCRATCH_BYTES), [some(100), some(5000), random.next(), 0][some(4)]!)
  }
  return bytes
}

function word(random: Random): number {
  const some = (most: number): number => random.next() % most
  const kinds: readonly (() => number)[] = [
    () => some(24),
    () => some(24),
    () => SCRATCH + some(SLOTS) * SLOT,
    () => SCRATCH + some(SLOTS) * SLOT,
    () => [2, 4, 8, 12, 16, 20, 28, 32, 110][some(9)]!,
    () => 1 << some(32),
    () => -some(4096),
    () => SCRATCH + SCRATCH_BYTES - some(32),
    () => random.next(),
    () => 0,
  ]
  return kinds[some(kinds.length)]!()
}

/** Sockets of every kind, none of which waits. */
const make: readonly Call[] = [
  [3, 0, SCRATCH, SCRATCH_BYTES],
  [48, 13, 1], // SIGPIPE is ignored
  ...[1, 2, 5].flatMap((type): Call[] => [
    [360, 1, type | NONBLOCK, 0, SCRATCH + 8000],
    [359, 1, type | NONBLOCK, 0],
  ]),
  ...[1, 2].flatMap((type): Call[] => [
    [359, 2, type | NONBLOCK, 0],
    [359, 2, type | NONBLOCK, 0],
  ]),
  [359, 2, 3 | NONBLOCK, 1],
  [359, 16, 3 | NONBLOCK, 0],
  [359, 17, 3 | NONBLOCK, 0x0300],
  [329, 0],
]

/** What kinds of arguments calls take, so that most of them get further than their first check. */
// biome-ignore format: a table
const SHAPES: Readonly<Record<number, readonly (keyof typeof LIKELY)[]>> = {
  337: ['fd', 'header', 'few', 'flags', 'none'], 345: ['fd', 'header', 'few', 'flags'], 417: ['fd', 'header', 'few', 'flags', 'none'],
  359: ['family', 'type', 'few'], 360: ['one', 'type', 'none', 'memory'], 361: ['fd', 'address', 'bytes'],
  362: ['fd', 'address', 'bytes'], 363: ['fd', 'few'], 364: ['fd', 'memory', 'length', 'none'],
  365: ['fd', 'level', 'option', 'memory', 'length'], 366: ['fd', 'level', 'option', 'length', 'bytes'],
  367: ['fd', 'memory', 'length'], 368: ['fd', 'memory', 'length'], 369: ['fd', 'memory', 'bytes', 'flags', 'address', 'bytes'],
  370: ['fd', 'header', 'flags'], 371: ['fd', 'memory', 'bytes', 'flags', 'memory', 'length'], 372: ['fd', 'header', 'flags'],
  373: ['fd', 'few'], 54: ['fd', 'request', 'memory'], 3: ['fd', 'memory', 'bytes'], 4: ['fd', 'memory', 'bytes'],
  255: ['fd', 'few', 'fd', 'memory'], 6: ['fd'], 41: ['fd'], 63: ['fd', 'fd'],
}
type Choose = (most: number) => number
// biome-ignore format: a table
const LIKELY = {
  fd: (some: Choose) => 3 + some(24), few: (some: Choose) => some(5), one: () => 1, none: () => 0,
  family: (some: Choose) => [1, 2, 16, 17][some(4)]!, type: (some: Choose) => [1, 2, 3, 5][some(4)]! | NONBLOCK,
  address: (some: Choose) => ADDRESSES + some(32) * SLOT, header: (some: Choose) => HEADERS + some(32) * SLOT,
  memory: (some: Choose) => SCRATCH + some(SLOTS) * SLOT, length: (some: Choose) => LENGTHS + some(32) * SLOT,
  bytes: (some: Choose) => [16, 16, 16, 4, 8, 12, 20, 110, 1, 3000][some(10)]!,
  flags: (some: Choose) => 0x40 | [0, 0, 2, 0x20, 0x100, 0x4000, 1][some(7)]!,
  level: (some: Choose) => [1, 1, 0, 6, 17][some(5)]!, option: (some: Choose) => 1 + some(68),
  request: (some: Choose) => [0x541b, 0x5411, 0x8905, 0x8912, 0x890b, 0x8910, ...Array.from({ length: 4 }, () => 0x8913 + some(50))][some(10)]!,
}

function calls(random: Random, count: number): Call[] {
  const numbers = [...SOCKET_CALLS, ...SOCKET_CALLS, ...OTHERS]
  const some = (most: number): number => random.next() % most
  return Array.from({ length: count }, (): Call => {
    const number = numbers[some(numbers.length)]!
    const shape = SHAPES[number] ?? []
    const words = Array.from({ length: 6 }, (_, n) =>
      shape[n] !== undefined && some(8) > 0 ? LIKELY[shape[n]](some) : word(random),
    )
    // Who waits makes no further call.
    if ([369, 371].includes(number)) words[3]! |= 0x40
    if ([370, 372].includes(number)) words[2]! |= 0x40
    if (number === 168 || number === 256) words[number === 168 ? 2 : 3] = 0
    return [number, ...words]
  })
}

function limited(memory: number): Account & { readonly used: Record<string, number> } {
  const used: Record<string, number> = { pids: 0, memory: 0, cpu: 0 }
  return {
    name: 'limited',
    cpuWeight: 100,
    used,
    charge(resource, amount) {
      if (resource === 'memory' && used[resource]! + amount > memory) return false
      used[resource]! += amount
      return true
    },
    uncharge(resource, amount) {
      used[resource]! -= amount
    },
  }
}

describe('programs that mean ill with sockets', () => {
  it.each(Array.from({ length: 60 }, (_, seed) => seed))(
    'leave the books in order, whatever they call (seed %i)',
    (seed) => {
      const random = new Random(seed)
      const account = limited(3000)
      const { wrong, kernel } = run({
        files: { '/p': programOf([mapScratch, ...make, ...calls(random, 600)]) },
        args: ['/p'],
        input: scratch(random),
        engine: 'interpreter',
        most: 20e6,
        memory: '64 MiB',
        account,
        ...(seed % 3 === 0 && { uid: 1000 }),
      })
      expect(wrong).toEqual([])
      if (kernel.processes.size === 0) expect(kernel.network.sockets).toBe(0)
    },
  )

  it('give all memory of their buffers back', () => {
    const account = limited(3000)
    const [pair, buffer] = [SCRATCH, SCRATCH + 64]
    const program = programOf([
      mapScratch,
      ...Array.from({ length: 50 }, (_, n): Call[] => [
        [360, 1, 1 + (n % 2), 0, pair],
        [369, 3 + 2 * n, buffer, 16_000, 0x40, 0, 0],
        [369, 4 + 2 * n, buffer, 9000, 0x40, 0, 0],
      ]).flat(),
    ])
    const { wrong, kernel } = run({ files: { '/p': program }, args: ['/p'], engine: 'reference', account })
    expect(wrong).toEqual([])
    expect(kernel.processes.size).toBe(0)
    // (What is left is the kernel's cache of the program.)
    expect(account.used['memory']).toBeLessThan(20)
  })

  it('have no more memory in their buffers than their account lets them have', () => {
    const account = limited(60)
    const answers: number[] = []
    const program = programOf([
      mapScratch,
      ...Array.from({ length: 20 }, (_, n): Call[] => [
        [360, 1, 2, 0, SCRATCH],
        [369, 3 + 2 * n, SCRATCH, 16_000, 0x40, 0, 0],
      ]).flat(),
    ])
    const { wrong } = run({
      files: { '/p': program },
      args: ['/p'],
      engine: 'reference',
      account,
      observe: (number, answer) => {
        if (number === 369 || number === 360) answers.push(answer ?? 0)
      },
    })
    expect(wrong).toEqual([])
    expect(answers.slice(0, 2)).toEqual([0, 16_000])
    expect(answers).toContain(-105) // ENOBUFS
    expect(account.used['memory']).toBeLessThanOrEqual(60)
  })

  it.each([0, 1000])(
    'flood the kernel with descriptors on their way up to a limit, and then no further (user %i)',
    (uid) => {
      // A message that carries 200 times descriptor 3, sent a thousand times through pairs of sockets that are closed at once.
      const input = new Uint8Array(SCRATCH_BYTES)
      const view = new DataView(input.buffer)
      const put = (at: number, ...words: number[]): void => {
        for (const [n, value] of words.entries()) view.setInt32(at + n * 4, value, true)
      }
      const [header, vector, control] = [256, 320, 400]
      put(header, 0, 0, SCRATCH + vector, 1, SCRATCH + control, 12 + 800, 0)
      put(vector, SCRATCH, 1)
      put(control, 12 + 800, 1, 1, ...new Array<number>(200).fill(3))
      const answers: number[] = []
      const program = programOf([
        mapScratch,
        [3, 0, SCRATCH, SCRATCH_BYTES],
        // 3 and 4 are a pair; 3 goes into the queue of 4, and from there on nothing is received.
        [360, 1, 2, 0, SCRATCH],
        ...Array.from({ length: 500 }, (): Call[] => [
          [370, 3, SCRATCH + header, 0x40],
          [360, 1, 2, 0, SCRATCH],
          [370, 5, SCRATCH + header, 0x40],
          [6, 5],
          [6, 6],
        ]).flat(),
      ])
      const { wrong, kernel } = run({
        files: { '/p': program },
        args: ['/p'],
        input,
        uid,
        engine: 'reference',
        observe: (number, answer) => {
          if (number === 370) answers.push(answer ?? 0)
        },
      })
      expect(wrong).toEqual([])
      expect(answers[0]).toBe(1)
      // RLIMIT_NOFILE is the limit of users; of root the buffer of the socket is.
      expect(answers).toContain(uid === 0 ? -11 : -109)
      expect(kernel.network.rights.total).toBe(0)
      expect(kernel.network.sockets).toBe(0)
    },
  )

  it('cannot make a chain of sockets in queues that is too long to be closed', () => {
    const input = new Uint8Array(SCRATCH_BYTES)
    const view = new DataView(input.buffer)
    const put = (at: number, ...words: number[]): void => {
      for (const [n, value] of words.entries()) view.setInt32(at + n * 4, value, true)
    }
    const [header, vector, control] = [256, 320, 400]
    put(header, 0, 0, SCRATCH + vector, 1, SCRATCH + control, 16, 0)
    put(vector, SCRATCH, 1)
    put(control, 16, 1, 1, 3)
    const depth = 20_000
    const program = programOf([
      mapScratch,
      [3, 0, SCRATCH, SCRATCH_BYTES],
      [360, 1, 1, 0, SCRATCH],
      // 5 carries 3, and becomes 3.
      ...Array.from({ length: depth }, (): Call[] => [
        [360, 1, 1, 0, SCRATCH],
        [370, 6, SCRATCH + header, 0],
        [63, 5, 3],
        [6, 5],
        [6, 6],
      ]).flat(),
    ])
    let deepest = 0
    const { wrong, kernel } = run({
      files: { '/p': program },
      args: ['/p'],
      input,
      engine: 'interpreter',
      observe: (number, answer) => {
        if (number === 370 && answer === 1) deepest++
      },
    })
    expect(deepest).toBe(depth)
    expect(wrong).toEqual([])
    expect(kernel.network.sockets).toBe(0)
  })

  it('get EFAULT for every address that they may not use, and nothing is lost', () => {
    const bad = 0xc000_1000
    const [pair, header, length] = [SCRATCH, SCRATCH + 256, SCRATCH + 512]
    const input = new Uint8Array(SCRATCH_BYTES)
    const view = new DataView(input.buffer)
    // A header with a bad name, one with bad control messages, one with a bad vector; each needs a good vector.
    const put = (at: number, ...words: number[]): void => {
      for (const [n, value] of words.entries()) view.setInt32(at - SCRATCH + n * 4, value | 0, true)
    }
    const vector = SCRATCH + 600
    put(vector, SCRATCH + 1024, 4, bad, 4)
    put(header, bad, 16, vector, 1, 0, 0, 0)
    put(header + 32, 0, 0, vector, 1, bad, 64, 0)
    put(header + 64, 0, 0, vector + 8, 1, 0, 0, 0)
    put(header + 96, 0, 0, bad, 1, 0, 0, 0)
    put(length, 16)
    const wild: Call[] = [
      [360, 1, 1, 0, bad],
      [361, 3, bad, 16],
      [362, 3, bad, 16],
      [365, 3, 1, 3, bad, length],
      [365, 3, 1, 3, SCRATCH, bad],
      [366, 3, 1, 9, bad, 4],
      [367, 3, bad, length],
      [367, 3, SCRATCH, bad],
      [368, 3, bad, length],
      [369, 3, bad, 4, 0, 0, 0],
      [370, 3, bad, 0],
      ...[32, 64, 96].map((at): Call => [370, 3, header + at, 0]),
      [370, 5, header, 0],
      [371, 4, bad, 4, 0, 0, 0],
      [371, 4, SCRATCH + 1024, 4, 0, bad, length],
      [371, 4, SCRATCH + 1024, 4, 0, SCRATCH, bad],
      [372, 4, bad, 0],
      ...[0, 32, 64, 96].map((at): Call => [372, 4, header + at, 0]),
      [337, 4, bad, 1, 0, 0],
      [345, 3, bad, 1, 0],
      [417, 4, bad, 1, 0, 0],
      [3, 4, bad, 4],
      [145, 4, vector + 8, 1],
      [4, 3, bad, 4],
      [146, 3, vector + 8, 1],
      [102, 1, bad],
      [54, 5, 0x8913, bad],
      [54, 5, 0x8912, bad],
      [54, 5, 0x890b, bad],
      [54, 5, 0x541b, bad],
      [54, 5, 0x5421, bad],
    ]
    const answers: number[] = []
    const { wrong } = run({
      files: {
        '/p': programOf([
          mapScratch,
          [3, 0, SCRATCH, SCRATCH_BYTES],
          [360, 1, 1, 0, pair],
          [359, 2, 2, 0],
          [369, 3, SCRATCH + 1024, 4, 0, 0, 0],
          ...wild,
          [371, 4, SCRATCH + 1024, 64, 0, 0, 0],
        ]),
      },
      args: ['/p'],
      input,
      engine: 'reference',
      observe: (_number, answer) => answers.push(answer ?? 0),
    })
    expect(answers.slice(5, 5 + wild.length)).toEqual(wild.map(() => -14))
    // The four bytes are there still.
    expect(answers[5 + wild.length]).toBe(4)
    expect(wrong).toEqual([])
  })
})
