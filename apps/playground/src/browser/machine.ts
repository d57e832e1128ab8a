/** The machine's end of the port: makes a PC, runs it, and reports. It knows neither the page nor whether it is in a worker. */
import { cdImage, Overlay, rawImage } from '@vmexit/block'
import { createPc, type Pc, type PcOptions, type VmExit } from '@vmexit/vmexit'
import { isMultiboot } from './file-kinds.ts'
import { pagingView } from './paging-view.ts'
import { problemOf } from './problem.ts'
import type { Figures, Report, Request, Setup } from './protocol.ts'

/** Milliseconds between two reports of figures. */
const figuresEvery = 250

/** Exits that are kept for a report. */
const loggedExits = 200

/** Bytes of output that may be on their way to the screen before the guest waits. */
const outputUnderWay = 1 << 18

/** Serves one machine to whoever has the other end of the port, until it is told to stop. */
export function serve(port: MessagePort): void {
  const send = (report: Report) => port.postMessage(report)
  let machine: Machine | undefined
  let stopped = false
  port.onmessage = async ({ data: request }: MessageEvent<Request>) => {
    if (request.type !== 'start') {
      stopped ||= request.type === 'stop'
      machine?.take(request)
      return
    }
    try {
      await using pc = await createPc(optionsOf(request.setup))
      if (stopped) return
      machine = new Machine(pc, request.setup.slice, send)
      await machine.run()
    } catch (error) {
      send({ type: 'problem', problem: problemOf(error) })
    } finally {
      machine = undefined
      port.close()
    }
  }
}

function optionsOf({ files, append, engine, memory, way }: Setup): PcOptions {
  if ('kernel' in files) {
    const { kernel, initrd } = files
    if (!isMultiboot(kernel)) return { kernel, initrd, append, engine, memory, ...way }
    const modules = initrd && [{ bytes: initrd }]
    // (Such kernels know the 8259 at the least.)
    return { multiboot: kernel, modules, append, engine, memory, interruptController: 'pic', ...way }
  }
  const { bios, vgaBios, disk, cd } = files
  return {
    ...{ bios, vgaBios, engine, memory, ...way },
    disks: disk && [new Overlay(rawImage(disk))],
    cd: cd && cdImage(cd),
  }
}

/** A PC that runs, and what it is asked meanwhile. */
class Machine {
  readonly #pc: Pc
  readonly #slice: number
  readonly #send: (report: Report) => void
  #control = new AbortController()
  #asked: 'reset' | 'stop' | undefined
  #underWay = 0
  #exits: VmExit[] = []
  #shown: (() => void) | undefined

  constructor(pc: Pc, slice: number, send: (report: Report) => void) {
    this.#pc = pc
    this.#slice = slice
    this.#send = send
  }

  /** Runs until the guest powers off or a stop is asked for. A guest that halted for good can be reset. */
  async run(): Promise<void> {
    using _exits = this.#pc.watchExits((exit) => this.#log(exit))
    using _output = this.#pc.console.onOutput((bytes) => this.#print(bytes))
    const timer = setInterval(() => this.#sendFigures(), figuresEvery)
    try {
      while (this.#asked !== 'stop') {
        this.#asked = undefined
        this.#control = new AbortController()
        this.#send({ type: 'running' })
        const { signal } = this.#control
        const { reason, exitCode } = await this.#pc.run({ signal, slice: this.#slice, onSlice: () => this.#room() })
        if (this.#asked === undefined) {
          this.#sendFigures()
          this.#send({ type: 'ended', reason, exitCode, at: positionOf(this.#pc) })
          if (reason === 'off') return
          await aborted(signal)
        }
        if (this.#asked === 'reset') this.#pc.reset()
      }
    } finally {
      clearInterval(timer)
    }
  }

  /** Does what is asked. No CPU runs meanwhile: a message comes in a turn that the run has given. */
  take(request: Exclude<Request, { readonly type: 'start' }>): void {
    switch (request.type) {
      case 'input':
        this.#pc.console.write(request.text)
        break
      case 'shown':
        this.#underWay -= request.bytes
        if (this.#underWay <= outputUnderWay) this.#shown?.()
        break
      case 'look':
        this.#send({ type: 'paging', view: pagingView(this.#pc, request.linear) })
        break
      case 'press-power-button':
        this.#pc.pressPowerButton()
        break
      default:
        this.#asked = request.type
        this.#control.abort()
    }
  }

  #log(exit: VmExit): void {
    this.#exits.push(exit)
    if (this.#exits.length >= 2 * loggedExits) this.#exits = this.#exits.slice(-loggedExits)
  }

  #print(bytes: Uint8Array): void {
    this.#underWay += bytes.length
    this.#send({ type: 'output', bytes: Uint8Array.from(bytes) })
  }

  /** What the guest waits for, if it prints faster than the screen shows. */
  #room(): Promise<void> | undefined {
    if (this.#underWay <= outputUnderWay) return undefined
    return new Promise((resolve) => {
      this.#shown = resolve
    })
  }

  #sendFigures(): void {
    const { counts, technique, machineCounts } = this.#pc
    const machine = technique === 'vtx' ? machineCounts : undefined
    const { now, frequency } = this.#pc.system.get('clock')
    const idleSeconds = (counts['idle-ticks'] ?? 0) / frequency
    const figures: Figures = {
      at: performance.now(),
      seconds: now / frequency,
      idleSeconds,
      counts,
      machine,
      exits: this.#exits.slice(-loggedExits),
    }
    this.#exits = []
    this.#send({ type: 'figures', figures })
  }
}

/** Where the CPU is, as people write it. */
function positionOf({ position: { cs, ip } }: Pc): string {
  return `${cs.toString(16).padStart(4, '0')}:${ip.toString(16).padStart(8, '0')}`
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve())
  })
}
