/** What `vmexit boot` does. */
import { once } from 'node:events'
import { access, constants, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { VmexitError } from '@vmexit/core'
import { createPc, describeBoot, type Pc, type PcStop, packState, unpackState } from '@vmexit/vmexit'
import type { BootFlags } from './flags.ts'
import { tuneHost } from './host.ts'
import { dashed, pcOptions, readFor } from './pc-options.ts'
import { report, statistics } from './report.ts'
import { screenOf, writeScreenshot } from './screenshot.ts'
import { attach, exitCodeOfSignal, type Terminal } from './terminal.ts'

/** Boots, runs, tells, and returns the exit code. */
export async function boot(flags: BootFlags): Promise<number> {
  for (const flag of ['save', 'screenshot', 'firmwareLog'] as const) await mustBeWritable(flag, flags[flag])
  const options = await pcOptions(flags)
  if (flags.engine === 'jit') tuneHost()
  await using pc = await createPc(options)
  if (flags.verbose) process.stderr.write(describeBoot(pc.bootImage))
  if (flags.restore !== undefined) pc.restore(await readState(flags.restore))

  const screen = flags.screenshot === undefined ? undefined : screenOf(pc)
  const before = process.cpuUsage()
  const control = new AbortController()
  let text = ''
  const decoder = new TextDecoder()
  const print = flags.json
    ? (bytes: Uint8Array) => void (text += decoder.decode(bytes, { stream: true }))
    : (bytes: Uint8Array) => void process.stdout.write(bytes)
  using _output = pc.console.onOutput(print)
  using terminal = attach(pc, { leave: () => control.abort(), interactive: !flags.json, stats: () => statistics(pc) })
  const stop = await pc.run({
    signal: control.signal,
    idle: flags.idle,
    realTime: flags.realtime ? () => performance.now() : undefined,
    onReset: flags.reboot ? 'reboot' : 'stop',
    onSlice: standardOutputHasRoom,
    instructions: flags.instructions,
    until: flags.until,
  })
  terminal.restore()

  const { user, system } = process.cpuUsage(before)
  if (flags.save !== undefined) await writeFile(flags.save, await packState(pc.save()))
  if (screen !== undefined) await writeScreenshot(screen, flags.screenshot!)
  if (flags.firmwareLog !== undefined) await writeFile(flags.firmwareLog, pc.firmwareLog)
  const exitCode = exitCodeOf(stop, terminal.signal)
  if (flags.json) process.stdout.write(`${JSON.stringify(report(pc, stop, exitCode, text, (user + system) / 1e6))}\n`)
  else say(stop, pc, terminal)
  if (flags.stats) process.stderr.write(statistics(pc, (user + system) / 1e6))
  return exitCode
}

/** Says before a run, not after it, that its results have no place. Throws a {@link VmexitError} `boot-file`. */
async function mustBeWritable(flag: keyof BootFlags, file: string | undefined): Promise<void> {
  if (file === undefined) return
  try {
    await access(dirname(file), constants.W_OK)
  } catch (error) {
    throw new VmexitError('boot-file', {
      problem: `--${dashed(flag)}: ${file} cannot be written (${(error as Error).message})`,
      remedy: 'make its folder, or name another file',
    })
  }
}

/** The guest waits while whoever reads standard output is slower. */
function standardOutputHasRoom(): Promise<void> | undefined {
  return process.stdout.writableNeedDrain ? once(process.stdout, 'drain').then(() => undefined) : undefined
}

async function readState(file: string): Promise<Parameters<Pc['restore']>[0]> {
  try {
    return await unpackState(await readFor('restore', file))
  } catch (error) {
    if (!(error instanceof VmexitError) || error.code === 'boot-file') throw error
    throw new VmexitError(error.code, { problem: `${file}: ${error.problem}`, remedy: error.remedy })
  }
}

/** Ends that are errors, where the guest has not said anything else. */
const failures: ReadonlySet<PcStop['reason']> = new Set(['triple-fault', 'stuck', 'machine-memory'])

/** The guest's word first, then how it ended, then the signal that ended it. */
function exitCodeOf(stop: PcStop, signal: NodeJS.Signals | undefined): number {
  if (stop.exitCode !== undefined) return stop.exitCode & 0xff
  if (signal !== undefined) return exitCodeOfSignal(signal)
  return failures.has(stop.reason) ? 1 : 0
}

/** Says on standard error how it ended, where that is not what one would expect. */
function say(stop: PcStop, pc: Pc, { left, starved }: Terminal): void {
  const { ip, cs } = pc.position
  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0')
  const codes = ([0x80, 0x84, 0x190] as const).filter((port) => pc.postCode(port) !== 0)
  const post = codes.map((port) => `, POST code ${hex(pc.postCode(port), 2)} at port ${hex(port, 2)}`).join('')
  const at = `at ${hex(cs, 4)}:${hex(ip, 8)}, after ${pc.counts.instructions} instructions${post}`
  const words: { readonly [reason in PcStop['reason']]?: string | undefined } = {
    'triple-fault': `the guest's CPU shut down (triple fault) ${at}`,
    halted: `the guest halted with interrupts disabled ${at}`,
    stuck: `the guest's CPU faults without end ${at}`,
    'machine-memory': `the machine has no memory left for the guest ${at}`,
    reset: `the guest reset the machine ${at}`,
    limit: `the limit is reached ${at}`,
    aborted: left ? undefined : starved ? `the guest waits for input, which has ended, ${at}` : `interrupted ${at}`,
  }
  const word = words[stop.reason]
  if (word !== undefined) process.stderr.write(`vmexit: ${word}\n`)
}
