/** A PC that is composed, booted and run as one thing. */
import type { BootImage } from '@vmexit/boot'
import type { AcpiPowerApi, ExitPortApi, KeyboardControllerApi, PostPortApi } from '@vmexit/chipset'
import {
  type Counts,
  checkState,
  type Machine,
  type State,
  type Stop,
  type SystemState,
  type Vm,
  VmexitError,
} from '@vmexit/core'
import type { Screen } from '@vmexit/vga'
import type { Cpu, Engine, GeneratedStats, ModelName } from '@vmexit/x86'
import { digestOf } from './boot-digest.ts'
import type { Console } from './console.ts'
import type { PcCpu, Position, VmExit } from './pc-cpu.ts'
import { type PcStop, reasonOf } from './stop.ts'
import type { TechniqueName } from './techniques.ts'

/** A saved PC. */
export type PcState = {
  readonly version: 1
  /** What was booted, as a number. */
  readonly booted: number
  /** What the guest sees: the machine, or the VM without the machine below it. */
  readonly machine: SystemState
}

/** What a {@link Pc} holds. */
export interface PcParts {
  readonly machine: Machine
  readonly vm: Vm | undefined
  /** What ends with the PC. */
  readonly owns: Machine | Vm
  readonly cpu: PcCpu
  readonly technique: TechniqueName
  readonly mmu: string | undefined
  readonly console: Console
  readonly keyboard: Pick<KeyboardControllerApi, 'press' | 'release' | 'move'>
  readonly exitPort: ExitPortApi
  readonly power: AcpiPowerApi
  readonly post: PostPortApi
  readonly screen: Screen | undefined
  readonly bootImage: BootImage
  readonly boot: () => void
  readonly model: ModelName
  readonly firmwareLog: () => Uint8Array
}

/** How a PC is run. */
export interface PcRunOptions {
  /** Stops the run, which then returns `aborted` and can be continued. */
  readonly signal?: AbortSignal | undefined
  /** At most so many instructions. */
  readonly instructions?: number | undefined
  /** At most until this virtual time, in seconds since power-on. */
  readonly until?: number | undefined
  /** Instructions between two turns of the host, 1,000,000 unless stated: fewer for a page that must answer meanwhile. */
  readonly slice?: number | undefined
  /**
   * What happens while the guest idles. `sleep` (unless stated): the host sleeps until the next event. `skip`: virtual
   * time goes on to it at once, and only inputs are waited for. `return`: the same, and the run returns where only an
   * input can go on.
   */
  readonly idle?: 'sleep' | 'skip' | 'return' | undefined
  /** The host's clock in milliseconds, such as `() => performance.now()`: virtual seconds last as long as real ones. */
  readonly realTime?: (() => number) | undefined
  /** What a reset by the guest does: `reboot` (unless stated), or `stop`. */
  readonly onReset?: 'reboot' | 'stop' | undefined
  /** Called after slices of a few milliseconds: a place to show progress. If it returns a promise, the guest waits for it. */
  readonly onSlice?: (() => PromiseLike<void> | void) | undefined
}

/** A PC. Disposing it ends its streams. */
export class Pc implements AsyncDisposable {
  /** What the guest sees: buses, clock, counters, parts. The machine, or the VM. */
  readonly system: Machine | Vm
  /** The hardware: what the guest sees, or what the VM runs on. */
  readonly machine: Machine
  /** How the guest shares the machine. */
  readonly technique: TechniqueName
  /** How a VM's page tables are followed, where that is a strategy of its own. */
  readonly mmu: string | undefined
  /** The first serial port. */
  readonly console: Console
  /** Keys by their `KeyboardEvent.code`, and the mouse. */
  readonly keyboard: Pick<KeyboardControllerApi, 'press' | 'release' | 'move'>
  /** What the display shows; undefined if there is none. */
  readonly screen: Screen | undefined
  /** What was booted, and where it went. */
  readonly bootImage: BootImage
  /** What CPUID says. */
  readonly model: ModelName
  readonly #owns: Machine | Vm
  readonly #cpu: PcCpu
  readonly #firmwareLog: () => Uint8Array
  readonly #boot: () => void
  readonly #exitPort: ExitPortApi
  readonly #power: AcpiPowerApi
  readonly #post: PostPortApi

  /** @internal */
  constructor(parts: PcParts) {
    this.system = parts.vm ?? parts.machine
    this.machine = parts.machine
    this.technique = parts.technique
    this.mmu = parts.mmu
    this.#owns = parts.owns
    this.#cpu = parts.cpu
    this.console = parts.console
    this.keyboard = parts.keyboard
    this.screen = parts.screen
    this.bootImage = parts.bootImage
    this.#boot = parts.boot
    this.model = parts.model
    this.#firmwareLog = parts.firmwareLog
    this.#exitPort = parts.exitPort
    this.#power = parts.power
    this.#post = parts.post
  }

