/** What a run has to tell: for people and for programs. */
import type { JitStats } from '@vmexit/jit'
import type { Pc, PcStop } from '@vmexit/vmexit'

/** The object that `--json` prints. */
export interface BootReport {
  readonly reason: PcStop['reason']
  readonly exitCode: number
  /** Virtual seconds. */
  readonly seconds: number
  readonly counts: Readonly<Record<string, number>>
  /** How the guest shared the machine. */
  readonly technique: string
  readonly mmu?: string | undefined
  /** Of a VM: what the machine below it counted. */
  readonly machineCounts?: Readonly<Record<string, number>> | undefined
  /** The CPU that was simulated. */
  readonly cpu: { readonly engine: string; readonly model: string }
  /** What the JIT has translated, if there is one: of the host's work, not of the guest's. */
  readonly translated?: JitStats | undefined
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
    technique: pc.technique,
    mmu: pc.mmu,
    machineCounts: isVm(pc) ? pc.machineCounts : undefined,
    cpu: { engine: pc.engine, model: pc.model },
    translated: pc.generated?.translated,
    postCodes: { 128: pc.postCode(0x80), 132: pc.postCode(0x84), 400: pc.postCode(0x190) },
    console,
    host: { cpuSeconds, peakMemory: process.resourceUsage().maxRSS * 1024 },
  }
}

/** The counts as a table; with the host's time below it, if that is given. */
export function statistics(pc: Pc, cpuSeconds?: number): string {
  const lines = table(pc.counts)
  if (isVm(pc)) {
    lines.unshift(`VM under ${wayOf(pc)}:`)
    lines.push(...machineBelow(pc, 'it'))
  }
  if (cpuSeconds !== undefined) {
    const mips = (pc.counts.instructions ?? 0) / 1e6 / cpuSeconds
    const memory = Math.round(process.resourceUsage().maxRSS / 1024)
    lines.push(...translated(pc))
    lines.push(`host: ${cpuSeconds.toFixed(2)} s of CPU, ${mips.toFixed(0)} MIPS, ${memory} MiB at most (${pc.engine})`)
  }
  return `${lines.join('\n')}\n`
}

/** The counts of several VMs as tables, and of the machine that they share. */
export function statisticsOfSeveral(vms: readonly { readonly name: string; readonly pc: Pc }[]): string {
  const tables = vms.flatMap(({ name, pc }) => [`${name} under ${wayOf(pc)}:`, ...table(pc.counts)])
  return `${[...tables, ...machineBelow(vms[0]!.pc, 'them')].join('\n')}\n`
}

const wayOf = ({ technique, mmu }: Pc): string => (mmu === undefined ? technique : `${technique} and ${mmu}`)

function machineBelow(pc: Pc, whom: string): string[] {
  const machine = table(pc.machineCounts)
  return [machine.length > 0 ? `machine below ${whom}:` : `machine below ${whom}: nothing`, ...machine]
}

const isVm = (pc: Pc): boolean => pc.technique !== 'native'

/** A line for each count that is not 0. */
function table(counts: Readonly<Record<string, number>>): string[] {
  const rows = Object.entries(counts).filter(([, count]) => count !== 0)
  const figures = rows.map(([, count]) => count.toLocaleString('en-US'))
  const name = Math.max(...rows.map(([label]) => label.length))
  const width = Math.max(...figures.map(({ length }) => length))
  return rows.map(([label], i) => `${label.padEnd(name)}  ${figures[i]!.padStart(width)}`)
}

/** What the JIT has done, if there is one. */
function translated(pc: Pc): string[] {
  const stats = pc.generated?.translated
  if (!stats) return []
  const { translations, blocks, instructions, modules, bytes, compiled, evicted, invalidated, time } = stats
  const kibibytes = Math.round(bytes / 1024)
  return [
    `translated: ${translations} regions of ${blocks} blocks, ${instructions} instructions, in ${modules} modules of ${kibibytes} KiB`,
    `            ${compiled} modules compiled in ${(time / 1000).toFixed(2)} s, ${evicted} evicted, ${invalidated} regions rewritten`,
  ]
}
