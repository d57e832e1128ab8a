/** What a machine and a VM have in common: composed parts, virtual time, and a run loop over their CPUs. */
import { Bus } from '../bus.ts'
import { BusMasters } from '../bus-masters.ts'
import { Clock, type ClockState } from '../clock.ts'
import { Counters, type Counts } from '../counters.ts'
import { VmexitError } from '../errors.ts'
import { InputGate } from '../input-gate.ts'
import { Power } from '../power.ts'
import { type RunOptions, run } from '../run.ts'
import { RunLoop, type RunLoopState, type SliceLimits, type Stop } from '../run-loop.ts'
import { checkState, type State } from '../state.ts'
import type { Capabilities, Capability, SystemCapabilities, SystemCapability } from './capabilities.ts'
import { type BuiltPart, type Composition, disposeParts, disposePartsNow } from './compose.ts'
import type { ApiOf, Part } from './part.ts'

/** How a machine or VM keeps time. Part of what it is: counts depend on it. */
export interface SystemOptions {
  /** Ticks, which are instructions, in a virtual second: 10^9 unless stated. */
  readonly frequency?: number | undefined
  /** Instructions of one CPU before the next has its turn, where there are several: 10,000 unless stated. */
  readonly quantum?: number | undefined
}

/** A machine or VM in a saved state. */
export type SystemState = {
  readonly version: 1
  readonly clock: ClockState
  readonly loop: RunLoopState
  readonly counters: Counts
  /** By the names of the parts, for those that have state. */
  readonly parts: { readonly [name: string]: State }
}

/** Makes what every machine and VM has. */
export function createServices({ frequency }: SystemOptions): SystemCapabilities {
  const counters = new Counters()
  return {
    ports: new Bus({ name: 'ports', addressBits: 16, counters }),
    mmio: new Bus({ name: 'mmio', addressBits: 52, counters }),
    clock: new Clock(frequency === undefined ? {} : { frequency }),
    counters,
    input: new InputGate(),
    busMasters: new BusMasters({ counters }),
    power: new Power(),
  }
}

/** Composed parts that run. `Given` names the capabilities its parts are known to give. */
export abstract class System<in Given extends Capability = never> implements AsyncDisposable, Disposable {
  /** The parts, in the order in which they were built. */
  readonly parts: readonly BuiltPart[]
  /** Every capability, by name. */
  readonly capabilities: ReadonlyMap<string, unknown>
  readonly #loop: RunLoop
  #disposed = false

  constructor({ capabilities, parts }: Composition, { quantum = 10_000 }: SystemOptions) {
    this.parts = parts
    this.capabilities = capabilities
    const has = <K extends Capability>(key: K) => capabilities.get(key) as Capabilities[K] | undefined
    const { clock, input, power, counters, busMasters } = Object.fromEntries(capabilities) as unknown as Capabilities
    const cpus = has('cpus') ?? [has('cpu')!]
    busMasters.connect({ memory: has('memory'), messages: has('msi') })
    const interrupts = has('interrupts')
    if (interrupts !== undefined) for (const cpu of cpus) cpu.connect(interrupts.source(cpu.id))
    const a20 = has('a20')
    const setA20 = (enabled: boolean) => {
      for (const cpu of cpus) cpu.setA20?.(enabled)
    }
    if (a20 !== undefined) {
      setA20(a20.enabled)
      a20.watch(setA20)
    }
    this.#loop = new RunLoop({ cpus, clock, input, power, counters, quantum })
  }

  /** A capability. Throws a {@link VmexitError} `no-capability` where the compiler could not see that it is missing. */
  get<K extends Given | SystemCapability>(capability: K): Capabilities[K] {
    const found = this.find(capability)
    if (found !== undefined) return found
    throw new VmexitError('no-capability', {
      problem: `no part here gives '${capability}'`,
      remedy: `add a part that does; there are: ${[...this.capabilities.keys()].join(', ')}`,
    })
  }

  /** A capability, if it is there. */
  find<K extends Capability>(capability: K): Capabilities[K] | undefined {
    return this.capabilities.get(capability) as Capabilities[K] | undefined
  }

  /** What the `build` of a part returned here. Throws a {@link VmexitError} `no-part` if the part is not in it. */
  of<P extends Part>(part: P): ApiOf<P> {
    const built = this.parts.find((candidate) => candidate.part === part)
    if (built !== undefined) return built.api as ApiOf<P>
    throw new VmexitError('no-part', {
      problem: `this ${part.name} is not among the parts`,
      remedy: `ask for the very part that was composed; there are: ${this.parts.map(({ name }) => name).join(', ')}`,
    })
  }

  /** Runs synchronously; see `RunLoop.runSlice`. Returns why it stopped. */
  runSlice(limits?: SliceLimits): Stop {
    return this.#loop.runSlice(limits)
  }

  /** Runs in slices, between which the host serves its own events. Returns why it stopped. */
  run(options?: RunOptions): Promise<Stop> {
    return run(this.#loop, options)
  }

  /** Puts every part into its state after power-on. Time and counts go on. */
  reset(): void {
    for (const { api } of this.parts) api.reset?.()
  }

  /** The state, without inputs that are posted and not let in. Restored, the guest and the counts go on as before. */
  save(): SystemState {
    const stateful = this.parts.filter(({ api }) => api.save !== undefined)
    return {
      version: 1,
      clock: this.get('clock').save(),
      loop: this.#loop.save(),
      counters: this.get('counters').snapshot(),
      parts: Object.fromEntries(stateful.map(({ name, api }) => [name, api.save!()])),
    }
  }

  /** Becomes what was saved of the same composition. Throws a {@link VmexitError} `state-mismatch` if it is of another. */
  restore(state: SystemState): void {
    const { clock, loop, counters, parts } = checkState('this composition', state, this.save())
    const stateful = this.parts.filter(({ api }) => api.save !== undefined)
    const wanted = stateful.map(({ name }) => name)
    if (wanted.toSorted().join() !== Object.keys(parts).toSorted().join()) {
      throw new VmexitError('state-mismatch', {
        problem: `the saved state is of the parts ${Object.keys(parts).join(', ')}, but here are ${wanted.join(', ')}`,
        remedy: 'compose the same parts',
      })
    }
    this.get('clock').restore(clock)
    for (const { name, api } of stateful) api.restore?.(parts[name]!)
    this.#loop.restore(loop)
    this.get('counters').restore(counters)
  }

  /** Disposes the parts, the last built first. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#end()) return
    await disposeParts(this.parts)
  }

  /** As `Symbol.asyncDispose`, at once. Throws a {@link VmexitError} `dispose-async` if a part takes time for it. */
  [Symbol.dispose](): void {
    if (this.#disposed) return
    disposePartsNow(this.parts)
    this.#end()
  }

  #end(): boolean {
    if (this.#disposed) return false
    this.#disposed = true
    this.#loop[Symbol.dispose]()
    return true
  }
}
