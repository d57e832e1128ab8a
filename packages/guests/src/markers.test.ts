import { expect, test } from 'vitest'
import { type Marker, MarkerReader } from './index.ts'

/** The markers in a text that comes in pieces of `size`, each with the number of pieces that had come. */
function read(text: string, size: number): [Marker, number][] {
  const found: [Marker, number][] = []
  let pieces = 0
  const reader = new MarkerReader((marker) => found.push([marker, pieces]))
  const bytes = new TextEncoder().encode(text)
  for (let at = 0; at < bytes.length; at += size) {
    pieces++
    reader.feed(bytes.subarray(at, at + size))
  }
  return found
}

const console = `[    0.185142] @@begin is not a marker here
@@begin fork 100               \r
@@middle fork                  \r
[    1.5] random: crng init done\r
@@end fork 0000210c            \r
@@exit fork 0\r
@@done\r
`
const markers: Marker[] = [
  { kind: 'begin', program: 'fork', count: 100 },
  { kind: 'middle', program: 'fork' },
  { kind: 'end', program: 'fork', checksum: '0000210c' },
  { kind: 'exit', program: 'fork', status: 0 },
  { kind: 'done' },
]

test.each([1, 7, 1000])('markers are found among other lines, in pieces of %i bytes', (size) => {
  expect(read(console, size).map(([marker]) => marker)).toEqual(markers)
})

test('each is told of with the newline behind it, not later', () => {
  const text = '@@middle in\n@@done\n!'
  expect(read(text, 1).map(([, pieces]) => pieces)).toEqual([12, 19])
})

test.each([
  ...[
    '@@begin fork',
    '@@begin fork 1x',
    '@@begin fork -1',
    '@@begin fork 1 2',
    '@@middle fork 1',
    '@@middle',
    '@@done x 1',
  ],
  ...[
    '@@end fork',
    '@@end fork 21',
    '@@exit fork',
    '@@exit 0',
    '@@begin',
    '@@',
    '@@other fork 1',
    ' @@done',
    '@@begin fork 99999999999',
  ],
])('%s is no marker', (line) => {
  expect(read(`${line}\n`, 1000)).toEqual([])
})

test('a line without end takes no more memory than one with', () => {
  const reader = new MarkerReader(() => expect.unreachable())
  const piece = new TextEncoder().encode('@@begin fork '.repeat(5000))
  for (let i = 0; i < 100; i++) reader.feed(piece)
  reader.feed(Uint8Array.of(0x0a))
})
