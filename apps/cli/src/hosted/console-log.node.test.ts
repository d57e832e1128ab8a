import { appendFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { ConsoleLog } from './console-log.ts'

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'vmexit-log-'))
  onTestFinished(() => rmSync(path, { recursive: true }))
  return path
}

const bytes = (text: string) => new TextEncoder().encode(text)

/** All from a position on, and what was missed. */
function readAll(log: ConsoleLog, from = 0, most = 3): string {
  let text = ''
  for (let position = from; ; ) {
    const { at, bytes } = log.read(position, most)
    if (at > position) text += `<${at - position} missed>`
    if (bytes.length === 0) return text
    text += new TextDecoder().decode(bytes)
    position = at + bytes.length
  }
}

test('the latest is kept, on disk as well, and a reader who is late knows what it has missed', () => {
  const path = folder()
  using log = new ConsoleLog(path, 10)
  expect(readAll(log)).toBe('')
  log.append(bytes('0123456'))
  expect(readAll(log)).toBe('0123456')
  log.append(bytes('789abcdefghijk'))
  expect(readAll(log, 5)).toBe('<5 missed>abcdefghijk')
  log.append(bytes('l'))
  expect([log.start, log.end]).toEqual([10, 22])
  expect(readAll(log)).toBe('<10 missed>abcdefghijkl')
  expect(readAll(log, 19)).toBe('jkl')
  expect(readAll(log, 22)).toBe('')
  expect(readdirSync(path)).toEqual(
    [10, 20].flatMap((at) => ['log', 'marks'].map((kind) => `console-0000000000000${at}.${kind}`)),
  )
  using later = ConsoleLog.open(path)
  expect(readAll(later)).toBe('<10 missed>abcdefghijkl')
  expect([later.start, later.end]).toEqual([10, 22])
})

test('a log that cannot be written loses what was printed, and not the machine', () => {
  const path = join(folder(), 'gone')
  using log = new ConsoleLog(path)
  log.append(bytes('lost'))
  expect([log.start, log.end]).toEqual([4, 4])
  expect(readAll(log)).toBe('<4 missed>')
})

test('streams and times come back as they were, and a log is written on where it ended', () => {
  const path = folder()
  {
    using log = new ConsoleLog(path)
    log.append(bytes('out '), 'output', 1000)
    log.append(bytes('err '), 'errors', 1000)
    log.append(bytes('more '), 'errors', 1000)
    log.append(bytes('later'), 'errors', 2000)
  }
  // Killed in the middle of a mark.
  appendFileSync(join(path, 'console-000000000000000.marks'), 'half')
  using log = ConsoleLog.resume(path)
  log.append(bytes('again'), 'output', 3000)
  const pieces: [string, string, number][] = []
  for (let position = 0; position < log.end; ) {
    const piece = log.read(position, 100)
    pieces.push([new TextDecoder().decode(piece.bytes), piece.stream, piece.time])
    position += piece.bytes.length
  }
  expect(pieces).toEqual([
    ['out ', 'output', 1000],
    ['err more ', 'errors', 1000],
    ['later', 'errors', 2000],
    ['again', 'output', 3000],
  ])
})
