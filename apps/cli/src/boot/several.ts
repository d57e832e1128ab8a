/**
 * Several equal PCs as VMs on one machine, in one process: `vmexit boot --vms`. What they print is told apart by their
 * names.
 */
import { VmexitError } from '@vmexit/core'
import { createHypervisor, hypervisorMemory, type Pc, type PcStop, type VmPcOptions } from '@vmexit/vmexit'
import { exitCodeOfStop, wordOfStop } from './ending.ts'
import type { BootFlags } from './flags.ts'
import { tuneHost } from './host.ts'
import { LinePrefix } from './line-prefix.ts'
import { dashed, pcOptions } from './pc-options.ts'

/** VMs that are ready to run. Disposing them disposes the machine. */
export interface Several extends AsyncDisposable {
  readonly vms: readonly { readonly name: string; readonly pc: Pc }[]
  /**
   * Runs until all have ended, or until the signal. `print` takes whole lines; if it returns a promise, all wait for
   * it.
   */
  run(signal: AbortSignal, print: (bytes: Uint8Array) => Promise<void> | void): Promise<SeveralEnd>
}

export interface SeveralEnd {
  /** Of the first VM that has another one than 0; else 0. */
  readonly exitCode: number
  /** A line for each VM whose end is not what one would expect. */
  readonly words: readonly string[]
}

/** What is of one guest with a console, a screen and a time. */
const ofOne: readonly (keyof BootFlags)[] = [
  'json',
  'save',
  'restore',
  'screenshot',
  'firmwareLog',
  'until',
  'realtime',
  'vmx',
]

/**
 * Opens them. Throws a {@link VmexitError} `boot-options` for flags that do not go together, and whatever else is wrong
 * with them.
 */
export async function openSeveral(flags: BootFlags): Promise<Several> {
  check(flags)
  const { vms: count = 1, weights } = flags
  const options: VmPcOptions[] = []
  for (let i = 0; i < count; i++) options.push((await pcOptions(flags)) as VmPcOptions)
  if (flags.engine === 'jit') tuneHost()
  const memory = hypervisorMemory(options)
  const hypervisor = await createHypervisor({ memory, engine: (options[0] as { engine?: 'jit' }).engine })
  try {
    const vms: { readonly name: string; readonly pc: Pc }[] = []
    for (const [i, each] of options.entries()) {
      vms.push({ name: `vm${i + 1}`, pc: await hypervisor.createPc({ ...each, weight: weights?.[i] }) })
    }
    return {
      vms,
      run: async (signal, print) => {
        const lines = Promise.all(vms.map((vm) => printLines(vm, print)))
        const stops = await hypervisor.run({ signal, instructions: flags.instructions })
        for (const { pc } of vms) pc.console.end()
        await lines
        return endOf(vms.map((vm) => ({ ...vm, stop: stops.get(vm.pc) })))
      },
      [Symbol.asyncDispose]: () => hypervisor[Symbol.asyncDispose](),
    }
  } catch (error) {
    await hypervisor[Symbol.asyncDispose]()
    throw error
  }
}

/** A guest waits while much of what it has printed is not taken. */
async function printLines(
  { name, pc }: { readonly name: string; readonly pc: Pc },
  print: (bytes: Uint8Array) => Promise<void> | void,
): Promise<void> {
  const prefix = new LinePrefix(name)
  for await (const bytes of pc.console.readable) await print(prefix.lines(bytes))
  await print(prefix.rest())
}

function endOf(
  vms: readonly { readonly name: string; readonly pc: Pc; readonly stop: PcStop | undefined }[],
): SeveralEnd {
  const codes = vms.map(({ stop }) => (stop === undefined ? 0 : exitCodeOfStop(stop)))
  const words = vms.flatMap(({ name, pc, stop }) => {
    const word = stop && wordOfStop(stop, pc, 'interrupted')
    return word === undefined ? [] : [`${name}: ${word}`]
  })
  return { exitCode: codes.find((code) => code !== 0) ?? 0, words }
}

function check(flags: BootFlags): void {
  const { vms: count, weights, technique } = flags
  const given = ofOne
    .filter((flag) => flags[flag] !== undefined && flags[flag] !== false)
    .map((flag) => `--${dashed(flag)}`)
  const problems: string[] = given.length > 0 ? [`${given.join(', ')} is of one guest, and --vms has several`] : []
  if (technique === 'native') problems.push('technique native hands the whole machine to one guest')
  if (weights !== undefined && weights.length !== count)
    problems.push(`there are ${weights.length} weights for ${count} VMs`)
  if ((flags.disk ?? flags.floppy) !== undefined && !flags.snapshot)
    problems.push('several guests would write to the same disk images (--snapshot keeps what each writes in memory)')
  if (problems.length === 0) return
  throw new VmexitError('boot-options', {
    problem: problems.join('; '),
    remedy: 'leave out what does not go with --vms, or boot the guests one by one, with --detach',
  })
}
