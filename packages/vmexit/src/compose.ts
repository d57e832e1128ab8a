/** A PC composed: the same chips on a bare machine, or in a VM on one. */
import { applyBoot } from '@vmexit/boot'
import { createMachine, createVm, type Machine, type Part, type System } from '@vmexit/core'
import { engineNamed } from '@vmexit/jit'
import { ram } from '@vmexit/memory'
import { type CpuModel, createModel, type Engine, type EngineChoice, x86 } from '@vmexit/x86'
import { pcChips } from './chips.ts'
import { loaderOf } from './loader.ts'
import type { PcBoot, PcHardware, PcOptions } from './options.ts'
import { Pc } from './pc.ts'
import { plainCpu } from './pc-cpu.ts'
import { hardwareOf, planOf, type VmPlan } from './plan.ts'

/**
 * A slow clock for a fast CPU: kernels wait by counting, and count as long as the clock says. From its decompressed entry to
 * /init, Debian's kernel takes 3.4 s of the host at 250 million instructions a second, and 2.8 s at this rate.
 */
const defaultFrequency = 100_000_000
const defaultMemory = '128 MiB'
/** The JIT where there is WebAssembly. */
const fastest: Engine = typeof WebAssembly === 'undefined' ? 'reference' : 'jit'

/** Bytes of a machine that nothing of its VMs takes: what is below 1 MiB. */
const machineOwn = 1 << 20

/**
 * Composes a PC and puts what it boots into its memory: a bare machine, or with a `technique` other than `native` a VM on
 * a machine of its own. Throws a `VmexitError`: of whatever is wrong with an option or an image, by name.
 */
export async function createPc(options: PcOptions): Promise<Pc> {
  const plan = planOf(options)
  if (plan === undefined) return await createNativePc(options)
  const engine = engineOf(options.engine)
  const machine = await createHost({ bytes: plan.machineBytes, cpu: plan.row.hardware(engine), ...options })
  try {
    return await createPcOn(machine, options, plan, { engine, owns: machine })
  } catch (error) {
    await machine[Symbol.asyncDispose]()
    throw error
  }
}

/** A machine for VMs that take so many bytes of it. */
export async function createHost(host: {
  readonly bytes: number
  readonly cpu: Part
  readonly frequency?: number | undefined
}): Promise<Machine> {
  const memory = ram(Math.ceil((machineOwn + host.bytes) / 4096) * 4096)
  return await createMachine({ memory, cpu: host.cpu, devices: [] }, { frequency: host.frequency ?? defaultFrequency })
}

/** How a VM-PC stands on its machine. */
export interface Standing {
  readonly engine: EngineChoice
  /** What ends with the PC: its own machine, or only the VM. */
  readonly owns?: Machine
}

/** A PC that is a VM on `machine`. */
export async function createPcOn(
  machine: Machine,
  options: PcHardware & PcBoot,
  plan: VmPlan,
  { engine, owns }: Standing,
): Promise<Pc> {
  const hardware = hardwareOf(options, plan)
  const chips = pcChips(hardware, () => vm)
  const { row, mmu } = plan
  const vm = await createVm(
    machine,
    {
      memory: row.memory(options.memory ?? defaultMemory),
      execution: row.execution(modelOf(options), engine),
      ...(mmu && { mmu: mmu.row.part(mmu.pages) }),
      devices: chips.parts,
    },
    { frequency: options.frequency ?? defaultFrequency },
  )
  try {
    const booted = bootOn(vm, hardware, chips.display()?.describe())
    const { technique } = plan
    return new Pc({
      ...pcParts(chips, options),
      ...booted,
      machine,
      vm,
      owns: owns ?? vm,
      cpu: row.cpu(vm),
      technique,
      mmu: mmu?.name,
    })
  } catch (error) {
    await vm[Symbol.asyncDispose]()
    throw error
  }
}

async function createNativePc(options: PcHardware & PcBoot): Promise<Pc> {
  const chips = pcChips(options, () => machine)
  const machine = await createMachine(
    {
      memory: ram(options.memory ?? defaultMemory),
      cpu: x86({ engine: engineOf(options.engine), model: modelOf(options) }),
      devices: chips.parts,
    },
    { frequency: options.frequency ?? defaultFrequency },
  )
  const booted = bootOn(machine, options, chips.display()?.describe())
  const whole = { machine, vm: undefined, owns: machine, cpu: plainCpu(machine) }
  return new Pc({ ...pcParts(chips, options), ...booted, ...whole, technique: 'native', mmu: undefined })
}

/** An engine as a CPU takes it. */
export function engineOf(engine: PcHardware['engine'] = fastest): EngineChoice {
  return typeof engine === 'string' ? engineNamed(engine) : engine
}

function modelOf({ model = 'pentium-m', interruptController = 'apic', vmx = false }: PcHardware): CpuModel {
  const features = { ...(interruptController !== 'apic' && { apic: false }), ...(vmx && { vmx: true }) }
  return createModel(model, { features, ...(typeof vmx === 'object' && { vmx }) })
}

function bootOn(system: System, options: PcHardware & PcBoot, screen: Parameters<typeof loaderOf>[1]) {
  const memory = system.find('guestMemory')!
  const cpu = system.find('x86')!
  const bootImage = loaderOf(options, screen)(memory)
  const boot = () => applyBoot(bootImage, { memory, cpu })
  boot()
  return { bootImage, boot }
}

function pcParts(chips: ReturnType<typeof pcChips>, { model = 'pentium-m' }: PcHardware) {
  return {
    console: chips.console,
    keyboard: chips.keyboard(),
    exitPort: chips.exitPort(),
    power: chips.power(),
    post: chips.post(),
    screen: chips.display()?.screen,
    model,
    firmwareLog: chips.firmwareLog,
  }
}
