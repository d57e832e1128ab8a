/**
 * Bus masters: the only way from a device to memory.
 *
 * Each device has a handle with its requester ID, so that what lies between (an IOMMU, grants, interrupt remapping) can
 * tell devices apart.
 */
import { Counters } from './counters.ts'
import { hex, VmexitError } from './errors.ts'
import type { MsiMessage, MsiTarget } from './interrupts.ts'

/**
 * Memory as a device sees it. Addresses are whole numbers up to 2^52. A transfer is done as a whole, or refused because
 * some byte of it is not memory.
 */
export interface DmaTarget {
  /** Fills `into` from `address` on. Returns false if it is refused; `into` then means nothing. */
  read(address: number, into: Uint8Array): boolean
  /** Writes `from` at `address`. Returns false, with nothing written, if it is refused. */
  write(address: number, from: Uint8Array): boolean
}

/** A stretch of the way from devices to memory: what an IOMMU is put in front of, and is. */
export interface DmaPath {
  /** As {@link DmaTarget.read}, for the device with this requester ID. */
  read(requesterId: number, address: number, into: Uint8Array): boolean
  /** As {@link DmaTarget.write}, for the device with this requester ID. */
  write(requesterId: number, address: number, from: Uint8Array): boolean
  /** Delivers an interrupt message of the device; false if nobody took it. */
  signal(requesterId: number, message: MsiMessage): boolean
}

/** An access of a device that was refused. */
export interface DmaAbort {
  readonly requesterId: number
  readonly owner: string
  readonly access: 'read' | 'write' | 'signal'
  readonly address: number
  /** In bytes. */
  readonly length: number
}

/** A device's handle on memory, made by {@link BusMasters.create}. Disposing it gives the requester ID back. */
export interface BusMaster extends Disposable {
  /** On PCI: bus · 256 + device · 8 + function. */
  readonly requesterId: number
  readonly owner: string
  /** The bus-master enable of a PCI command register, true at first. A disabled master's accesses are aborted. */
  enabled: boolean
  /** Fills `into` from `address` on. If it is refused, `into` is all ones and the result is false. */
  read(address: number, into: Uint8Array): boolean
  /** Writes `from` at `address`. If it is refused, nothing is written and the result is false. */
  write(address: number, from: Uint8Array): boolean
  /** Reads two bytes, little-endian; 0xffff if aborted. */
  read16(address: number): number
  /** Reads four bytes, little-endian, unsigned; 0xffffffff if aborted. */
  read32(address: number): number
  /** Writes two bytes, little-endian. */
  write16(address: number, value: number): boolean
  /** Writes four bytes, little-endian. */
  write32(address: number, value: number): boolean
  /** Sends an interrupt message. Returns whether it was delivered. */
  signal(message: MsiMessage): boolean
}

/** The bus masters of a machine or a VM, and what lies between them and memory. */
export class BusMasters {
  readonly #masters = new Map<number, string>()
  readonly #interposed: ((next: DmaPath) => DmaPath)[] = []
  readonly #listeners = new Set<(abort: DmaAbort) => void>()
  readonly #counts: DmaCounts
  #memory: DmaTarget | undefined
  #messages: MsiTarget | undefined
  #path: DmaPath
  readonly #end: DmaPath = {
    read: (_, address, into) => this.#memory?.read(address, into) ?? false,
    write: (_, address, from) => this.#memory?.write(address, from) ?? false,
    signal: (_, message) => this.#messages?.deliver(message) ?? false,
  }

  /** `counters`: where it counts accesses, bytes, messages and aborts. */
  constructor({ counters = new Counters() }: { counters?: Counters } = {}) {
    this.#counts = new DmaCounts(counters)
    this.#path = this.#end
  }

  /** Makes the handle of one device. Throws a {@link VmexitError} `requester-taken` that names both owners. */
  create(requesterId: number, owner: string): BusMaster {
    const other = this.#masters.get(requesterId)
    if (other !== undefined) {
      throw new VmexitError('requester-taken', {
        problem: `${owner} wants requester ID ${hex(requesterId)}, which ${other} has`,
        remedy: 'give each device its own place on the bus',
      })
    }
    this.#masters.set(requesterId, owner)
    return new Master(requesterId, owner, {
      path: () => this.#path,
      counts: this.#counts,
      aborted: (abort) => {
        for (const listener of this.#listeners) listener(abort)
      },
      release: () => void this.#masters.delete(requesterId),
    })
  }

  /** Sets what is at the end of the way. The machine does this with its `memory` and `msi`. */
  connect({ memory, messages }: { memory?: DmaTarget | undefined; messages?: MsiTarget | undefined }): void {
    this.#memory = memory
    this.#messages = messages
  }

  /**
   * Puts something between the devices and what is there so far. `wrap` is given the way on and returns the way that
   * devices take from now on; a later one is nearer to the devices. Disposing takes it out again.
   */
  interpose(wrap: (next: DmaPath) => DmaPath): Disposable {
    this.#interposed.push(wrap)
    this.#rebuild()
    return {
      [Symbol.dispose]: () => {
        const at = this.#interposed.indexOf(wrap)
        if (at >= 0) this.#interposed.splice(at, 1)
        this.#rebuild()
      },
    }
  }

  /** Calls `listener` for each access that is refused, until the returned object is disposed. */
  onAbort(listener: (abort: DmaAbort) => void): Disposable {
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }

  #rebuild(): void {
    this.#path = this.#interposed.reduce((next, wrap) => wrap(next), this.#end)
  }
}

