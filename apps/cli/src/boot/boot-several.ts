/** What `vmexit boot --vms` does, here or in a host process. */
import { once } from 'node:events'
import { VmexitError } from '@vmexit/core'
import type { Hosted } from '../hosted/hosted.ts'
import type { BootFlags } from './flags.ts'
import { hostStats } from './hosted-pc.ts'
import { statisticsOfSeveral } from './report.ts'
import { openSeveral } from './several.ts'
import { exitCodeOfSignal } from './terminal.ts'

/** Boots, runs to the end of all, and returns the exit code. Input is of none of them. */
export async function bootSeveral(flags: BootFlags): Promise<number> {
  await using several = await openSeveral(flags)
  const control = new AbortController()
  let signal: NodeJS.Signals | undefined
  const interrupt = (by: NodeJS.Signals) => {
    if (signal !== undefined) process.exit(exitCodeOfSignal(by))
    signal = by
    control.abort()
  }
  const signals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const name of signals) process.on(name, interrupt)
  const end = await several.run(control.signal, async (bytes) => {
    if (!process.stdout.write(bytes)) await once(process.stdout, 'drain')
  })
  for (const name of signals) process.off(name, interrupt)
  for (const word of end.words) process.stderr.write(`vmexit: ${word}\n`)
  if (flags.stats) process.stderr.write(statisticsOfSeveral(several.vms))
  return signal === undefined ? end.exitCode : exitCodeOfSignal(signal)
}

/** The same in a host process. */
export async function hostedSeveral(flags: BootFlags): Promise<Hosted> {
  const several = await openSeveral(flags)
  let print: (bytes: Uint8Array) => void = () => {}
  const counted = (name: string) => several.vms.reduce((sum, { pc }) => sum + (pc.counts[name] ?? 0), 0)
  return {
    onOutput: (listener) => void (print = listener),
    input: async () => {
      throw new VmexitError('no-console', {
        problem: `${several.vms.length} VMs have no console that all could be typed at`,
        remedy: 'boot them one by one, or only watch: attach --no-stdin',
      })
    },
    stop: () => {
      for (const { pc } of several.vms) pc.pressPowerButton()
    },
    stats: () => ({ instructions: counted('instructions'), 'vm-exits': counted('vm-exits'), ...hostStats() }),
    run: async (signal) => {
      const { exitCode, words } = await several.run(signal, (bytes) => print(bytes))
      return { exitCode, word: words.length > 0 ? words.join('\n') : undefined }
    },
    [Symbol.asyncDispose]: () => several[Symbol.asyncDispose](),
  }
}
