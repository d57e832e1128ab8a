import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeCpio } from '@vmexit/vmexit'
import { describe, expect, test } from 'vitest'
import { BUILDS, type KernelRun, kernelImage, runKernel } from './kernel.ts'

const text = (value: string) => new TextEncoder().encode(value)
/** Lines that are neither `ok` nor what the kernel says in passing. */
const unexpected = (output: string) =>
  output.split('\n').filter((line) => !/^(ok .*|teaching kernel, .*|no system call .*|out of memory: .*|)$/.test(line))
const okays = (output: string) => output.split('\n').filter((line) => line.startsWith('ok ')).length

/** All programs but the one that fills the memory. */
const programs = 'execute files fork fpu paging pipe pointers preempt privilege signals'.split(' ')

describe.each(BUILDS)('%s', (build) => {
  const run = (engine: KernelRun['engine'], rest: Partial<KernelRun>) => runKernel({ build, engine, ...rest })

  test('programs find what Linux promises, with equal text and counts under both fast engines', async () => {
    const jit = await run('jit', { programs })
    expect(unexpected(jit.text)).toEqual([])
    expect(okays(jit.text)).toBe(50)
    expect(jit.stop).toMatchObject({ reason: 'off', exitCode: undefined })
    expect(await run('interpreter', { programs })).toEqual(jit)
  })

  test('the reference engine agrees on some of them', async () => {
    const some = { programs: ['fork', 'paging'] }
    const jit = await run('jit', some)
    expect(okays(jit.text)).toBe(11)
    expect(await run('reference', some)).toEqual(jit)
  })

  test.each(['8 MiB', '32 MiB'])('programs that want more than %s cannot stop the kernel', async (memory) => {
    const jit = await run('jit', { programs: ['exhaustion'], memory })
    expect(unexpected(jit.text)).toEqual([])
    expect(okays(jit.text)).toBe(5)
    if (memory === '8 MiB') expect(await run('interpreter', { programs: ['exhaustion'], memory })).toEqual(jit)
  })

  test('lines can be typed', async () => {
    const answers = [
      { after: 'first? ', type: 'helx\x7flo\r' },
      { after: 'second? ', type: 'pieces\r' },
      { after: 'third? ', type: '\x04' },
    ]
    const { text } = await run('jit', { programs: ['typing'], answers })
    expect(okays(text)).toBe(3)
    expect(text).toContain('first? helx\b \blo\nok ')
  })

  test('reboot powers off', async () => {
    const { text, stop } = await run('jit', { programs: ['reboot'] })
    expect(unexpected(text)).toEqual([])
    expect(stop).toMatchObject({ reason: 'off', exitCode: undefined })
  })

  test('a CPU that is too old is refused in words', async () => {
    const { text, stop } = await run('jit', { model: 'pentium' })
    expect(text).toBe('the CPU has no CMOV: take a Pentium Pro or a later one')
    expect(stop).toMatchObject({ reason: 'off', exitCode: 255 })
  })

  test.each([
    ['without a program', [], '/init: error 2'],
    ['with one that is none', [{ kind: 'file', path: 'init', bytes: text('#!/bin/sh') }], '/init: error 8'],
  ] as const)('%s it panics, and powers off with exit code 255', async (_, entries, line) => {
    const { text, stop } = await run('jit', { archive: writeCpio(entries) })
    expect(text).toContain(`${line}\n\npanic: there is no first program\n`)
    expect(stop).toMatchObject({ reason: 'off', exitCode: 255 })
  })
})

const compiler = spawnSync('gcc', ['-m32', '-dumpfullversion']).stdout?.toString().trim()
test.skipIf(compiler !== '12.2.0')('the images are what build.sh makes with gcc 12.2 (skipped without it)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'teaching-'))
  try {
    execFileSync(join(import.meta.dirname, '../kernel/build.sh'), [folder])
    for (const build of BUILDS)
      expect(kernelImage(build)).toEqual(new Uint8Array(readFileSync(join(folder, `${build}.elf`))))
  } finally {
    rmSync(folder, { recursive: true })
  }
})
