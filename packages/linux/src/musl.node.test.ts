/** Programs with another C library, musl, which makes other system calls than glibc: linked statically and dynamically. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { native } from '../test/native.ts'
import { run } from '../test/run.ts'

const guest = join(homedir(), '.cache/vmexit/guests/musl')
const folder = mkdtempSync(join(tmpdir(), 'vmexit-'))
const sources = fileURLToPath(new URL('../test/programs/', import.meta.url))
const library = join(folder, 'lib/i386-linux-musl/libc.so')
const FLAGS = [
  '-m32',
  '-O2',
  '-march=i686',
  '-w',
  '-nostdinc',
  '-nostdlib',
  '-fno-pie',
  '-no-pie',
  '-fno-stack-protector',
]

/** Compiles the program; undefined where there is no compiler for i386 or musl is not there. */
function compile(how: 'static' | 'dynamic', name = 'glibc.c'): string | undefined {
  if (!existsSync(join(guest, 'musl.deb'))) return undefined
  for (const file of ['musl', 'musl-dev', 'libgcc-dev'])
    if (spawnSync('dpkg-deb', ['-x', join(guest, `${file}.deb`), folder]).status !== 0) return undefined
  const [headers, made] = [join(folder, 'usr/include/i386-linux-musl'), join(folder, 'usr/lib/i386-linux-musl')]
  const compiler = join(folder, 'usr/lib/gcc/i686-linux-gnu/12')
  const start = ['crt1.o', 'crti.o'].map((file) => join(made, file))
  const arithmetic = join(compiler, 'libgcc.a')
  const libraries =
    how === 'static'
      ? ['-static', join(made, 'libc.a'), arithmetic, join(compiler, 'libgcc_eh.a'), join(made, 'libc.a')]
      : ['-Wl,-dynamic-linker,/lib/ld-musl-i386.so.1', `-L${dirname(library)}`, '-l:libc.so', arithmetic]
  const out = join(folder, `${how}-${name}`)
  const include = ['-isystem', headers, '-isystem', join(compiler, 'include')]
  const { status } = spawnSync('gcc', [
    ...[...FLAGS, ...include, '-o', out, ...start, join(sources, name)],
    ...[...libraries, join(made, 'crtn.o')],
  ])
  return status === 0 ? out : undefined
}

const programs = { static: compile('static'), dynamic: compile('dynamic') }
const isThere = programs.static !== undefined && programs.dynamic !== undefined
const reason = ' (skipped: `vmexit guests musl` has fetched nothing, or there is no gcc that makes i386 programs)'

describe.skipIf(!isThere)(`a program with musl${isThere ? '' : reason}`, () => {
  it.each(['static', 'dynamic'] as const)(
    'linked %sally does what it does on this machine',
    (how) => {
      const program = programs[how]!
      const expected = how === 'static' ? native(program, [], folder) : native(library, [program], folder)
      if (expected === undefined) return
      const { output, status, wrong } = run({
        files: {
          '/bin/program': readFileSync(program),
          '/bin/sh': readFileSync(compile('static', 'echo-shell.c')!),
          '/lib/ld-musl-i386.so.1': readFileSync(library),
        },
        args: ['/bin/program'],
        engine: 'jit',
      })
      expect(output).toBe(expected.output)
      // SIGTERM, by itself.
      expect(status).toBe(15)
      expect(wrong).toEqual([])
    },
    60_000,
  )
})
