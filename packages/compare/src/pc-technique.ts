/** Techniques that share a PC: a column boots the kernel once and runs the workloads in their order. */
import { type Counts, VmexitError } from '@vmexit/core'
import { SlopeMeter } from '@vmexit/guests'
import { createPc, type PcTechnique } from '@vmexit/vmexit'
import { explainOnPc } from './explain/pc-explain.ts'
import { countsOf, eventsOf } from './pc-counts.ts'
import { containerGuest, HARDWARE_OF_ALL, MEMORY_WITH_MODULES, refusesContainer, workloadGuest } from './pc-guest.ts'
import { startOfPc } from './start/pc-start.ts'
import type { Measured, MeasureRequest, Technique } from './technique.ts'

/** What makes a technique of a PC. */
export interface PcTechniqueOptions {
  readonly name: string
  readonly title: string
  readonly about: string
  /** How the PC stands on its machine. */
  readonly pc: PcTechnique
  /** The workloads run in a container of the guest's own kernel. */
  readonly contained?: boolean
  /** Of the events in a repetition those that take the hardware's time: see {@link Technique}. */
  readonly charged: (events: Counts) => Counts
}

/** Arguments that Linux hands on to init, with room for its own. */
const ARGUMENTS = 30
/** Repetitions of a program that only warms up. */
const WARM = 5
/** A hundred times what all workloads take: a guest that hangs ends here. */
const LIMIT = 20_000_000_000
/** A technique by which a PC is one. */
export function pcTechnique({ pc: way, contained = false, ...technique }: PcTechniqueOptions): Technique {
  return {
    ...technique,
    ...(contained && { refuses: refusesContainer }),
    start: (request) => startOfPc(way, contained, request),
    ...(!contained && { explain: (request, steps) => explainOnPc(way, request, steps) }),
    async measure({ workloads, kernel, engine, signal, onMeasured }: MeasureRequest): Promise<readonly Measured[]> {
      // A large kernel does much for the first time: there programs run once before they count, as many as it takes names of.
      const most = kernel.protocol === 'linux' ? Math.max(0, ARGUMENTS - workloads.length) : 0
      const warm = workloads.slice(0, most).map(({ name }) => `${name}:${WARM}`)
      const runs = [...warm, ...workloads.map(({ name, count }) => `${name}:${count}`)]
      const guest = contained ? containerGuest(kernel, workloads, runs) : workloadGuest(kernel, workloads, runs)
      const hardware = { ...HARDWARE_OF_ALL, ...(contained && { memory: MEMORY_WITH_MODULES }), engine }
      await using pc = await createPc({ ...guest, ...hardware, ...way })
      const meter = new SlopeMeter(() => countsOf(pc))
      let told = warm.length
      pc.console.onTransmit((bytes) => {
        meter.feed(bytes)
        for (; told < meter.slopes.length; told++) {
          const { program, checksum, costs } = meter.slopes[told]!
          const does = workloads.find(({ name }) => name === program)?.does ?? {}
          onMeasured({ workload: program, checksum, events: eventsOf(costs, does) })
        }
      })
      const { reason } = await pc.run({ signal, idle: 'return', onReset: 'stop', instructions: LIMIT })
      signal?.throwIfAborted()
      return workloads.map(({ name, does }) => {
        const slope = meter.slopes.slice(warm.length).find(({ program }) => program === name)
        const status = meter.exits.slice(warm.length).find(({ program }) => program === name)?.status
        if (slope === undefined || status !== 0) throw failed(technique.name, kernel.name, name, status, reason)
        return { workload: name, checksum: slope.checksum, events: eventsOf(slope.costs, does) }
      })
    },
  }
}

function failed(technique: string, kernel: string, workload: string, status: number | undefined, reason: string) {
  const how = status === undefined ? `did not end before the guest did (${reason})` : `ended with status ${status}`
  return new VmexitError('compare-workload', {
    problem: `the workload ${workload} on the kernel ${kernel} under ${technique} ${how}`,
    remedy: 'leave it out, or take another kernel; status 127 says that there is no such program',
  })
}

const pick = (events: Counts, wanted: (name: string) => boolean): Counts =>
  Object.fromEntries(Object.entries(events).filter(([name]) => wanted(name)))

const HARDWARE = new Set([
  ...['instructions', 'system-calls', 'page-faults', 'other-exceptions'],
  ...['walk-references', 'second-stage-references'],
])
const native = (events: Counts): Counts => pick(events, (name) => HARDWARE.has(name) || name === 'port-reads')
const nested = (events: Counts): Counts => pick(events, (name) => HARDWARE.has(name) || name.startsWith('vm-exits-'))
const shadow = (events: Counts): Counts => {
  const { 'true-faults': found = 0, 'traced-writes': traced = 0 } = events
  return { ...nested(events), 'true-faults': found, 'traced-writes': traced }
}

/** The techniques of PCs. */
export const pcTechniques: readonly Technique[] = [
  pcTechnique({
    name: 'native',
    title: 'native',
    about: 'The guest owns the machine.',
    pc: { technique: 'native' },
    charged: native,
  }),
  pcTechnique({
    name: 'software-emulation',
    title: 'emulation',
    about: 'A VMM decodes and does each instruction of the guest; nothing of it runs on the hardware.',
    pc: { technique: 'software-emulation' },
    charged: ({ emulated = 0 }) => ({ emulated }),
  }),
  pcTechnique({
    name: 'vtx-shadow',
    title: 'VT-x, shadow',
    about: "VT-x; the VMM keeps tables of its own in step with the guest's.",
    pc: { technique: 'vtx', mmu: 'shadow-paging' },
    charged: shadow,
  }),
  pcTechnique({
    name: 'vtx-nested',
    title: 'VT-x, nested 4K',
    about: "VT-x; the hardware walks the guest's tables and, behind them, the VMM's, of 4 KiB pages.",
    pc: { technique: 'vtx', mmu: 'nested-paging' },
    charged: nested,
  }),
  pcTechnique({
    name: 'vtx-nested-2m',
    title: 'VT-x, nested 2M',
    about: 'The same with 2 MiB pages in the second stage.',
    pc: { technique: 'vtx', mmu: 'nested-paging', nestedPages: '2 MiB' },
    charged: nested,
  }),
  pcTechnique({
    name: 'guest-container',
    title: 'guest, container',
    about:
      'The guest owns the machine; its kernel runs the programs in a container of its own: an overlay, a control group, namespaces.',
    pc: { technique: 'native' },
    contained: true,
    charged: native,
  }),
]