  /** Runs until the guest powers off, or something else stops it. Throws what `system.run` throws. */
  async run(options: PcRunOptions = {}): Promise<PcStop> {
    const { signal, slice, idle = 'sleep', realTime, onReset = 'reboot', onSlice } = options
    const { system } = this
    const until = options.until === undefined ? undefined : options.until * system.get('clock').frequency
    const afterSlice = () => {
      const held = [this.console.flush(), onSlice?.()].filter((promise) => promise !== undefined)
      return held.length > 0 ? unlessAborted(Promise.all(held), signal) : undefined
    }
    let retired = 0
    for (;;) {
      const instructions = options.instructions === undefined ? undefined : options.instructions - retired
      if (instructions === 0) return this.#stopOf({ reason: 'instructions' }, retired)
      const limits = { signal, slice, until, instructions }
      const stop = await system.run({ ...limits, sleep: idle === 'sleep', realTime, onSlice: afterSlice })
      retired += stop.retired
      if (stop.reason === 'reset' && onReset === 'reboot') this.reset()
      else if (stop.reason === 'idle' && idle !== 'return' && this.#cpu.interruptible())
        await system.get('input').arrival(signal)
      else return this.#stopOf(stop, retired)
    }
  }

  /** Presses the reset button: what was booted is booted again. Time and counts go on. */
  reset(): void {
    this.system.reset()
    this.#boot()
  }

  /** How the CPU that executes the guest is made fast. */
  get engine(): Engine {
    return this.#cpu.executes.engine
  }
  /** What its engine has generated and translated: of the host's work, never part of a count. */
  get generated(): GeneratedStats | undefined {
    return this.#cpu.executes.generated
  }

  /** Where the guest's CPU is. */
  get position(): Position {
    return this.#cpu.position()
  }

  /**
   * A CPU that has the guest's registers, between two runs: they are for reading. Of a VM they are taken out of the hardware, which counts
   * as an exit there.
   */
  inspectCpu(): Cpu {
    return this.#cpu.inspect()
  }

  /**
   * Has each exit of the guest told as it happens, until what is returned is disposed of; the latest watcher alone. Guests that own the
   * machine, and those that a VMM interprets, never leave.
   */
  watchExits(watch: (exit: VmExit) => void): Disposable {
    return this.#cpu.watchExits?.(watch) ?? { [Symbol.dispose]: () => {} }
  }

  /** The last code that the guest wrote to a diagnostic port: 0x80, 0x84 or 0x190; 0 if it wrote none. */
  postCode(port?: 0x80 | 0x84 | 0x190): number {
    return this.#post.code(port)
  }

  /** What the guest has printed to the debug console and, if it is SeaBIOS, to its own debug port. */
  get firmwareLog(): Uint8Array {
    return this.#firmwareLog()
  }

  /** What the guest's machine has counted so far, by name; of a VM also what its VMM has. */
  get counts(): Counts {
    return this.system.get('counters').snapshot()
  }

  /** What the hardware has counted: of a bare machine the same, of a VM what the machine below did, for all VMs on it. */
  get machineCounts(): Counts {
    return this.machine.get('counters').snapshot()
  }

  /** Presses the power button: an operating system with ACPI shuts down. */
  pressPowerButton(): void {
    this.#power.pressPowerButton()
  }

  /** The state between two runs; of disks only overlays are in it. */
  save(): PcState {
    return { version: 1, booted: digestOf(this.bootImage), machine: this.system.save() }
  }

  /** Goes on from what was saved of a PC of the same options. Throws a {@link VmexitError} `state-mismatch` for another. */
  restore(state: State): void {
    const { booted, machine } = checkState('a PC', state as PcState, {
      version: 1,
      booted: 0,
      machine: {} as SystemState,
    })
    if (booted !== digestOf(this.bootImage)) {
      throw new VmexitError('state-mismatch', {
        problem: 'the saved state is of a PC that has booted something else',
        remedy: `boot what was booted then; here it is ${this.bootImage.title}`,
      })
    }
    this.system.restore(machine)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.console.end()
    await this.#owns[Symbol.asyncDispose]()
  }

  #stopOf(stop: Pick<Stop, 'reason' | 'exit'>, instructions: number): PcStop {
    const { now, frequency } = this.system.get('clock')
    return {
      reason: reasonOf(stop, this.#cpu.interruptible()),
      exitCode: this.#exitPort.code,
      instructions,
      seconds: now / frequency,
    }
  }
}

/** Waits for the promise or for the signal. */
async function unlessAborted(waiting: Promise<unknown>, signal: AbortSignal | undefined): Promise<void> {
  if (signal?.aborted) return
  await new Promise<void>((resolve, reject) => {
    const done = () => {
      signal?.removeEventListener('abort', done)
      resolve()
    }
    signal?.addEventListener('abort', done)
    waiting.then(done, reject)
  })
}
