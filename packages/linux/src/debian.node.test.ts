/**
 * A Debian root file system, made of packages by `vmexit guests`: what its programs print here is what they print on Linux, where
 * `test/debian/record.sh` has recorded it.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import {
  debianKernelWithStrace,
  haveDebian,
  haveStrace,
  runDebian,
  withoutDebian,
  withoutStrace,
} from '../test/debian.ts'

const folder = fileURLToPath(new URL('../test/debian/', import.meta.url))
const text = (name: string): string => readFileSync(`${folder}${name}`, 'utf8')
/** The argument as the recording shell gives it: `$(cat …)` takes away the line ends behind the text. */
const program = (name: string): string => text(name).trimEnd()

describe.skipIf(!haveDebian)(`Debian's programs print what they print on Linux${withoutDebian}`, () => {
  it.each([
    ['shell.sh', ['bash', '-lc'], 0],
    ['coreutils.sh', ['bash', '-lc'], 0],
    ['dpkg.sh', ['bash', '-lc'], 0],
    ['python.py', ['python3', '-c'], 3],
    ['sockets.py', ['python3', '-c'], 0],
    ['perl.pl', ['perl', '-e'], 4],
  ] as const)(
    '%s',
    (name, interpreter, status) => {
      const run = runDebian([...interpreter, program(name)])
      expect(run.output).toBe(text(`${name}.out`))
      expect(run.status).toBe(status << 8)
      expect(run.wrong).toEqual([])
    },
    120_000,
  )

  it('counts the same in a second run, and under another engine', () => {
    const args = ['python3', '-c', program('threads.py')]
    const counted = (engine: 'jit' | 'interpreter') => {
      const { output, kernel, calls } = runDebian(args, { engine })
      const { cpu, counts } = kernel
      return {
        output,
        retired: cpu.retired,
        paging: { ...cpu.paging.mmu.counts },
        counts: { ...counts },
        calls,
        now: kernel.now,
      }
    }
    const first = counted('jit')
    expect(first.output).toContain('4000')
    expect(counted('jit')).toEqual(first)
    expect(counted('interpreter')).toEqual(first)
  }, 240_000)
})

describe.skipIf(!haveStrace)(`Debian's strace, installed there${withoutStrace}`, () => {
  it('prints of the programs that it follows what it prints on Linux', () => {
    const { output, status, wrong } = runDebian(['bash', '-lc', program('strace.sh')], {
      kernel: debianKernelWithStrace(),
    })
    expect(output).toBe(text('strace.sh.out'))
    expect(status).toBe(0)
    expect(wrong).toEqual([])
  }, 120_000)
})
