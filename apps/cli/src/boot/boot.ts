/** What `vmexit boot` does in this terminal. */
import { once } from 'node:events'
import { describeBoot, type Pc, type PcStop } from '@vmexit/vmexit'
import { exitCodeOfStop, wordOfStop } from './ending.ts'
import type { BootFlags } from './flags.ts'
import { openPc } from './open-pc.ts'
import { report, statistics } from './report.ts'
import { attach, exitCodeOfSignal, type Terminal } from './terminal.ts'

/** Boots, runs, tells, and returns the exit code. */
export async function boot(flags: BootFlags): Promise<number> {
  await using opened = await openPc(flags)
  const { pc } = opened
  if (flags.verbose) process.stderr.write(describeBoot(pc.bootImage))
  const before = process.cpuUsage()
  const control = new AbortController()
  let text = ''
  const decoder = new TextDecoder()
  const print = flags.json
    ? (bytes: Uint8Array) => void (text += decoder.decode(bytes, { stream: true }))
    : (bytes: Uint8Array) => void process.stdout.write(bytes)
  using _output = pc.console.onOutput(print)
  using terminal = attach(pc, { leave: () => control.abort(), interactive: !flags.json, stats: () => statistics(pc) })
  const stop = await opened.run({ signal: control.signal, onSlice: standardOutputHasRoom })
  terminal.restore()

  const { user, system } = process.cpuUsage(before)
  await opened.writeResults()
  const exitCode = exitCodeOf(stop, terminal.signal)
  if (flags.json) process.stdout.write(`${JSON.stringify(report(pc, stop, exitCode, text, (user + system) / 1e6))}\n`)
  else say(stop, pc, terminal)
  if (flags.stats) process.stderr.write(statistics(pc, (user + system) / 1e6))
  return exitCode
}

/** The guest waits while whoever reads standard output is slower. */
function standardOutputHasRoom(): Promise<void> | undefined {
  return process.stdout.writableNeedDrain ? once(process.stdout, 'drain').then(() => undefined) : undefined
}

/** The guest's word first, then the signal that ended it, then how it ended. */
function exitCodeOf(stop: PcStop, signal: NodeJS.Signals | undefined): number {
  if (stop.exitCode === undefined && signal !== undefined) return exitCodeOfSignal(signal)
  return exitCodeOfStop(stop)
}

/** Says on standard error how it ended, where that is not what one would expect. */
function say(stop: PcStop, pc: Pc, { left, starved }: Terminal): void {
  const aborted = left ? undefined : starved ? 'the guest waits for input, which has ended,' : 'interrupted'
  const word = wordOfStop(stop, pc, aborted)
  if (word !== undefined) process.stderr.write(`vmexit: ${word}\n`)
}
