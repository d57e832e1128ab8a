/** The programs of `cases/`, which make system calls and print what came of each: run here, and by the kernel of this machine. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { release } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { toByteString } from '@vmexit/vfs'
import type { Engine } from '@vmexit/x86'
import { HostInput, HostOutput } from '../src/index.ts'
import { kernelWith } from './run.ts'

const folder = fileURLToPath(new URL('cases/', import.meta.url))
/** Where programs run: an empty tmpfs. */
const PLACE = '/cases'
/** The most that a program may retire. */
const MOST = 2e9

/** Names of the programs, in order. */
export function caseNames(): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.c'))
    .map((file) => file.slice(0, -2))
    .sort()
}
/** The file of a program. */
export function programPath(name: string): string {
  return join(folder, 'images', name)
}
/** The file with what Linux answered. */
export function recordingPath(name: string): string {
  return join(folder, 'recorded', `${name}.txt`)
}
/** Compiles all programs into a folder. */
export function buildCases(into: string): void {
  execFileSync(join(folder, 'build.sh'), [into], { stdio: ['ignore', 'inherit', 'inherit'] })
}

/** What a program prints here, by lines. */
export function runHere(name: string, engine: Engine = 'jit'): string[] {
  const kernel = kernelWith({ memory: '64 MiB', engine }, { [`/bin/${name}`]: readFileSync(programPath(name)) })
  const { vfs } = kernel
  const task = vfs.newTask(kernel.tree)
  vfs.mkdir(task, null, toByteString(PLACE), 0o755)
  vfs.exit(task)
  let text = ''
  const output = new HostOutput(kernel, (bytes) => {
    text += Buffer.from(bytes).toString('latin1')
  })
  let status: number | undefined
  kernel.spawn({
    path: `/bin/${name}`,
    args: [`/bin/${name}`],
    env: {},
    cwd: PLACE,
    files: [new HostInput(kernel, new Uint8Array()), output, output],
    onExit: (ended) => {
      status = ended
    },
  })
  const outcome = kernel.runToEnd(MOST)
  if (outcome !== 'ended' || status !== 0) text += `(ended: ${outcome}, ${status})\n`
  return text.split('\n').slice(0, -1)
}

/** Why this machine's kernel cannot run the programs, if so. */
export function obstacle(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'the programs run as root on Linux'
  const result = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/mnt'])
  if (result.status !== 0) return 'no tmpfs can be mounted in a namespace of mounts'
  const { status } = spawnSync(programPath('files'), ['--version'], { cwd: '/proc/self' })
  return status === null ? 'the kernel runs no i386 programs' : undefined
}

/** What a program prints when this machine's kernel runs it, by lines. */
export function runNatively(name: string): string[] {
  const place = mkdtempSync('/tmp/vmexit-cases-')
  try {
    const script = `mount -t tmpfs none ${place} && cd ${place} && exec "$0" </dev/null 2>&1`
    const { stdout, status } = spawnSync('unshare', ['-m', 'sh', '-c', script, programPath(name)], {
      encoding: 'latin1',
      env: {},
      timeout: 60_000,
    })
    if (status !== 0) throw new Error(`${name} ended with ${status} on this machine`)
    return stdout.split('\n').slice(0, -1)
  } finally {
    rmSync(place, { recursive: true })
  }
}

/** What was recorded of a program: the release of Linux, and the lines. */
export function recorded(name: string): { release: string; lines: string[] } {
  if (!existsSync(recordingPath(name))) return { release: '', lines: [] }
  const [first, ...lines] = readFileSync(recordingPath(name), 'latin1').split('\n').slice(0, -1)
  return { release: first!.replace(/^# Linux /, ''), lines }
}

/** Cases: the line of each, and what belongs to it below. */
export function blocksOf(lines: readonly string[]): string[] {
  const blocks: string[] = []
  for (const line of lines) {
    if (line.startsWith(' ') && blocks.length > 0) blocks[blocks.length - 1] += `\n${line}`
    else blocks.push(line)
  }
  return blocks
}

/** The release of this machine's kernel without what comes behind the numbers. */
export function hostRelease(): string {
  return /^[0-9]+\.[0-9]+/.exec(release())![0]
}
