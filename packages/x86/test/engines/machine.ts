/** A random machine: one engine on memory of its own, with a device that answers as the machine's seed says. */
import { GuestMemory } from '@vmexit/memory'
import { Cpu, type EngineChoice, type InterruptPin, type PortSpace } from '../../src/index.ts'
import { Random } from '../random.ts'
import { mappedPages, Port } from './image.ts'
import { At, CODE_BYTES, type Kind, segmentsOf } from './layout.ts'

export const RAM_BYTES = 0xf_0000
const PAGES = mappedPages()
/** Bits of a page-table entry that handlers set or flip. */
const SET = [7, 7, 7, 3, 1, 5, 0x27, 0]
const FLIP = [0, 0, 0, 1, 2, 4, 0x20, 0x40, 0x60, 0x100]

/** An interrupt line that is up until it is acknowledged. */
export class Pin implements InterruptPin {
  pending = false
  vector = 0x20
  raise(vector: number): void {
    this.pending = true
    this.vector = vector
  }
  acknowledge(): number {
    this.pending = false
    return this.vector
  }
}

/** Geometry of the modelled TLB. */
export interface Geometry {
  readonly data: number
  readonly instruction: number
}

export class Machine {
  readonly memory: GuestMemory
  readonly pin: Pin = new Pin()
  readonly kind: Kind
  readonly #device: Random
  cpu: Cpu
  readonly #options: {
    readonly memory: GuestMemory
    readonly ports: PortSpace
    readonly interrupts: Pin
    readonly tlb: Geometry
  }

  constructor(engine: EngineChoice, kind: Kind, seed: number, tlb: Geometry) {
    this.kind = kind
    this.#device = new Random(seed ^ 0x5bd1_e995)
    this.memory = new GuestMemory({
      ranges: [
        { kind: 'ram', start: 0, bytes: RAM_BYTES },
        { kind: 'rom', start: At.rom, bytes: 0x1_0000 },
      ],
      mmio: {
        // Nothing that depends on how often it is asked: page tables may come to lie here.
        read: (address, width) => Math.imul(address, 0x9e37_79b1) >>> (32 - 8 * width),
        write: (_address, _width, value) => this.#wrote(value),
      },
    })
    const ports: PortSpace = {
      read: (port, width) => this.#read(port) & (width === 32 ? -1 : 2 ** width - 1),
      write: (_port, _width, value) => this.#wrote(value),
    }
    this.#options = { memory: this.memory, ports, interrupts: this.pin, tlb }
    this.cpu = new Cpu({ ...this.#options, engine })
  }

  /** Go on with another engine: a new CPU, restored from what this one saves. */
  replace(engine: EngineChoice): void {
    const saved = this.cpu.save()
    this.cpu = new Cpu({ ...this.#options, engine })
    this.cpu.restore(saved)
  }

  #read(port: number): number {
    const random = this.#device
    if (port === Port.code) return segmentsOf(this.kind).code + random.below(CODE_BYTES)
    if (port === Port.entry) return random.pick(PAGES) * (this.kind.paging === 'PAE' ? 8 : 4)
    if (port === Port.set) return random.pick(SET)
    if (port === Port.flip) return random.pick(FLIP)
    return random.next()
  }

  /** Something was written to a port or to a hole: an interrupt, or a shorter run. */
  #wrote(value: number): void {
    if (this.#device.one(3)) this.pin.raise(0x20 + (value & 15))
    if (this.#device.one(4)) this.cpu.shorten(value & 7)
  }
}
