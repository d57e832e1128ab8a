/** Virtual machines: a guest's machine, made of a strategy and virtual chips, on a machine. */
import type { Capability, SystemCapability } from './capabilities.ts'
import type { Checked, GivenBy, ProblemsOf } from './check.ts'
import { type Composition, compose } from './compose.ts'
import { vmFrame } from './frame.ts'
import type { Machine } from './machine.ts'
import type { Part } from './part.ts'
import type { Composed } from './problems.ts'
import { createServices, System, type SystemOptions } from './system.ts'

/** What a VM is composed of. */
export interface VmParts {
  /** What the guest takes for memory; gives `memory`. */
  readonly memory?: Part
  /** How the guest's instructions are executed; gives `cpu`, the virtual one, and `cpus` if there are several. */
  readonly execution: Part
  /** How the guest's page tables are followed; gives `mmu`. */
  readonly mmu?: Part
  /** Virtual chips: the same parts as a machine's, on the VM's own buses. */
  readonly devices?: readonly Part[]
  /** What is run: loads itself into the VM's memory. */
  readonly guest?: Part
}

/** A VM. It has buses, a clock, counters and an input gate of its own; its time is counted in the guest's instructions. */
export class Vm<in Given extends Capability = never> extends System<Given> {
  /** What it runs on. */
  readonly machine: Machine
  readonly #place: Disposable

  constructor(machine: Machine, composition: Composition, options: SystemOptions) {
    super(composition, options)
    this.machine = machine
    this.#place = machine.host(this)
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    this.#place[Symbol.dispose]()
    await super[Symbol.asyncDispose]()
  }

  override [Symbol.dispose](): void {
    super[Symbol.dispose]()
    this.#place[Symbol.dispose]()
  }
}

/** What the VM of `P` is known to have. */
export type VmOf<P extends VmParts> = Vm<GivenBy<P> | SystemCapability>

/** @internal */
export type CheckedVm<P extends object, Hardware> = Checked<P, typeof vmFrame, Hardware | SystemCapability>

/** What the compiler says about the parts of a VM on a machine that has `Hardware`; see `MachineProblems`. */
export type VmProblems<P extends object, Hardware extends Capability = never> = ProblemsOf<CheckedVm<P, Hardware>>

/**
 * Composes a VM on a machine. Checked as `createMachine` is; needs of the *machine* (`hardware` of a part) are checked
 * against what `machine` is known to have.
 */
export async function createVm<const P extends VmParts, Hardware extends Capability>(
  machine: Machine<Hardware>,
  parts: P & CheckedVm<P, Hardware>,
  options: SystemOptions = {},
): Promise<VmOf<P>> {
  const system = new Map<string, unknown>(Object.entries(createServices(options)))
  const composition = await compose(vmFrame, parts as Composed, system, machine.capabilities)
  return new Vm(machine, composition, options)
}
