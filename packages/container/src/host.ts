/**
 * A kernel that runs containers, beside other work of the host's: it runs as long as some of their programs do, and is awake when one of
 * them has something to do.
 */

import { createKernel, type Host, type KernelOptions, type LinuxKernel, runKernel } from '@vmexit/linux'
import { type ContainerEvent, type ContainerListener, Listeners } from './events.ts'

/** What a host is made with: a kernel's options, or a kernel. */
export interface ContainerHostOptions extends Omit<KernelOptions, 'root' | 'hostname'> {
  /** A kernel that there is already. Nobody else steps it. */
  readonly kernel?: LinuxKernel
  /**
   * How it runs beside other work: see `Host` of `@vmexit/linux`; `came` resolves when something has come from outside. Unless stated
   * the event loop has its turn after each slice, and idle time passes at once: a program that sleeps is awake again without delay.
   */
  readonly pace?: (came: () => Promise<void>) => Host
}

/** What {@link ContainerHost.settle} waits for: turns, and virtual nanoseconds of each. */
const MOST_TURNS = 1000
const TURN = 1e6

/** A kernel for containers; several of them share its memory, its CPU and the layers of their images. */
export class ContainerHost {
  readonly kernel: LinuxKernel
  /** Whether idle time is somebody's to let pass: then it waits for what is outside of the kernel. */
  readonly isPaced: boolean
  readonly #host: Host
  readonly #watching = new Set<(error: unknown) => void>()
  readonly #listeners = new Listeners()
  #isRunning = false
  /** The end of the run that there is, or of the last one. */
  #running: Promise<void> = Promise.resolve()
  #hasCome = false
  #tell: (() => void) | undefined
  #numbers = 0

  constructor({ kernel, pace = atOnce, ...options }: ContainerHostOptions = {}) {
    this.kernel = kernel ?? createKernel(options)
    this.isPaced = pace !== atOnce
    this.#host = pace(() => this.#came())
  }

  /** A number that no other container of it has. */
  nextNumber(): number {
    return ++this.#numbers
  }

  /** Something has come from outside: a program, a signal, bytes to read. */
  wake(): void {
    // (It stays so until somebody asks: who waits may have gone on by the clock, and not be at #came again yet.)
    this.#hasCome = true
    this.#tell?.()
    this.#tell = undefined
    if (this.#isRunning) return
    this.#isRunning = true
    this.#running = this.#run()
  }

  /** Tells what happens to its containers from now on; answers what ends that. */
  onEvent(listener: ContainerListener): () => void {
    return this.#listeners.add(listener)
  }
  /** @internal Something has happened to a container. */
  tell(event: ContainerEvent): void {
    this.#listeners.tell(event)
  }

  /** Tells of an error of the kernel itself, which ends all that runs; answers what ends that. */
  onFailure(failed: (error: unknown) => void): () => void {
    this.#watching.add(failed)
    return () => this.#watching.delete(failed)
  }

  /** Lets time pass, a second of it at most, until nothing is on its way any more: also when no program runs. */
  async settle(isBusy: () => boolean): Promise<void> {
    const { kernel } = this
    const { clock } = kernel.network
    for (let turns = 0; turns < MOST_TURNS && isBusy(); turns++) {
      if (this.#isRunning) {
        let timer: Disposable | undefined
        const passed = new Promise<void>((done) => {
          timer = clock.after(clock.ticks(TURN), () => done())
        })
        this.wake()
        await Promise.race([passed, this.#running])
        timer?.[Symbol.dispose]()
      } else {
        const left = Math.min(kernel.timers.next - kernel.now, TURN)
        if (this.#host.wait === undefined) await turn()
        const passed = Math.min(left, (await this.#host.wait?.(left)) ?? left)
        // Somebody may have started a program.
        if (this.#isRunning) continue
        kernel.skipTo(kernel.now + passed)
        kernel.step(1)
      }
    }
  }

  async #run(): Promise<void> {
    try {
      // Whoever starts a program has it before it runs.
      await this.#host.pause()
      // What comes while the last program ends is looked after as well.
      do {
        this.#hasCome = false
        await runKernel(this.kernel, this.#host)
      } while (this.#hasCome)
    } catch (error) {
      for (const failed of [...this.#watching]) failed(error)
    } finally {
      this.#isRunning = false
    }
  }

  #came(): Promise<void> {
    if (this.#hasCome) {
      this.#hasCome = false
      return Promise.resolve()
    }
    return new Promise((done) => {
      this.#tell = done
    })
  }
}

/** So often may a program wait for what comes at once before the event loop has its turn. */
const MOST_WAITS = 16

function atOnce(came: () => Promise<void>): Host {
  let waits = 0
  return {
    pause: turn,
    wait: async (nanoseconds) => {
      if (Number.isFinite(nanoseconds)) {
        await turn()
        return nanoseconds
      }
      await came()
      // Whoever reads all that a program prints has what it waits for come again and again without the event loop.
      waits = (waits + 1) % MOST_WAITS
      if (waits === 0) await turn()
      return 0
    },
  }
}

/** The event loop has its turn. */
function turn(): Promise<void> {
  return new Promise((done) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      done()
    }
    port2.postMessage(0)
  })
}
