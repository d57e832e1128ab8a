/** What a run has to tell: for people and for programs. */
import type { Pc, PcStop } from '@vmexit/vmexit'

/** The object that `--json` prints. */
export interface BootReport {
  readonly reason: PcStop['reason']
  readonly exitCode: number
  /** Virtual seconds. */
  readonly seconds: number
  readonly counts: Readonly<Record<string, number>>
  /** The CPU that was simulated. */
  readonly cpu: { readonly engine: string; readonly model: string }
  /** The last codes it wrote to diagnostic ports. */
  readonly postCodes: { readonly 0x80: number; readonly 0x84: number; readonly 0x190: number }
  /** What the guest printed on its serial port. */
  readonly console: string
  /** The host's: never part of a count. */
  readonly host: { readonly cpuSeconds: number; readonly peakMemory: number }
}

/** The report of a run that ended. */
export function report(pc: Pc, stop: PcStop, exitCode: number, console: string, cpuSeconds: number): BootReport {
  return {
    reason: stop.reason,
    exitCode,
    seconds: stop.seconds,
    counts: pc.counts,
    cpu: { engine: pc.engine, model: pc.model },
    postCodes: { 128: pc.postCode(0x80), 132: pc.postCode(0x84), 400: pc.postCode(0x190) },
    console,
    host: { cpuSeconds, peakMemory: process.resourceUsage().maxRSS * 1024 },
  }
}

/** The counts as a table; with the host's time below it, if that is given. */
export function statistics(pc: Pc, cpuSeconds?: number): string {
  const rows = Object.entries(pc.counts).filter(([, count]) => count !== 0)
  const figures = rows.map(([, count]) => count.toLocaleString('en-US'))
  const name = Math.max(...rows.map(([label]) => label.length))
  const width = Math.max(...figures.map(({ length }) => length))
  const lines = rows.map(([label], i) => `${label.padEnd(name)}  ${figures[i]!.padStart(width)}`)
  if (cpuSeconds !== undefined) {
    const mips = (pc.counts.instructions ?? 0) / 1e6 / cpuSeconds
    const memory = Math.round(process.resourceUsage().maxRSS / 1024)
    lines.push(`host: ${cpuSeconds.toFixed(2)} s of CPU, ${mips.toFixed(0)} MIPS, ${memory} MiB at most (${pc.engine})`)
  }
  return `${lines.join('\n')}\n`
}
