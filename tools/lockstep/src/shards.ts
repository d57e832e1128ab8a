/** Stretches of a trace repeated in processes of their own, some at a time. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Engine } from '@vmexit/x86'
import type { GuestFiles } from './guest.ts'
import type { Repeated } from './repeat.ts'

/** A stretch for one process. */
export interface Stretch {
  readonly engine: Engine
  readonly from: number
  readonly to: number
}

/** What the processes are told. */
export interface ShardOptions {
  readonly files: GuestFiles
  readonly work: string
  readonly shards: number
  /** Called when a stretch is done. */
  readonly onDone: (repeated: Repeated, stretch: Stretch) => void
}

/** Repeats all stretches, or those before the first that differs. */
export async function repeatStretches(stretches: readonly Stretch[], options: ShardOptions): Promise<Repeated[]> {
  const waiting = [...stretches]
  const results: Repeated[] = []
  const work = async (): Promise<void> => {
    for (;;) {
      const stretch = waiting.shift()
      if (stretch === undefined) return
      const repeated = await inProcess(stretch, options)
      results.push(repeated)
      options.onDone(repeated, stretch)
      if (repeated.difference !== undefined) waiting.length = 0
    }
  }
  await Promise.all(Array.from({ length: Math.min(options.shards, stretches.length) }, work))
  return results.sort((a, b) => a.from - b.from)
}

function inProcess({ engine, from, to }: Stretch, { files, work }: ShardOptions): Promise<Repeated> {
  const main = fileURLToPath(new URL('main.ts', import.meta.url))
  const given = Object.entries(files).filter(([, value]) => value !== undefined)
  const args = [
    ...process.execArgv,
    main,
    ...given.map(([name, value]) => `--${dashed(name)}=${value}`),
    `--work=${work}`,
    `--stretch=${engine}:${from}:${to}`,
  ]
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (more: string) => {
      text += more
    })
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code === 0) resolve(JSON.parse(text) as Repeated)
      else reject(new Error(`the process that repeats ${from} to ${to} under ${engine} ended with ${signal ?? code}`))
    })
  })
}

const dashed = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
