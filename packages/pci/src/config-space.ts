/**
 * Configuration space: 256 bytes of named registers, of which each says what of it can be written (PCI Local Bus
 * Specification 3.0, 6.1). What no register covers reads as zeros and cannot be written.
 */
import { checkState, hex, VmexitError, type Width } from '@vmexit/core'

/** A register in configuration space. Masks and values are unsigned, and little-endian in the bytes. */
export interface ConfigRegister {
  /** Under which it is saved, and named in errors. */
  readonly name: string
  /** The first of its bytes, 0–255. */
  readonly offset: number
  readonly bytes: Width
  /** After power-on; 0 unless stated. */
  readonly value?: number
  /** The bits that can be written; none unless stated. */
  readonly writable?: number
  /** The bits that a one clears; none unless stated. */
  readonly clearable?: number
  /** What becomes of a write: given `next`, which the masks let through, and what was there before. */
  readonly filter?: (next: number, before: number) => number
  /** Called after each write, and when something else has changed the value. */
  readonly onWrite?: (value: number, cause: ConfigCause) => void
  /** What is read instead of the value, where that is more than what was written. */
  readonly onRead?: (value: number) => number
}

/** Why a register has another value: the guest wrote it, or it is as after power-on, or as it was saved. */
export type ConfigCause = 'write' | 'reset' | 'restore'

/** Values of registers, by name. */
export type ConfigState = { readonly version: 1; readonly registers: { readonly [name: string]: number } }

/** A register with its value. */
export class ConfigCell {
  readonly register: ConfigRegister
  value: number
  #initial: number

  constructor(register: ConfigRegister) {
    this.register = register
    this.#initial = (register.value ?? 0) >>> 0
    this.value = this.#initial
  }

  /** Writes the bits of `data` that `lanes` names. */
  write(data: number, lanes: number): void {
    const { writable = 0, clearable = 0, filter, onWrite } = this.register
    const taken = writable & lanes
    const next = (((this.value & ~taken) | (data & taken)) & ~(data & clearable & lanes)) >>> 0
    this.value = (filter === undefined ? next : filter(next, this.value)) >>> 0
    onWrite?.(this.value, 'write')
  }

  /** Puts a value there, writable or not. */
  set(value: number, cause: ConfigCause): void {
    const before = this.value
    this.value = value >>> 0
    if (this.value !== before) this.register.onWrite?.(this.value, cause)
  }

  /** Puts a value there, now and after every reset. */
  setInitial(value: number): void {
    this.#initial = value >>> 0
    this.reset()
  }

  reset(): void {
    this.set(this.#initial, 'reset')
  }

  read(): number {
    const { onRead } = this.register
    return onRead === undefined ? this.value : onRead(this.value) >>> 0
  }
}

/** The configuration space of one function. */
export class ConfigSpace {
  readonly #owner: string
  /** By byte. */
  readonly #cells = new Array<ConfigCell | undefined>(256)
  readonly #all: ConfigCell[] = []

  /** `owner` is the function in error messages. */
  constructor(owner: string) {
    this.#owner = owner
  }

  /**
   * Adds a register. Throws a {@link VmexitError} `pci-register` if it does not lie in configuration space, or where
   * another is, or has its name.
   */
  add(register: ConfigRegister): ConfigCell {
    const { name, offset, bytes } = register
    if (!Number.isInteger(offset) || offset < 0 || offset + bytes > 256) {
      this.#refuse(`register ${name} at ${offset}`, 'put it at a whole number, with its end by 256')
    }
    const other = this.#all.find(
      (cell) => cell.register.name === name || !this.#isFree(offset, bytes, cell.register),
    )?.register
    if (other !== undefined) {
      this.#refuse(
        `register ${name} at ${hex(offset)}, beside ${other.name} at ${hex(other.offset)}`,
        'give each a name and bytes of its own',
      )
    }
    const cell = new ConfigCell(register)
    this.#all.push(cell)
    for (let at = offset; at < offset + bytes; at++) this.#cells[at] = cell
    return cell
  }

  /** The first multiple of four from `from` on with `bytes` bytes that no register has; undefined if there is none. */
  findFree(from: number, bytes: number): number | undefined {
    for (let at = from; at + bytes <= 256; at += 4) {
      if (this.#cells.slice(at, at + bytes).every((cell) => cell === undefined)) return at
    }
    return undefined
  }

  /** Reads `width` bytes; `offset + width ≤ 256`. */
  read(offset: number, width: Width): number {
    let value = 0
    for (let i = 0; i < width; i++) {
      const cell = this.#cells[offset + i]
      if (cell === undefined) continue
      value |= ((cell.read() >>> (8 * (offset + i - cell.register.offset))) & 0xff) << (8 * i)
    }
    return value >>> 0
  }

  /** Writes `width` bytes; `offset + width ≤ 256`. A register that is touched is written once, the bytes that are meant. */
  write(offset: number, width: Width, value: number): void {
    for (let at = offset; at < offset + width; ) {
      const cell = this.#cells[at]
      if (cell === undefined) {
        at++
        continue
      }
      const { offset: first, bytes } = cell.register
      const end = Math.min(offset + width, first + bytes)
      let data = 0
      let lanes = 0
      for (; at < end; at++) {
        data |= ((value >>> (8 * (at - offset))) & 0xff) << (8 * (at - first))
        lanes |= 0xff << (8 * (at - first))
      }
      cell.write(data, lanes)
    }
  }

  /** Every register has what it had after power-on. */
  reset(): void {
    for (const cell of this.#all) cell.reset()
  }

  /** The values of the registers that can change. */
  save(): ConfigState {
    const saved = this.#all.filter(({ register }) => register.writable || register.clearable)
    return { version: 1, registers: Object.fromEntries(saved.map(({ register, value }) => [register.name, value])) }
  }

  /** Bits that cannot change stay what they are. Throws a {@link VmexitError} `state-mismatch`. */
  restore(state: ConfigState): void {
    const now = this.save()
    const { registers } = checkState(`the configuration of ${this.#owner}`, state, now)
    const values = { version: 1, ...registers }
    checkState(`the configuration of ${this.#owner}`, values, { version: 1, ...now.registers })
    for (const cell of this.#all) {
      const { name, writable = 0, clearable = 0 } = cell.register
      const saved = registers[name]
      const changing = writable | clearable
      if (saved !== undefined) cell.set((cell.value & ~changing) | (saved & changing), 'restore')
    }
  }

  #isFree(offset: number, bytes: number, other: ConfigRegister): boolean {
    return offset + bytes <= other.offset || other.offset + other.bytes <= offset
  }

  #refuse(what: string, remedy: string): never {
    throw new VmexitError('pci-register', { problem: `${this.#owner} has ${what}`, remedy })
  }
}
