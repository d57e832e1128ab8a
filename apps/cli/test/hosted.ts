/** The program with a state directory of its own, of which nothing is left after a test. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type Found, StateDirectory } from '../src/hosted/state-directory.ts'
import { isAlive, statusOf } from '../src/hosted/status.ts'

/** What a run of the program said. */
export interface Said {
  readonly code: number | null
  readonly out: string
  readonly said: string
}

/** A program that runs, and what it has said so far. */
export interface Running {
  readonly child: ChildProcess
  readonly out: () => string
  readonly ended: Promise<Said>
}

/**
 * Starts the program in a folder of its own. What it has started in the background is killed after the test, whatever
 * happens.
 */
export function commandLine() {
  const folder = mkdtempSync(join(tmpdir(), 'vmexit-hosted-'))
  const state = new StateDirectory(join(folder, 'vmexit'))
  const children = new Set<ChildProcess>()
  onTestFinished(async () => {
    for (const child of children) child.kill('SIGKILL')
    for (const found of state.list()) await killHost(found)
    rmSync(folder, { recursive: true, force: true })
  })

  /** Starts `vmexit …`. Its standard input is open unless it is given. */
  const start = (words: readonly string[], input?: string): Running => {
    const main = join(import.meta.dirname, '..', 'src', 'main.ts')
    const child = spawn(process.execPath, ['--conditions=@vmexit/source', main, ...words], {
      env: { ...process.env, XDG_STATE_HOME: folder },
      cwd: folder,
    })
    children.add(child)
    let out = ''
    let said = ''
    child.stdout.on('data', (bytes) => void (out += bytes))
    child.stderr.on('data', (bytes) => void (said += bytes))
    child.stdin.on('error', () => {})
    if (input !== undefined) child.stdin.end(input)
    const ended = once(child, 'close').then(([code]) => ({ code, out, said }))
    return { child, out: () => out, ended }
  }
  return {
    /** Where it is, and what its state directory is in. */
    folder,
    state,
    start,
    /** Runs `vmexit …` to its end. */
    run: (...words: string[]): Promise<Said> => start(words, '').ended,
    /** Writes a file, and returns its path. */
    put: (name: string, bytes: Uint8Array): string => {
      const path = join(folder, name)
      writeFileSync(path, bytes)
      return path
    },
  }
}

async function killHost(found: Found): Promise<void> {
  const status = await statusOf(found)
  if (isAlive(status)) process.kill(status.pid, 'SIGKILL')
}
