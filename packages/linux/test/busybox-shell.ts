/** Scripts of busybox's shell. */
import { busybox, isBusyboxThere } from './busybox.ts'
import { type RunOptions, type RunResult, run, type Tree } from './run.ts'

let known: Tree | undefined

/** Runs a script. */
export function shell(script: string, options: Partial<RunOptions> = {}): RunResult {
  const { files = {}, ...rest } = options
  known ??= isBusyboxThere ? busybox() : {}
  return run({ args: ['/bin/busybox', 'sh', '-c', script], engine: 'jit', ...rest, files: { ...known, ...files } })
}
