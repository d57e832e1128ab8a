/** The kernel's side: kernel.py in a mount namespace of its own, which needs root, Linux, `unshare` and python3. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Outcome, Sequence } from './operations.ts'

const script = fileURLToPath(new URL('kernel.py', import.meta.url))

/** The kernel's version, or `null` where an overlay cannot be mounted. */
export function kernelVersion(): string | null {
  const { status, stdout } = spawnSync('unshare', ['-m', 'python3', script, '--version'], { encoding: 'utf8' })
  return status === 0 ? stdout.trim() : null
}

/** What comes of sequences there. */
export function runKernel(sequences: readonly Sequence[]): Outcome[] {
  const input = sequences.map((sequence) => JSON.stringify(sequence)).join('\n')
  const maxBuffer = 2 ** 30
  const { status, stdout, stderr } = spawnSync('unshare', ['-m', 'python3', script], {
    input,
    encoding: 'utf8',
    maxBuffer,
  })
  if (status !== 0) throw new Error(`kernel.py ended with ${status}: ${stderr}`)
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Outcome)
}
