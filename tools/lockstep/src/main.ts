/** The program: see `options.ts` for its command line. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isVmexitError, VmexitError } from '@vmexit/core'
import { type Guest, readGuest } from './guest.ts'
import { lockstep } from './lockstep.ts'
import { help, type LockstepOptions, readOptions } from './options.ts'
import { Progress } from './progress.ts'
import { repeat } from './repeat.ts'
import { TraceFolder } from './trace.ts'

async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args)
  if (options === undefined) {
    process.stdout.write(help)
    return 0
  }
  const guest = readGuest(options.files)
  if (options.stretch !== undefined) return await repeatOne(guest, options)
  const work = options.work ?? mkdtempSync(join(tmpdir(), 'lockstep-'))
  const progress = new Progress()
  const say = (line: string): void => {
    progress.clear()
    ;(options.json ? process.stderr : process.stdout).write(`${line}\n`)
  }
  try {
    const result = await lockstep(options, { guest, work, progress, say })
    progress.clear()
    if (options.json) process.stdout.write(`${JSON.stringify(result)}\n`)
    else for (const line of result.differences.length > 0 ? result.differences : ['all equal']) say(line)
    return result.differences.length > 0 ? 1 : 0
  } finally {
    if (options.work === undefined) rmSync(work, { recursive: true, force: true })
  }
}

/** One stretch, for another process. */
async function repeatOne(guest: Guest, { work, stretch }: LockstepOptions): Promise<number> {
  const folder = new TraceFolder(work ?? '.')
  const trace = folder.read(guest.identity)
  if (trace === undefined) {
    throw new VmexitError('lockstep-trace', { problem: `${folder.path} holds no run`, remedy: 'record one first' })
  }
  process.stdout.write(JSON.stringify(await repeat(guest, folder, trace, stretch!)))
  return 0
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`${isVmexitError(error) ? error.message : error instanceof Error ? error.stack : error}\n`)
  process.exitCode = 2
}
