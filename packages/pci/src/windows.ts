/**
 * Windows: where base address registers let a function's registers or memory be seen (PCI Local Bus Specification 3.0,
 * 6.2.5).
 */
import { type Bus, type Claim, type RegisterFile, VmexitError } from '@vmexit/core'
import type { CardMemory } from './card-memory.ts'
import type { ConfigCell, ConfigSpace } from './config-space.ts'
import type { Target } from './target.ts'

/** Registers behind a base address register. */
export interface RegisterBar {
  /** Which of the six, 0–5. */
  readonly index: number
  readonly space: 'memory' | 'io'
  /** What answers there. The window is the next power of two of its size, which nothing answers beyond. */
  readonly registers: RegisterFile
  /** Whether reading changes nothing; false unless stated. For memory only. */
  readonly prefetchable?: boolean
  /** Whether the address has 64 bits, in this base address register and the next; false unless stated. For memory only. */
  readonly wide?: boolean
}

/** Memory of the card behind a base address register. */
export interface MemoryBar {
  /** Which of the six, 0–5. */
  readonly index: number
  readonly space: 'memory'
  /** What is seen there, made by `PciBus.createMemory`. */
  readonly memory: CardMemory
  /** Whether reading changes nothing; false unless stated. */
  readonly prefetchable?: boolean
  /** Whether the address has 64 bits, in this base address register and the next; false unless stated. */
  readonly wide?: boolean
}

/** A base address register and what is behind it. */
export type Bar = RegisterBar | MemoryBar

/** The bits of the command register that open windows. */
export const commandBit = { io: 1, memory: 2, master: 4, interruptDisable: 0x400 } as const

/** One base address register with what it opens. */
export class Window {
  /** In addresses: a power of two. */
  readonly size: number
  readonly space: 'memory' | 'io'
  readonly #low: ConfigCell
  readonly #high: ConfigCell | undefined
  readonly #target: Target
  /** The bit that must be set beside the command register's: of an expansion ROM. */
  readonly #enable: number
  #address: number | undefined

  constructor(options: {
    readonly size: number
    readonly space: 'memory' | 'io'
    readonly low: ConfigCell
    readonly high?: ConfigCell | undefined
    readonly target: Target
    readonly enable?: number
  }) {
    this.size = options.size
    this.space = options.space
    this.#low = options.low
    this.#high = options.high
    this.#target = options.target
    this.#enable = options.enable ?? 0
  }

  /** Where it is to be open, if it is. */
  get address(): number | undefined {
    return this.#address
  }

  /** Gives it the address that it then has after every reset, as firmware would. */
  assign(base: number): void {
    this.#low.setInitial((this.#low.value | (base % 2 ** 32)) >>> 0)
    this.#high?.setInitial(Math.floor(base / 2 ** 32))
  }

  /** Takes note of what the registers say. Whether it answers there is for the bus to settle. */
  update(command: number): void {
    const enabled = (command & commandBit[this.space]) !== 0 && (this.#low.value & this.#enable) === this.#enable
    this.#address = enabled ? this.#base : undefined
  }

  /** For the bus: closes it for now. */
  withdraw(): void {
    this.#target.place(undefined)
  }

  /** For the bus: opens it where it is to be, or closes it. */
  place(): void {
    this.#target.place(this.#address)
  }

  get #base(): number {
    const flags = this.#enable ? 0x7ff : this.space === 'io' ? 3 : 0xf
    return ((this.#low.value & ~flags) >>> 0) + (this.#high?.value ?? 0) * 2 ** 32
  }
}

/** Registers that answer where a window is. */
export function registersTarget(bus: Bus, owner: string, registers: RegisterFile): Target {
  const claim: Claim = bus.claimLater(owner, registers)
  return {
    place(base) {
      if (base === undefined) claim.disable()
      else {
        if (base !== claim.base) claim.move(base)
        claim.enable()
      }
    },
  }
}

/** The window of a base address register, whose cells are added to `config`. */
export function barWindow(config: ConfigSpace, owner: string, bar: Bar, target: Target, changed: () => void): Window {
  const { index, space, prefetchable = false, wide = false } = bar
  const bytes = 'memory' in bar ? bar.memory.size : bar.registers.size
  const size = powerOfTwo(bytes, space === 'io' ? 4 : 16)
  if (!Number.isInteger(index) || index < 0 || index + (wide ? 1 : 0) > 5) {
    refuse(owner, `has a base address register ${index}${wide ? ' of 64 bits' : ''}`, 'number them from 0 to 5')
  }
  if (space === 'io' && (prefetchable || wide)) {
    refuse(owner, `has ${wide ? 'wide' : 'prefetchable'} I/O ports`, 'leave that to memory')
  }
  if (size > (space === 'io' ? 0x1_0000 : 2 ** 31)) {
    refuse(owner, `wants ${bytes} addresses in one window`, 'stay within 64 KiB of ports or 2 GiB of memory')
  }
  const kind = space === 'io' ? 1 : (wide ? 4 : 0) | (prefetchable ? 8 : 0)
  const cell = (offset: number, name: string, value: number, writable: number) =>
    config.add({ name, offset: 0x10 + 4 * offset, bytes: 4, value, writable, onWrite: changed })
  const low = cell(index, `base address ${index}`, kind, ~(size - 1) >>> 0)
  const high = wide ? cell(index + 1, `base address ${index}, upper half`, 0, 0xffff_ffff) : undefined
  return new Window({ size, space, low, high, target })
}

/** The first one of at least `bytes` from `least` on. */
function powerOfTwo(bytes: number, least: number): number {
  let size = least
  while (size < bytes) size *= 2
  return size
}

function refuse(owner: string, what: string, remedy: string): never {
  throw new VmexitError('pci-bar', { problem: `${owner} ${what}`, remedy })
}

/** The window of an expansion ROM: 2 KiB at least, with its own enable bit. */
export function romWindow(config: ConfigSpace, bus: Bus, owner: string, rom: Uint8Array, changed: () => void): Window {
  const size = powerOfTwo(rom.length, 0x800)
  if (size > 0x100_0000) refuse(owner, `has an expansion ROM of ${rom.length} bytes`, 'stay within 16 MiB')
  const writable = (~(size - 1) | 1) >>> 0
  const low = config.add({ name: 'expansion ROM', offset: 0x30, bytes: 4, writable, onWrite: changed })
  const registers: RegisterFile = {
    size: rom.length,
    split: true,
    read(offset, width) {
      let value = 0
      for (let i = 0; i < width; i++) value |= rom[offset + i]! << (8 * i)
      return value
    },
    write() {},
  }
  return new Window({
    size,
    space: 'memory',
    low,
    target: registersTarget(bus, `${owner}'s ROM`, registers),
    enable: 1,
  })
}
