import { expect, test } from 'vitest'
import { decodeMessage, encode, encodeMessage, type Frame, FrameReader, LARGEST_PAYLOAD } from './frames.ts'

const text = (frame: Frame) => `${frame.kind} ${new TextDecoder().decode(frame.payload)}`
const bytes = (value: string) => new TextEncoder().encode(value)

test('frames come out as they went in, in whatever pieces a socket hands them over', () => {
  const sent = Buffer.concat([
    encodeMessage({ do: 'attach' }),
    encode('input', bytes('ls\n')),
    encode('output', bytes('')),
    encode('output', bytes('bin dev')),
  ])
  const expected = ['message {"do":"attach"}', 'input ls\n', 'output ', 'output bin dev']
  for (const size of [1, 2, 5, 7, 1000]) {
    const reader = new FrameReader()
    const seen: string[] = []
    for (let at = 0; at < sent.length; at += size)
      for (const frame of reader.read(sent.subarray(at, at + size))) seen.push(text(frame))
    expect(seen).toEqual(expected)
  }
})

test('what no peer sends is refused before it is gathered', () => {
  const refused = (...head: number[]) => new FrameReader().read(Uint8Array.from(head))
  expect(() => refused(0, 0, 0, 1, 9)).toThrow('a frame has kind 9')
  expect(() => refused(0xff, 0xff, 0xff, 0xff, 0)).toThrow('a frame has 4294967294 bytes')
  expect(() => refused(0, 0, 0, 0, 0)).toThrow('a frame has -1 bytes')
  expect(new FrameReader().read(encode('input', new Uint8Array(LARGEST_PAYLOAD)))).toHaveLength(1)
})

test('a message is a JSON object', () => {
  expect(decodeMessage(bytes('{"a":[1]}'))).toEqual({ a: [1] })
  for (const wrong of ['', 'null', '3', '{"a":']) expect(() => decodeMessage(bytes(wrong))).toThrow('no JSON object')
})
