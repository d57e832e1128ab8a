/** Several PCs as VMs on one machine, and whose turn it is. */
import { HostTurns, type Machine, VmexitError } from '@vmexit/core'
import { parseSize } from '@vmexit/memory'
import type { EngineChoice } from '@vmexit/x86'
import { createHost, createPcOn, engineOf } from './compose.ts'
import type { PcBoot, PcHardware } from './options.ts'
import type { Pc } from './pc.ts'
import { planOf } from './plan.ts'
import type { PcStop } from './stop.ts'
import { techniqueRow, type VmTechnique, vmTechniqueNames } from './techniques.ts'

/** The machine that the PCs share. */
export interface HypervisorOptions {
  /** RAM of the machine: of it come the memory of PCs under `vtx` and the tables; 512 MiB unless stated. */
  readonly memory?: number | string | undefined
  /** How the machine's CPU is made fast; see `PcHardware`. */
  readonly engine?: PcHardware['engine']
}

/** A PC on a shared machine: what it boots, its hardware but for the engine, and how it shares the machine. */
export type VmPcOptions = PcBoot &
  Omit<PcHardware, 'engine'> &
  VmTechnique & {
    /** Its turns are so many times as long as those of a PC of weight 1, which is the weight unless stated. */
    readonly weight?: number | undefined
  }

/** How the PCs are run. */
export interface HypervisorRunOptions {
  /** Stops the run, which can then be continued. */
  readonly signal?: AbortSignal | undefined
  /** At most so many instructions by all PCs together. */
  readonly instructions?: number | undefined
  /** Instructions of a turn of a PC of weight 1: 100,000 unless stated. */
  readonly quantum?: number | undefined
  /** What happens where all PCs wait for inputs: `wait` for one (unless stated), or `return`. */
  readonly idle?: 'wait' | 'return' | undefined
}

/** Instructions between two turns of the host. */
const slice = 1_000_000
/** How a PC stands that can have more turns; else it has ended. */
const goesOn: ReadonlySet<PcStop['reason']> = new Set(['limit', 'idle', 'aborted'])

/** A machine with a CPU that has VMX, for PCs that share it. Throws a `VmexitError` of whatever is wrong with an option. */
export async function createHypervisor({ memory = '512 MiB', engine }: HypervisorOptions = {}): Promise<Hypervisor> {
  const choice = engineOf(engine)
  const machine = await createHost({ bytes: parseSize(memory), cpu: techniqueRow('vtx')!.hardware(choice) })
  return new Hypervisor(machine, choice)
}

/** Bytes of a machine that has room for such PCs, whatever they write. Throws a `VmexitError` `pc-technique` for what cannot be. */
export function hypervisorMemory(pcs: readonly VmPcOptions[]): number {
  return pcs.reduce((sum, options) => sum + (planOf(options)?.machineBytes ?? 0), 0)
}

/**
 * PCs on one machine. Each has virtual time of its own, counted in its own instructions: what a guest does and counts does not depend on
 * the others, nor on how long turns are. What the machine counts does.
 */
export class Hypervisor implements AsyncDisposable {
  /** The machine below. */
  readonly machine: Machine
  readonly #engine: EngineChoice
  readonly #weights = new Map<Pc, number>()

  /** @internal */
  constructor(machine: Machine, engine: EngineChoice) {
    this.machine = machine
    this.#engine = engine
  }

  /** The PCs, in the order in which they have their turns: that in which they were made. */
  get pcs(): readonly Pc[] {
    return [...this.#weights.keys()].filter(({ system }) => this.machine.vms.includes(system))
  }

  /** Composes a PC as a VM on the machine. Throws as `createPc` does; disposing the PC leaves the others. */
  async createPc(options: VmPcOptions): Promise<Pc> {
    const { weight = 1 } = options
    if (!(weight > 0 && weight < 1e6)) {
      throw new VmexitError('pc-weight', {
        problem: `a PC cannot have weight ${weight}`,
        remedy: 'give a number above 0',
      })
    }
    const plan = planOf(options)
    if (plan === undefined) {
      throw new VmexitError('pc-technique', {
        problem: 'technique native hands the whole machine to one guest, so nothing can share it',
        remedy: `take one of ${vmTechniqueNames.join(', ')}; or createPc, for a machine of its own`,
      })
    }
    const pc = await createPcOn(this.machine, options, plan, { engine: this.#engine })
    this.#weights.set(pc, weight)
    return pc
  }

  /**
   * Gives the PCs turns, one after the other, until all have ended or a limit is reached. Returns how each has ended, or stands.
   * A guest that idles takes its turn too: its time goes on to its next event at once. A reset by a guest reboots it.
   */
  async run(options: HypervisorRunOptions = {}): Promise<ReadonlyMap<Pc, PcStop>> {
    const { signal, instructions = Number.POSITIVE_INFINITY, quantum = 100_000, idle = 'wait' } = options
    using host = new HostTurns()
    const stops = new Map<Pc, PcStop>()
    let retired = 0
    let sinceHost = 0
    for (;;) {
      let inRound = 0
      const running = this.pcs.filter((pc) => goesOn.has(stops.get(pc)?.reason ?? 'limit'))
      if (running.length === 0) return stops
      for (const pc of running) {
        if (signal?.aborted || retired >= instructions) return stops
        const turn = Math.min(Math.max(1, Math.round(quantum * this.#weights.get(pc)!)), instructions - retired)
        const stop = await pc.run({ instructions: turn, idle: 'return', signal })
        inRound += stop.instructions
        retired += stop.instructions
        sinceHost += stop.instructions
        stops.set(pc, { ...stop, instructions: (stops.get(pc)?.instructions ?? 0) + stop.instructions })
        if (sinceHost < slice) continue
        sinceHost = 0
        await host.next()
      }
      const waiting = running.filter((pc) => stops.get(pc)!.reason === 'idle')
      if (waiting.length < running.length || inRound > 0) continue
      if (idle === 'return') return stops
      await anyInput(waiting, signal)
    }
  }

  /** Ends the PCs and the machine. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const pc of this.pcs.toReversed()) await pc[Symbol.asyncDispose]()
    await this.machine[Symbol.asyncDispose]()
  }
}

/** Waits for an input to one of the PCs, or for the signal. */
async function anyInput(pcs: readonly Pc[], signal: AbortSignal | undefined): Promise<void> {
  const over = new AbortController()
  const abort = () => over.abort()
  signal?.addEventListener('abort', abort)
  if (signal?.aborted) abort()
  await Promise.race(pcs.map((pc) => pc.system.get('input').arrival(over.signal)))
  abort()
  signal?.removeEventListener('abort', abort)
}
