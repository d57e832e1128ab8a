/** Other programs, run to their end. */
import { spawn } from 'node:child_process'
import { VmexitError } from '@vmexit/core'

/** How a program ended. `code` is undefined where the program does not exist. */
export interface Outcome {
  readonly code: number | undefined
  readonly stdout: string
  readonly stderr: string
}

/** How a program is run. */
export interface RunOptions {
  readonly cwd?: string
  /** Variables beside those of this process. */
  readonly env?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

/** Runs a program with arguments and without a shell or input; a test gives a fake. */
export type Run = (program: string, args: readonly string[], options?: RunOptions) => Promise<Outcome>

/** Runs a program of the host. Rejects with the signal's reason when aborted; the program is ended before that. */
export const runOnHost: Run = (program, args, { cwd, env, signal } = {}) =>
  new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, LC_ALL: 'C', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    const stop = () => child.kill('SIGTERM')
    signal?.addEventListener('abort', stop, { once: true })
    child.on('error', (error: NodeJS.ErrnoException) => {
      signal?.removeEventListener('abort', stop)
      if (error.code === 'ENOENT') resolve({ code: undefined, stdout, stderr })
      else reject(error)
    })
    child.on('close', (code) => {
      signal?.removeEventListener('abort', stop)
      if (signal?.aborted) reject(signal.reason)
      else resolve({ code: code ?? 1, stdout, stderr })
    })
  })

/** Runs a program that must succeed, for `purpose`, and gives what it printed. */
export async function must(
  run: Run,
  purpose: string,
  program: string,
  args: readonly string[],
  options?: RunOptions,
): Promise<string> {
  const { code, stdout, stderr } = await run(program, args, options)
  if (code === 0) return stdout
  throw new VmexitError('guests-program', {
    problem: `${purpose}: ${program} ${code === undefined ? 'is not installed' : `ended with ${code}`}`,
    remedy: code === undefined ? 'install it' : lastLines(stderr || stdout) || 'it printed nothing',
  })
}

/** The last lines of what a program printed, on one line: enough to see why it failed. */
export function lastLines(text: string, count = 3): string {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .slice(-count)
    .join('; ')
}
