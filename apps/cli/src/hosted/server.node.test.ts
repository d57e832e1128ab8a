import { mkdtempSync, rmSync } from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import { ask, ended, type Keyboard, watch } from './client.ts'
import { ConsoleLog } from './console-log.ts'
import { writeRecord } from './instance.ts'
import { listen } from './server.ts'
import { type Found, socketPath } from './state-directory.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const patience = { timeout: 20_000 }

/** An instance in this process: what is printed is said by the test, what is typed is taken by it. */
async function setUp({ segment = 1 << 20, input = async (_: Uint8Array): Promise<void> => {} } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'vmexit-ctl-'))
  const log = new ConsoleLog(folder, segment)
  const typed: string[] = []
  const server = await listen(socketPath(folder), {
    process: { pid: 1234, started: '2026-01-01T00:00:00.000Z' },
    log,
    hosted: {
      input: async (text) => {
        typed.push(new TextDecoder().decode(text))
        await input(text)
      },
      stop: () => void typed.push('<stop>'),
      stats: () => ({ instructions: 42 }),
    },
  })
  const found = { folder, instance: {} } as Found
  let open = true
  const end = async (exitCode?: number) => {
    if (!open) return
    open = false
    if (exitCode !== undefined) writeRecord(folder, 'exit', { exitCode, at: '' })
    await server[Symbol.asyncDispose]()
  }
  onTestFinished(async () => {
    await end()
    log[Symbol.dispose]()
    rmSync(folder, { recursive: true, force: true })
  })
  const print = (text: string | Uint8Array) => {
    log.append(typeof text === 'string' ? bytes(text) : text)
    server.printed()
  }
  /** Watches, and says what it has seen. */
  const watcher = (from: 'start' | 'end', hold?: () => Promise<void>) => {
    const seen = { text: '', missed: 0, keyboard: undefined as Keyboard | undefined }
    const over = watch(found, {
      from,
      print: (text) => {
        seen.text += new TextDecoder('latin1').decode(text)
        return hold?.()
      },
      missed: (count) => void (seen.missed += count),
      watching: (keyboard) => void (seen.keyboard = keyboard),
    })
    return { seen, over, watching: () => vi.waitFor(() => expect(seen.keyboard).toBeDefined(), patience) }
  }
  return { found, folder, print, end, typed, watcher }
}

test('whoever watches what is removed meanwhile just ends', async () => {
  const { watcher, folder, end } = await setUp()
  const { watching, over } = watcher('start')
  await watching()
  rmSync(folder, { recursive: true })
  await end()
  expect(await over).toBeUndefined()
})

test('it answers, and is gone when it is gone', async () => {
  const { found, typed, end } = await setUp()
  expect(await ask(found, 'describe')).toEqual({ pid: 1234, started: '2026-01-01T00:00:00.000Z', began: 0 })
  expect(await ask(found, 'stats')).toEqual({ instructions: 42 })
  expect(await ask(found, 'stop')).toEqual({})
  expect(typed).toEqual(['<stop>'])
  await expect(ask(found, 'dance' as 'stop')).rejects.toThrow("there is no request 'dance'")
  const over = ended(found)
  await end()
  await over
  expect(await ask(found, 'describe')).toBe('gone')
  await ended(found)
})

test('two watch at once, from when they came or from the beginning, and learn how it ended', async () => {
  const { print, watcher, end, typed } = await setUp()
  print('before ')
  const now = watcher('end')
  const all = watcher('start')
  await Promise.all([now.watching(), all.watching()])
  print('and after')
  await now.seen.keyboard!.type(bytes('one'))
  await vi.waitFor(() => expect(typed).toEqual(['one']), patience)
  await all.seen.keyboard!.type(bytes('two'))
  await vi.waitFor(() => expect(typed).toEqual(['one', 'two']), patience)
  await end(7)
  expect([await now.over, await all.over]).toEqual([
    { exitCode: 7, at: '' },
    { exitCode: 7, at: '' },
  ])
  expect([now.seen.text, all.seen.text]).toEqual(['and after', 'before and after'])
})

test('one who leaves, and one who breaks off, leave the others', async () => {
  const { print, watcher, folder, end } = await setUp()
  const [leaves, stays] = [watcher('end'), watcher('end')]
  await Promise.all([leaves.watching(), stays.watching()])
  const rude = createConnection(socketPath(folder))
  rude.on('error', () => {})
  rude.write('GET / HTTP/1.1\r\n\r\n')
  // It is told, and hung up on.
  await new Promise((resolve) => rude.resume().on('close', resolve))
  leaves.seen.keyboard!.leave()
  expect(await leaves.over).toBe('left')
  print('still here')
  await end()
  expect(await stays.over).toBeUndefined()
  expect(stays.seen.text).toBe('still here')
})

test('one who does not read costs no memory, holds nobody up, and is told what it has missed', async () => {
  const { print, watcher, end } = await setUp()
  let goOn = () => {}
  const held = new Promise<void>((resolve) => {
    goOn = resolve
  })
  const slow = watcher('end', () => held)
  const quick = watcher('end')
  await Promise.all([slow.watching(), quick.watching()])
  const part = new Uint8Array(1 << 18).fill(0x79)
  for (let i = 0; i < 256; i++) {
    print(part)
    await vi.waitFor(() => expect(quick.seen.text.length).toBe((i + 1) * part.length), { ...patience, interval: 1 })
  }
  print('the end')
  goOn()
  await vi.waitFor(() => expect(slow.seen.text.endsWith('the end')).toBe(true), patience)
  await end(0)
  await Promise.all([slow.over, quick.over])
  // What it has missed waited for it nowhere.
  expect(slow.seen.missed).toBeGreaterThan(60 << 20)
  expect(slow.seen.missed + slow.seen.text.length).toBe(quick.seen.text.length)
  expect([quick.seen.missed, quick.seen.text.length]).toEqual([0, 256 * part.length + 7])
})

test('whoever reads slowly is not cut off at the end', async () => {
  const { print, watcher, end } = await setUp()
  const slow = watcher('end', () => sleep(5))
  await slow.watching()
  print(new Uint8Array(1_500_000).fill(0x79))
  print('the end')
  await end(0)
  expect(await slow.over).toMatchObject({ exitCode: 0 })
  expect([slow.seen.missed, slow.seen.text.length, slow.seen.text.slice(-7)]).toEqual([0, 1_500_007, 'the end'])
})

test('whoever types more than is read waits', async () => {
  let taken = () => {}
  const { watcher, typed } = await setUp({ input: () => new Promise((resolve) => (taken = resolve)) })
  const { seen, watching } = watcher('end')
  await watching()
  let done = false
  const typing = seen.keyboard!.type(new Uint8Array(4 << 20).fill(0x79)).then(() => {
    done = true
  })
  await sleep(500)
  expect([done, typed.length]).toEqual([false, 1])
  const reading = setInterval(() => taken(), 1)
  onTestFinished(() => clearInterval(reading))
  await typing
  await vi.waitFor(() => expect(typed.join('').length).toBe(4 << 20), patience)
})
