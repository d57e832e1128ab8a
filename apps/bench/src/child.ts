/** Runs the benchmark's own program in a process of its own, so that what one system has left behind costs no other anything. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { VmexitError } from '@vmexit/core'

/** As `vmexit` is started: V8 lets its young generation grow to 128 MB otherwise, in which there is hardly anything. */
const HOST_FLAGS = ['--max-semi-space-size=8']
const MAIN = fileURLToPath(new URL('main.ts', import.meta.url))

/**
 * What the program prints for `args`. Processes that share `cache`, a folder, compile it once. `flags` are Node's.
 * @throws VmexitError `bench-system` if it fails; `what` says what it was to do.
 */
export async function inOwnProcess(
  what: string,
  args: readonly string[],
  cache?: string,
  flags: readonly string[] = HOST_FLAGS,
): Promise<string> {
  const child = spawn(...benchCommand(args, flags), {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: cache === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: cache },
  })
  const texts = { out: '', err: '' }
  child.stdout.on('data', (chunk) => (texts.out += chunk))
  child.stderr.on('data', (chunk) => (texts.err += chunk))
  const code = await new Promise((resolve) => child.on('close', resolve))
  if (code === 0) return texts.out
  throw childFailure(what, code, texts.err)
}

/** The benchmark's own program with `args`, as `spawn` takes it. `flags` are Node's. */
export function benchCommand(
  args: readonly string[],
  flags: readonly string[] = HOST_FLAGS,
): [program: string, args: string[]] {
  return [process.execPath, [...flags, '--conditions=@vmexit/source', MAIN, ...args]]
}

/** For a process that was to do `what`, and has ended with `code` and these last words. */
export function childFailure(what: string, code: unknown, lastWords: string): VmexitError {
  return new VmexitError('bench-system', {
    problem: `${what} ended with code ${code}`,
    remedy: `see what it said: ${lastWords.trim() || '(nothing)'}`,
  })
}
