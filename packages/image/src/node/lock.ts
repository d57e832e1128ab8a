/// <reference types="node" />
/**
 * A lock that one process has at a time: a file that names its owner. One whose owner is gone, by a crash or a power failure, is taken over.
 */
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import type { ExclusiveOptions } from '../store/store.ts'

/** A process, and when it was started: numbers of processes come again. */
interface Owner {
  readonly pid: number
  readonly started: string
}

const LOOK_AGAIN = 100

/** Waits for the lock. What is answered gives it back. */
export async function takeLock(path: string, { signal, waiting }: ExclusiveOptions): Promise<() => void> {
  const own: Owner = { pid: process.pid, started: startOf(process.pid) ?? '' }
  for (let told = false; ; ) {
    if (claim(path, own)) return () => rmSync(path, { force: true })
    const owner = ownerOf(path)
    if (owner !== undefined && !isAlive(owner)) {
      takeAway(path, own)
      continue
    }
    if (owner !== undefined && !told) {
      told = true
      waiting?.(`process ${owner.pid}`)
    }
    await setTimeout(LOOK_AGAIN, undefined, signal === undefined ? {} : { signal })
  }
}

/** The file comes with its contents in one step, so that nobody finds it empty. */
function claim(path: string, own: Owner): boolean {
  const draft = `${path}.${own.pid}`
  try {
    writeFileSync(draft, JSON.stringify(own))
    linkSync(draft, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(draft, { force: true })
  }
}

/** Only one at a time takes a lock away, and looks again whose it is: else two could, the second one that of the first. */
function takeAway(path: string, own: Owner): void {
  const guard = `${path}.broken`
  if (!claim(guard, own)) {
    const other = ownerOf(guard)
    if (other !== undefined && !isAlive(other)) rmSync(guard, { force: true })
    return
  }
  try {
    const owner = ownerOf(path)
    if (owner !== undefined && !isAlive(owner)) rmSync(path, { force: true })
  } finally {
    rmSync(guard, { force: true })
  }
}

function ownerOf(path: string): Owner | undefined {
  try {
    const { pid, started } = JSON.parse(readFileSync(path, 'utf8')) as Partial<Owner>
    return { pid: Number(pid), started: String(started) }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    if (error instanceof SyntaxError) return { pid: 0, started: '' }
    throw error
  }
}

function isAlive({ pid, started }: Owner): boolean {
  if (!(pid > 0)) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  const now = startOf(pid)
  return now === undefined || started === '' || now === started
}

/** When a process was started, where the system tells it (proc(5), field 22 of `stat`). */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}
