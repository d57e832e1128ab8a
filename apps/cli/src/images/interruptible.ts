/** Long commands end at Ctrl-C, and leave nothing. */
import type { OperationOptions } from '@vmexit/image'
import { Progress } from './progress.ts'

const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const

/** Runs what can be ended by SIGINT and SIGTERM, which become the exit code; `work` gives them on, and progress with them. */
export async function interruptible(
  work: (options: OperationOptions & { signal: AbortSignal }) => Promise<void>,
): Promise<void> {
  const controller = new AbortController()
  const progress = new Progress()
  const stop = (name: NodeJS.Signals): void => {
    process.exitCode = SIGNALS[name as keyof typeof SIGNALS]
    controller.abort()
  }
  for (const name of Object.keys(SIGNALS)) process.on(name, stop)
  try {
    await work({ signal: controller.signal, progress: progress.report })
  } catch (error) {
    // Whatever was under way when the user stopped us may fail in its own words.
    if (!controller.signal.aborted) throw error
  } finally {
    progress.clear()
    for (const name of Object.keys(SIGNALS)) process.off(name, stop)
  }
}