class DmaCounts {
  readonly slots: Float64Array
  readonly reads: number
  readonly writes: number
  readonly bytesRead: number
  readonly bytesWritten: number
  readonly messages: number
  readonly aborts: number

  constructor(counters: Counters) {
    this.slots = counters.slots
    this.reads = counters.declare('dma-reads', 'Reads of memory by devices')
    this.writes = counters.declare('dma-writes', 'Writes to memory by devices')
    this.bytesRead = counters.declare('dma-bytes-read', 'Bytes that devices asked of memory')
    this.bytesWritten = counters.declare('dma-bytes-written', 'Bytes that devices sent to memory')
    this.messages = counters.declare('msi-messages', 'Message-signalled interrupts sent by devices')
    this.aborts = counters.declare('dma-aborts', 'Accesses of devices that did not reach memory')
  }
}

/** What a master needs of the whole. */
interface Shared {
  path(): DmaPath
  readonly counts: DmaCounts
  aborted(abort: DmaAbort): void
  release(): void
}

class Master implements BusMaster {
  readonly requesterId: number
  readonly owner: string
  enabled = true
  readonly #shared: Shared
  readonly #two = new DataView(new ArrayBuffer(2))
  readonly #four = new DataView(new ArrayBuffer(4))
  readonly #twoBytes = new Uint8Array(this.#two.buffer)
  readonly #fourBytes = new Uint8Array(this.#four.buffer)

  constructor(requesterId: number, owner: string, shared: Shared) {
    this.requesterId = requesterId
    this.owner = owner
    this.#shared = shared
  }

  read(address: number, into: Uint8Array): boolean {
    const { counts } = this.#shared
    counts.slots[counts.reads]!++
    counts.slots[counts.bytesRead]! += into.length
    if (this.enabled && this.#shared.path().read(this.requesterId, address, into)) return true
    into.fill(0xff)
    return this.#abort('read', address, into.length)
  }

  write(address: number, from: Uint8Array): boolean {
    const { counts } = this.#shared
    counts.slots[counts.writes]!++
    counts.slots[counts.bytesWritten]! += from.length
    const done = this.enabled && this.#shared.path().write(this.requesterId, address, from)
    return done || this.#abort('write', address, from.length)
  }

  signal(message: MsiMessage): boolean {
    const { counts } = this.#shared
    counts.slots[counts.messages]!++
    const done = this.enabled && this.#shared.path().signal(this.requesterId, message)
    return done || this.#abort('signal', message.address, 4)
  }

  read16(address: number): number {
    this.read(address, this.#twoBytes)
    return this.#two.getUint16(0, true)
  }

  read32(address: number): number {
    this.read(address, this.#fourBytes)
    return this.#four.getUint32(0, true)
  }

  write16(address: number, value: number): boolean {
    this.#two.setUint16(0, value, true)
    return this.write(address, this.#twoBytes)
  }

  write32(address: number, value: number): boolean {
    this.#four.setUint32(0, value, true)
    return this.write(address, this.#fourBytes)
  }

  [Symbol.dispose](): void {
    this.#shared.release()
  }

  #abort(access: DmaAbort['access'], address: number, length: number): false {
    const { counts } = this.#shared
    counts.slots[counts.aborts]!++
    this.#shared.aborted({ requesterId: this.requesterId, owner: this.owner, access, address, length })
    return false
  }
}
