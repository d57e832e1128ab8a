/** What `vmexit boot` does. */
import { writeFile } from 'node:fs/promises'
import { VmexitError } from '@vmexit/core'
import { createPc, describeBoot, type Pc, type PcStop, packState, unpackState } from '@vmexit/vmexit'
import type { BootFlags } from './flags.ts'
import { pcOptions, readFor } from './pc-options.ts'
import { report, statistics } from './report.ts'
import { writeScreenshot } from './screenshot.ts'
import { attach } from './terminal.ts'

/** Boots, runs, tells, and returns the exit code. */
export async function boot(flags: BootFlags): Promise<number> {
  const options = await pcOptions(flags)
  await using pc = await createPc(options)
  if (flags.verbose && pc.bootImage !== undefined) process.stderr.write(describeBoot(pc.bootImage))
  if (flags.restore !== undefined) pc.restore(await readState(flags.restore))

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
    instructions: flags.instructions,
    until: flags.until,
  })
  terminal.restore()

  const { user, system } = process.cpuUsage(before)
  if (flags.save !== undefined) await writeFile(flags.save, await packState(pc.save()))
  if (flags.screenshot !== undefined) await writeScreenshot(pc, flags.screenshot)
  if (flags.firmwareLog !== undefined) await writeFile(flags.firmwareLog, pc.firmwareLog)
  const exitCode = exitCodeOf(stop, terminal.signal)
  if (flags.json) process.stdout.write(`${JSON.stringify(report(pc, stop, exitCode, text, (user + system) / 1e6))}\n`)
  else say(stop, pc, terminal.left)
  if (flags.stats) process.stderr.write(statistics(pc, (user + system) / 1e6))
  return exitCode
}

async function readState(file: string): Promise<Parameters<Pc['restore']>[0]> {
  try {
    return (await unpackState(await readFor('restore', file))) as Parameters<Pc['restore']>[0]
  } catch (error) {
    if (!(error instanceof VmexitError) || error.code === 'boot-file') throw error
    throw new VmexitError(error.code, { problem: `${file}: ${error.problem}`, remedy: error.remedy })
  }
}

/** The guest's word first, then how it ended, then the signal that ended it. */
function exitCodeOf(stop: PcStop, signal: NodeJS.Signals | undefined): number {
  if (stop.exitCode !== undefined) return stop.exitCode & 0xff
  if (signal !== undefined) return signal === 'SIGINT' ? 130 : 143
  return stop.reason === 'triple-fault' || stop.reason === 'stuck' ? 1 : 0
}

/** Says on standard error how it ended, where that is not what one would expect. */
function say(stop: PcStop, pc: Pc, left: boolean): void {
  const { ip, cs } = pc.position
  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0')
  const codes = ([0x80, 0x84, 0x190] as const).filter((port) => pc.postCode(port) !== 0)
  const post = codes.map((port) => `, POST code ${hex(pc.postCode(port), 2)} at port ${hex(port, 2)}`).join('')
  const at = `at ${hex(cs, 4)}:${hex(ip, 8)}, after ${pc.counts.instructions} instructions${post}`
  const words: { readonly [reason in PcStop['reason']]?: string | undefined } = {
    'triple-fault': `the guest's CPU shut down (triple fault) ${at}`,
    halted: `the guest halted with interrupts disabled ${at}`,
    stuck: `the guest's CPU faults without end ${at}`,
    reset: `the guest reset the machine ${at}`,
    limit: `the limit is reached ${at}`,
    aborted: left ? undefined : `interrupted ${at}`,
  }
  const word = words[stop.reason]
  if (word !== undefined) process.stderr.write(`vmexit: ${word}\n`)
}
