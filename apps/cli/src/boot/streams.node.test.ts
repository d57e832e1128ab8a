/** The program with pipes for standard streams. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { exitsWith3, printsForEver, waitsForEver, worksForEver } from '../../test/roms.ts'

const timeout = 60_000

/** Starts `vmexit boot --rom`. What it says on standard error is in `said`. */
function boot(rom: Uint8Array, ...flags: string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'vmexit-streams-'))
  const file = join(folder, 'test.rom')
  writeFileSync(file, rom)
  const main = join(import.meta.dirname, '..', 'main.ts')
  const child = spawn(process.execPath, ['--conditions=@vmexit/source', main, 'boot', '--rom', file, ...flags])
  const text: string[] = []
  child.stderr.on('data', (bytes) => text.push(`${bytes}`))
  // What a program that has ended does not read is no error here.
  child.stdin.on('error', () => {})
  onTestFinished(() => {
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true })
  })
  return { child, said: () => text.join('') }
}

const codeOf = async (child: ChildProcess): Promise<number> => (await once(child, 'close'))[0]

test('a guest that waits for input ends when there is none any more', { timeout }, async () => {
  const { child, said } = boot(waitsForEver)
  child.stdin.end('what it never reads')
  expect(await codeOf(child)).toBe(0)
  expect(said()).toContain('the guest waits for input, which has ended')
})

test('while standard input is open, a guest waits for it until a signal', { timeout }, async () => {
  const { child, said } = boot(waitsForEver)
  await setTimeout(3000)
  expect(child.exitCode).toBe(null)
  child.kill('SIGTERM')
  expect(await codeOf(child)).toBe(143)
  expect(said()).toContain('interrupted')
})

test('what the guest does not read stays where it comes from', { timeout }, async () => {
  const { child } = boot(worksForEver)
  for (let i = 0; i < 128; i++) child.stdin.write(new Uint8Array(1 << 16))
  await setTimeout(3000)
  expect(child.stdin.writableLength).toBeGreaterThan(7 << 20)
})

test('a guest waits for whoever reads what it prints', { timeout }, async () => {
  const { child, said } = boot(printsForEver, '--instructions', '10000000')
  await setTimeout(4000)
  expect([child.exitCode, said()]).toEqual([null, ''])
  let length = 0
  child.stdout.on('data', (bytes: Uint8Array) => {
    length += bytes.length
  })
  expect(await codeOf(child)).toBe(0)
  expect(length).toBeGreaterThan(3_000_000)
})

test('results that have no place are refused before the run', { timeout }, async () => {
  const { child, said } = boot(exitsWith3, '--save', '/no/such/folder')
  expect(await codeOf(child)).toBe(1)
  expect(said()).toContain('--save: /no/such/folder cannot be written')
  const other = boot(exitsWith3, '--screenshot', 'x.png', '--display', 'none')
  expect(await codeOf(other.child)).toBe(1)
  expect(other.said()).toContain('this PC has no display')
})
