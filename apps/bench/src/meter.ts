/** Takes the time between the marks that the guest sends over its serial port (`guest/bench.c`). */

/** One run of one kernel. */
export interface Sample {
  readonly kernel: string
  /** What the kernel computed, in hexadecimal. */
  readonly checksum: string
  /** Processor time of the whole process, in milliseconds. */
  readonly cpuMs: number
  /** Instructions retired; 0 where the system does not say exactly. */
  readonly instructions: number
}

const MINUS = '-'.charCodeAt(0)
const NEWLINE = '\n'.charCodeAt(0)

/** Gathers samples until there are as many as are `wanted`. `clock` gives milliseconds. */
export class Meter {
  readonly samples: Sample[] = []
  readonly #wanted: number
  readonly #clock: () => number
  #line = ''
  #started = { at: 0, instructions: 0 }
  #ended = { at: 0, instructions: 0 }

  constructor(wanted: number, clock: () => number = processorTime) {
    this.#wanted = wanted
    this.#clock = clock
  }

  /** The guest wrote `byte` with so many instructions retired. True once there are enough samples. */
  feed(byte: number, instructions = 0): boolean {
    if (byte === MINUS && this.#line === '') this.#ended = { at: this.#clock(), instructions }
    if (byte !== NEWLINE) {
      this.#line += String.fromCharCode(byte)
      return false
    }
    const line = this.#line
    this.#line = ''
    if (line.startsWith('-')) this.#sample(line.slice(1))
    const done = this.samples.length >= this.#wanted
    this.#started = { at: this.#clock(), instructions }
    return done
  }

  #sample(text: string): void {
    const [kernel = '', checksum = ''] = text.split(' ')
    this.samples.push({
      kernel,
      checksum,
      cpuMs: this.#ended.at - this.#started.at,
      instructions: this.#ended.instructions - this.#started.instructions,
    })
  }
}

function processorTime(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
