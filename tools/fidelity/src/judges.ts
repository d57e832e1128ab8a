/** Which assertions hold, from counts of a comparison and the prices of a profile; and why others cannot be told yet. */
import { type Cell, type Comparison, cellOf, profileNamed, repriced, type Start, techniques } from '@vmexit/compare'

/** Profiles that assertions are judged under. What a reference of a walk costs, neither publication says. */
export const PROFILES = {
  pentium4: 'P4_672+generic_i386_memory',
  cascadeLake: 'CLX_8269CY_2.5+generic_i386_memory',
  kvm: 'KVM_2012_generic',
  container: 'container',
} as const

/** What came of an assertion. */
export interface Verdict {
  readonly holds: boolean
  /** Our own figures. */
  readonly ours: string
  /** The part that was not judged, as `without BT`; undefined where all of it was. */
  readonly without?: string
  /** The profile that cycles are of; undefined where only counts were looked at. */
  readonly profile?: string
  /** No guest ran: constants of a profile were set side by side. */
  readonly constantsOnly?: boolean
}

/** A judge: its verdict on one comparison. Undefined where the comparison lacks the cells. */
export type Judge = (seen: Evidence) => Verdict | undefined

/** A comparison as judges see it. Asking for what is not there ends the judgement. */
export class Evidence {
  readonly #comparison: Comparison
  readonly #priced: Map<string, Comparison> = new Map()

  constructor(comparison: Comparison) {
    this.#comparison = comparison
  }

