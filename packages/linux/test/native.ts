/** Programs that this machine's compiler makes for i386, and what they print when its own kernel runs them. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const FLAGS = ['-m32', '-O2', '-march=i686', '-mfpmath=387', '-fno-pie', '-no-pie', '-fno-tree-vectorize', '-w']

/** Compiles a program: its file, or undefined where there is no compiler for i386. */
export function compile(source: string, how: 'static' | 'dynamic', ...more: string[]): string | undefined {
  const out = join(mkdtempSync(join(tmpdir(), 'vmexit-')), 'program')
  const { status } = spawnSync('gcc', [...FLAGS, ...(how === 'static' ? ['-static'] : []), ...more, '-o', out, source])
  return status === 0 ? out : undefined
}

/** What a program prints on this machine; undefined where its kernel runs no i386 programs. */
export function native(
  program: string,
  args: readonly string[],
  cwd: string,
): { output: string; status: number | null } | undefined {
  const { stdout, status, error, signal } = spawnSync(program, args, {
    encoding: 'latin1',
    cwd,
    env: { PATH: '/bin:/usr/bin' },
  })
  if (error !== undefined || (status === null && signal === null)) return undefined
  return { output: stdout, status }
}

/** The dynamic linker and the C library for i386, by the paths at which programs look. */
export function libraries(): Record<string, Uint8Array> {
  const libc = execFileSync('gcc', ['-m32', '-print-file-name=libc.so.6'], { encoding: 'utf8' }).trim()
  return { '/lib/ld-linux.so.2': readFileSync('/lib/ld-linux.so.2'), '/lib/libc.so.6': readFileSync(libc) }
}
