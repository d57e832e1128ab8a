/** Machines: the hardware. */
import type { Capability, SystemCapability } from './capabilities.ts'
import type { Checked, GivenBy, ProblemsOf } from './check.ts'
import { compose } from './compose.ts'
import { machineFrame } from './frame.ts'
import type { Part } from './part.ts'
import type { Composed } from './problems.ts'
import { createServices, System, type SystemOptions } from './system.ts'

/** What a machine is composed of. */
export interface MachineParts {
  /** Gives `memory`. */
  readonly memory: Part
  /** Gives `cpu`, and `cpus` if it makes several. */
  readonly cpu: Part
  /** Chips, controllers, cards: anything else. */
  readonly devices?: readonly Part[]
}

/**
 * Hardware that knows no supervisor. Run it and its own CPUs execute; or put VMs on it.
 *
 * `Given` names the capabilities it is known to have: `Machine<'vmx'>` is a machine with VT-x, plain `Machine` is any.
 */
export class Machine<in Given extends Capability = never> extends System<Given> {
  readonly #vms: System[] = []

  /** The VMs on it, in the order in which they were made. */
  get vms(): readonly System[] {
    return this.#vms
  }

  /** For `createVm`: the VM is disposed with the machine, and forgotten when it is disposed before. */
  host(vm: System): Disposable {
    this.#vms.push(vm)
    return {
      [Symbol.dispose]: () => {
        if (this.#vms.includes(vm)) this.#vms.splice(this.#vms.indexOf(vm), 1)
      },
    }
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    for (const vm of this.#vms.toReversed()) await vm[Symbol.asyncDispose]()
    await super[Symbol.asyncDispose]()
  }

  override [Symbol.dispose](): void {
    for (const vm of this.#vms.toReversed()) vm[Symbol.dispose]()
    super[Symbol.dispose]()
  }
}

/** What the machine of `M` is known to have. */
export type MachineOf<M extends MachineParts> = Machine<GivenBy<M> | SystemCapability>

/** @internal */
export type CheckedMachine<M extends object> = Checked<M, typeof machineFrame>

/**
 * What the compiler says about the parts of a machine: its messages, or never. For tests of types:
 * `expectTypeOf<MachineProblems<{ memory: …; cpu: … }>>().toEqualTypeOf<'✗ …'>()`.
 */
export type MachineProblems<M extends object> = ProblemsOf<CheckedMachine<M>>

/**
 * Composes hardware. What does not fit together is a compile error that says what to do: a missing need, something
 * given twice, a conflict, a part in the wrong slot. Parts that the compiler cannot see (typed as plain `Part`, or in a
 * list of unknown length) are checked here, with the same words in a `CompositionError`.
 */
export async function createMachine<const M extends MachineParts>(
  parts: M & CheckedMachine<M>,
  options: SystemOptions = {},
): Promise<MachineOf<M>> {
  const system = new Map<string, unknown>(Object.entries(createServices(options)))
  const composition = await compose(machineFrame, parts as Composed, system)
  return new Machine(composition, options)
}
