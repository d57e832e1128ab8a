/**
 * Software emulation as a part of a VM. The VMM keeps a virtual CPU in memory of its own; it fetches, decodes and executes every
 * instruction of the guest on that, and walks the guest's page tables itself. The machine's CPU never sees the guest.
 */
import { type Capabilities, definePart, type Need, need, type PartOf, type State, VmexitError } from '@vmexit/core'
import '@vmexit/vmm'
import { Cpu, type CpuModel, declareCpuCounters, portSpaceOf } from '@vmexit/x86'

/**
 * How the interpreter works: `reference` decodes each instruction each time it comes; `interpreter` keeps what it has decoded. Neither
 * translates: that would be another technique.
 */
export type EmulationEngine = 'reference' | 'interpreter'

/** Options of {@link softwareEmulation}. */
export interface SoftwareEmulationOptions {
  /** What the guest finds by CPUID. Default: that of a PC, without VMX. */
  readonly model?: CpuModel
  /** Default `interpreter` where there is WebAssembly, else `reference`. */
  readonly engine?: EmulationEngine
}

/** What `vm.of(part)` gives. */
export interface SoftwareEmulation {
  readonly cpu: Cpu
  /** The virtual CPU: a state that the VMM interprets. */
  readonly x86: Cpu
  save(): State
  restore(state: State): void
  reset(): void
}

/** What it needs of the VM. */
export type SoftwareEmulationNeeds =
  | Need<'guestMemory', 'use memory: ram(size) of @vmexit/memory'>
  | 'ports'
  | 'clock'
  | 'counters'
/** What it cannot stand beside. */
export type SoftwareEmulationConflicts = Need<'mmu', 'leave mmu out: the VMM walks the guest’s tables itself'>
/** The part that {@link softwareEmulation} makes. */
export type SoftwareEmulationPart = PartOf<
  'software-emulation',
  SoftwareEmulationNeeds,
  'cpu',
  Pick<Capabilities, 'cpu' | 'x86'>,
  SoftwareEmulationConflicts,
  SoftwareEmulation
>

/**
 * The VMM executes every instruction of the guest. Works on any machine, whatever its CPU can do; the price is that each instruction
 * costs the VMM many. Building throws a `VmexitError` `emulation-engine` for an engine that is no interpreter.
 */
export function softwareEmulation(options: SoftwareEmulationOptions = {}): SoftwareEmulationPart {
  return definePart({
    name: 'software-emulation',
    needs: [need('guestMemory', 'use memory: ram(size) of @vmexit/memory'), 'ports', 'clock', 'counters'],
    // The VMM is a program: any CPU will do for it.
    hardware: ['cpu'],
    gives: ['cpu', 'x86'],
    conflicts: [need('mmu', 'leave mmu out: the VMM walks the guest’s tables itself')],
    build({ guestMemory, ports, clock, counters }): SoftwareEmulation {
      const { model, engine } = options
      const cpu = new Cpu({
        memory: guestMemory,
        ports: portSpaceOf(ports),
        time: () => clock.now,
        ...(model && { model }),
        ...(engine && { engine: mustInterpret(engine) }),
      })
      counters.derive('emulated', 'Instructions that the VMM executed for the guest', () => cpu.retired)
      declareCpuCounters(counters, cpu)
      return {
        cpu,
        x86: cpu,
        save: () => cpu.save(),
        restore: (state) => cpu.restore(state as Parameters<Cpu['restore']>[0]),
        reset: () => cpu.reset(),
      }
    },
  })
}

/** For callers that the compiler has not seen. @throws VmexitError `emulation-engine`. */
function mustInterpret(engine: EmulationEngine): EmulationEngine {
  if (engine === 'reference' || engine === 'interpreter') return engine
  throw new VmexitError('emulation-engine', {
    problem: `the interpreter of software emulation cannot be ${typeof engine === 'string' ? engine : 'a translator'}`,
    remedy:
      "use softwareEmulation({ engine: 'interpreter' }) or 'reference': one that translates is binary translation",
  })
}