  /** Its name. */
  get kernel(): string {
    return this.#comparison.kernel
  }
  /** Events of one repetition. @throws Missing. */
  event(workload: string, technique: string, name: string): number {
    return this.#cell(this.#comparison, workload, technique).events[name] ?? 0
  }
  /** @throws Missing. */
  perMiss(workload: string, technique: string): number {
    return this.#cell(this.#comparison, workload, technique).walkReferencesPerMiss ?? 0
  }
  /** Modelled cycles of one repetition. @throws Missing where there is no price, too. */
  cycles(workload: string, technique: string, profile: string): number {
    let priced = this.#priced.get(profile)
    if (priced === undefined) {
      priced = repriced(this.#comparison, techniques, profileNamed(profile))
      this.#priced.set(profile, priced)
    }
    const { cycles } = this.#cell(priced, workload, technique)
    if (cycles === undefined) throw new Missing()
    return cycles
  }

  /** The start of a technique. @throws Missing. */
  start(technique: string): Start {
    const found = this.#comparison.starts.find((start) => start.technique === technique)
    if (found === undefined) throw new Missing()
    return found
  }
  /** Modelled cycles to the first instruction of a program. @throws Missing where there is no price, too. */
  startCycles(technique: string, profile: string): number {
    const priced = repriced(this.#comparison, techniques, profileNamed(profile))
    const cycles = priced.starts.find((start) => start.technique === technique)?.first.cycles
    if (cycles === undefined) throw new Missing()
    return cycles
  }
  /** Names of all rows. */
  get workloads(): readonly string[] {
    return this.#comparison.workloads.map(({ name }) => name)
  }

  #cell(comparison: Comparison, workload: string, technique: string): Cell {
    const cell = cellOf(comparison, workload, technique)
    if (cell === undefined) throw new Missing()
    return cell
  }
}

/** A cell, or a price, that there is not. */
export class Missing extends Error {}

const [N, HS, HE, HE2] = ['native', 'vtx-shadow', 'vtx-nested', 'vtx-nested-2m'] as const
const [CT, PROCESS] = ['container', 'process'] as const
const P4 = PROFILES.pentium4
const CLX = PROFILES.cascadeLake
const between = (value: number, low: number, high: number): boolean => value >= low && value <= high
/** A count that timer interrupts may have added a thousandth to. */
const about = (value: number, expected: number): boolean => Math.abs(value - expected) <= 0.02 * Math.max(1, expected)
const show = (value: number): string => String(Math.round(value * 100) / 100)

/** Judges by the number of the assertion. */
export const judges: Readonly<Record<string, Judge>> = {
  S01: (seen) => {
    const [hs, he] = [HS, HE].map((technique) => seen.event('syscall', technique, 'vm-exits'))
    return { holds: about(hs!, 0) && about(he!, 0), ours: `HS ${show(hs!)}, HE ${show(he!)}` }
  },
  S02: (seen) => {
    // mprotect of Linux clears an entry before it sets it.
    const stores = seen.kernel === 'debian' ? 2 : 1
    const [he, hs] = [seen.event('ptemod', HE, 'vm-exits'), seen.event('ptemod', HS, 'traced-writes') / stores]
    const ours = `HE ${show(he)}, HS ${show(hs)}${stores > 1 ? ` (${stores} stores a call)` : ''}`
    return { holds: about(he, 0) && about(hs, 1), ours, without: 'BT, PV' }
  },
  S04: (seen) => {
    const [he, hs] = [HE, HS].map((technique) => seen.event('pgfault', technique, 'vm-exits'))
    return { holds: about(he!, 0) && hs! >= 0.98, ours: `HE ${show(he!)}, HS ${show(hs!)}`, without: 'BT, PV' }
  },
  S05: (seen) => {
    // A round trip loads CR3 twice.
    const [he, hs] = [HE, HS].map((technique) => seen.event('switch', technique, 'vm-exits-cr-access') / 2)
    return { holds: about(he!, 0) && about(hs!, 1), ours: `HE ${show(he!)}, HS ${show(hs!)}`, without: 'BT, PV' }
  },
  S08: (seen) => {
    const [n, hs, he, he2] = [N, HS, HE, HE2].map((technique) => seen.perMiss('random', technique))
    const holds = about(n!, 2) && about(hs!, 2) && about(he!, 14) && about(he2!, 11)
    return { holds, ours: `N ${show(n!)}, HS ${show(hs!)}, HE ${show(he!)}, 2 MiB ${show(he2!)}` }
  },
  S15: (seen) => {
    const names = ['vm-exits', 'hypercalls', 'traced-writes', 'hidden-faults']
    const all = seen.workloads.map((workload) => names.reduce((sum, name) => sum + seen.event(workload, CT, name), 0))
    const most = Math.max(...all)
    return { holds: most === 0, ours: `${show(most)} in any of ${all.length} workloads` }
  },
  A01: constants(P4, { n: 'syscall-rt', extra: 'bt-syscall-extra' }, ({ n, extra }) => [(n! + extra!) / n!, 6, 13]),
  A03: (seen) => ({ ...ratio(seen, 'in', HS, N, P4, 3, 8), without: 'BT' }),
  A04: constants(P4, { n: 'call-ret', extra: 'bt-indirect-extra' }, ({ n, extra }) => [(n! + extra!) / n!, 3, 7]),
  A06: (seen) => ({ ...ratio(seen, 'pgfault', HS, N, P4, 1, 1e6), without: 'BT: only N < HS' }),
  A07: (seen) => ({ ...ratio(seen, 'divzero', HS, N, P4, 0, 1.3), without: 'BT' }),
  A08: (seen) => {
    const [n, he, hs] = [N, HE, HS].map((technique) => seen.cycles('ptemod', technique, P4))
    const ours = `N ${show(n!)}, HE ${show(he!)}, HS ${show(hs!)} cycles, the call included`
    return { holds: n! <= he! && he! < hs!, ours, without: 'BT: only N ≤ HE < HS', profile: P4 }
  },
  A09: (seen) => {
    const more = seen.cycles('ptemod', HS, P4) - seen.cycles('ptemod', N, P4)
    return { holds: more > 5000, ours: `HS ${show(more)} more`, without: 'BT', profile: P4 }
  },
  A11: constants(
    P4,
    { trap: 'trap-emulate-rdtsc', callout: 'bt-callout-rdtsc', inside: 'bt-intc-rdtsc' },
    ({ trap, callout, inside }) => [inside! < callout! && callout! < trap! ? trap! / inside! : 0, 5, 15],
  ),
  A13: (seen) => {
    const exit = seen.cycles('cpuid', HS, P4) - seen.cycles('cpuid', N, P4)
    return { holds: between(exit, 6000, 18_000), ours: `${show(exit)}`, profile: P4 }
  },
  A18: (seen) => {
    const [n, he, hs] = [N, HE, HS].map((technique) => seen.cycles('fork', technique, P4) / seen.cycles('fork', N, P4))
    const ours = `N ${show(n!)}, HE ${show(he!)}, HS ${show(hs!)}`
    return { holds: n! <= he! && he! < hs!, ours, without: 'BT, PV: only N ≤ HE < HS', profile: P4 }
  },
  A23: (seen) => ratio(seen, 'fork', HS, HE, CLX, 3, 12),
  A28: (seen) => ratio(seen, 'pgfault', HS, HE, CLX, 2.5, 9),
  A29: (seen) => ratio(seen, 'mmap', HS, HE, CLX, 3, 12),
  A34: (seen) => ratio(seen, 'random', HE, N, P4, 1.08, 1.6),
  A36: (seen) => {
    const of = (workload: string) => seen.cycles(workload, HS, P4) / seen.cycles(workload, HE, P4)
    const ours = `HS/HE: random ${show(of('random'))}, fork ${show(of('fork'))}`
    return { holds: of('random') < 1 && of('fork') > 1, ours, profile: P4 }
  },
  A40: (seen) => ratio(seen, 'syscall', HE, N, P4, 0.95, 1.1),
  A42: constants(CLX, { hs: 'spt-syscall-kpti', he: 'syscall-kpti' }, ({ hs, he }) => [hs! / he!, 6, 14]),
  A43: constants(CLX, { on: 'syscall-kpti', off: 'syscall-nokpti' }, ({ on, off }) => [on! - off!, 200, 900]),
  A44: constants(PROFILES.container, { filter: 'seccomp-bitmap-filter' }, ({ filter }) => [filter!, 15, 110]),
  A47: (seen) => {
    const ratios = [HS, HE, CT].map((technique) => arithmetic(seen, technique))
    const holds = ratios.every((each) => between(each, 0.94, 1.1))
    const ours = `HS ${show(ratios[0]!)}, HE ${show(ratios[1]!)}, CT ${show(ratios[2]!)}`
    return { holds, ours, without: 'BT, PV', profile: P4 }
  },
  A48: (seen) => {
    const value = arithmetic(seen, CT)
    return { holds: between(value, 0.98, 1.04), ours: show(value), profile: P4 }
  },
  A67: constants(PROFILES.kvm, { user: 'inl-qemu', kernel: 'inl-kernel' }, ({ user, kernel }) => [
    user! / kernel!,
    2,
    4,
  ]),
  A69: (seen) => {
    const [process, container, vm] = [PROCESS, CT, HE].map((technique) => seen.startCycles(technique, P4) / 1000)
    const ours = `process ${show(process!)}, container ${show(container!)}, HE ${show(vm!)} thousand cycles`
    return { holds: process! < container! && container! < vm!, ours, without: 'microVM', profile: P4 }
  },
  D01: (seen) => {
    const [process, container, vm] = [PROCESS, CT, HE].map((technique) => seen.start(technique).residentBytes / 1024)
    const ours = `process ${show(process!)}, container ${show(container!)}, HE ${show(vm!)} KiB`
    return { holds: process! < container! && container! < vm!, ours }
  },
  D02: (seen) => {
    const own = (technique: string) => (seen.start(technique).residentBytes - seen.start(N).residentBytes) / 1024
    const [hs, he] = [HS, HE].map(own)
    const holds = [hs!, he!].every((each) => between(each, 0, 5 * 1024))
    return { holds, ours: `HS ${show(hs!)}, HE ${show(he!)} KiB` }
  },
}

/** The dearer of both rows of arithmetic, against the bare machine. */
function arithmetic(seen: Evidence, technique: string): number {
  return Math.max(...['integer', 'float'].map((row) => seen.cycles(row, technique, P4) / seen.cycles(row, N, P4)))
}

function ratio(
  seen: Evidence,
  workload: string,
  above: string,
  below: string,
  profile: string,
  low: number,
  high: number,
): Verdict {
  const value = seen.cycles(workload, above, profile) / seen.cycles(workload, below, profile)
  return { holds: between(value, low, high), ours: show(value), profile }
}

/** Sets constants of a profile side by side. */
function constants<K extends string>(
  profile: string,
  names: Readonly<Record<K, string>>,
  value: (found: Readonly<Record<K, number | undefined>>) => readonly [value: number, low: number, high: number],
): Judge {
  return () => {
    const { cycles, derived, ns } = profileNamed(profile)
    const found = Object.fromEntries(
      Object.entries<string>(names).map(([key, name]) => [key, cycles[name] ?? derived[name] ?? ns[name]]),
    ) as Record<K, number | undefined>
    if (Object.values(found).includes(undefined)) return undefined
    const [result, low, high] = value(found)
    return { holds: between(result, low, high), ours: show(result), profile, constantsOnly: true }
  }
}

const BT = 'there is no binary translation yet'
const PV = 'there is no paravirtual guest yet'
const NET = 'no workload sends packets'
const NESTED = 'there is no column of guests of a guest'
const BUILD = 'no workload builds a kernel'

/** Why the others cannot be judged. */
export const absent: Readonly<Record<string, string>> = {
  S07: 'no workload executes them; trap-and-emulate, which they matter to, is not there yet',
  S09: 'guests are of 32 bits',
  S10: NET,
  S11: NET,
  S12: NET,
  S13: NESTED,
  S14: NESTED,
  A12: 'the profile has no price for a translated write to CR8, and there is no binary translation yet',
  A14: 'no publication has a price for what an interpreter does on this processor, and a guess would be none',
  A15: BT,
  A16: BT,
  A22: BT,
  A27: PV,
  A31: PV,
  A39: PV,
  A41: PV,
  A46: 'there is no column of a kernel in user mode that is priced by its own system calls',
  A50: `${BUILD}, and ${PV}`,
  A51: `${BUILD}, and ${BT}`,
  A53: BUILD,
  A54: `${BUILD}, and ${NESTED}`,
  A55: NESTED,
  A56: NET,
  A59: NET,
  A61: 'no workload reads blocks of a disk',
  A62: 'no workload reads blocks of a disk',
  A65: 'no profile has the constants: ways to end an interrupt are not told apart',
}

/** Why what does not hold does not, by the number of the assertion and the name of the kernel. */
export const failures: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  S08: {
    debian:
      'the mean of walks, some of which go through the guest’s first 2 MiB; these hold displays and ROMs and are no large page. All but ' +
      'the last figure hold.',
  },
  A23: {
    teaching:
      'HS takes 982 thousand cycles, published are 1,262 thousand (504.67 µs at 2.5 GHz); but HE takes 16 thousand instead of 205: this ' +
      'kernel forks a process of a few pages in 15 thousand instructions, each at one cycle.',
    debian:
      'HS takes 1,564 thousand cycles, published are 1,262 thousand (504.67 µs at 2.5 GHz); but HE takes 82 thousand instead of 205: the ' +
      'process has a few pages, and an instruction costs one cycle in the model, whatever it waits for.',
  },
  A28: {
    debian:
      'HE takes 4,936 cycles instead of the published 1,650 (0.66 µs), since a signal is delivered for the fault and the program returns ' +
      'from its handler. HS takes 4,003 more instead of 6,275: the profile prices the exit, and not what its VMM then does.',
  },
  A34: Object.fromEntries(
    ['teaching', 'debian'].map((kernel) => [
      kernel,
      'the model has no caches for page walks, so each miss pays for all of its 14 references. The band would need about six of them.',
    ]),
  ),
}
