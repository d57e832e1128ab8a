/** A PC in a host process: `vmexit boot --detach`. */
import type { Hosted } from '../hosted/hosted.ts'
import { exitCodeOfStop, wordOfStop } from './ending.ts'
import type { BootFlags } from './flags.ts'
import { openPc } from './open-pc.ts'

/** Opens it. Throws what `openPc` throws. */
export async function hostedPc(flags: BootFlags): Promise<Hosted> {
  const opened = await openPc(flags)
  const { pc } = opened
  const keyboard = pc.console.writable.getWriter()
  keyboard.closed.catch(() => {})
  return {
    onOutput: (listener) => void pc.console.onOutput(listener),
    // A machine that ends refuses what it has not taken, which is no error here.
    input: (bytes) => keyboard.write(bytes).catch(() => {}),
    stop: () => pc.pressPowerButton(),
    stats: () => ({ ...pc.counts, ...hostStats() }),
    run: async (signal) => {
      const stop = await opened.run({ signal })
      await opened.writeResults()
      return { exitCode: exitCodeOfStop(stop), word: wordOfStop(stop, pc, 'interrupted') }
    },
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  }
}

/** Of this process: seconds, and bytes. */
export function hostStats(): Readonly<Record<'host-cpu-seconds' | 'host-memory', number>> {
  const { user, system } = process.cpuUsage()
  return { 'host-cpu-seconds': (user + system) / 1e6, 'host-memory': process.memoryUsage.rss() }
}
