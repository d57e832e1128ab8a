/** A guest at its console, as a person would use it. */
import { createPc, type Pc, type PcOptions, type PcStop } from '@vmexit/vmexit'

/** What the shell of our initramfs prints before a command. */
export const prompt = '~ # '

/** The crypto self-tests are two thirds of the instructions of a boot. */
export const append = 'console=ttyS0 cryptomgr.notests'

/** Runs the PC while `use` types and reads, and says how the run ended. A guest that ends first ends what waits for it. */
export async function session(options: PcOptions, use: (pc: Pc) => Promise<void>): Promise<PcStop> {
  await using pc = await createPc(options)
  const control = new AbortController()
  const ended = pc.run({ signal: control.signal, idle: 'skip', until: 600 })
  void ended.finally(() => pc.console.end())
  try {
    await use(pc)
  } catch (error) {
    control.abort()
    await ended
    throw error
  }
  return await ended
}

/** Types a command, and returns what it printed. */
export async function shell(pc: Pc, command: string): Promise<string> {
  pc.console.write(`${command}\n`)
  await pc.console.waitFor('\n')
  return (await pc.console.waitFor(prompt)).slice(0, -prompt.length).replaceAll('\r', '')
}

/** The name of a test that cannot be run. */
export const missing = (guest: string): string => `skipped: no ${guest}; fetch it with \`vmexit guests\``
