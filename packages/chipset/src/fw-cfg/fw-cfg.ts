/**
 * fw_cfg, the interface through which a machine tells its firmware what it is (QEMU, docs/specs/fw_cfg.rst).
 *
 * | register file | read | written |
 * |---|---|---|
 * | `registers`, offset 0, 16 bits | – | key of the item to be read |
 * | `registers`, offset 1, 8 bits | the item's next byte, 0 after its end | – |
 * | `dma`, offsets 0 and 4, 32 bits, big-endian | `QEMU CFG` | address of a command; the lower half starts it |
 */
import { type BusMaster, checkState, type Device, type RegisterFile, VmexitError } from '@vmexit/core'
import { fwCfgKey } from './keys.ts'

/** A saved interface. What the items are is part of the composition. */
export type FwCfgState = {
  readonly version: 1
  readonly key: number
  readonly offset: number
  readonly dmaHigh: number
}

/** Bits of a DMA command's control word; the key is in its upper half. */
const dma = { error: 1, read: 2, skip: 4, select: 8, write: 16 } as const

/** Bytes of one DMA transfer at a time. */
const chunk = 0x1_0000

const signature = new TextEncoder().encode('QEMU CFG')

/** Items by key, and files by name. */
export class FwCfg implements Device<FwCfgState> {
  readonly regions: { readonly registers: RegisterFile; readonly dma: RegisterFile } = {
    registers: {
      size: 2,
      widest: 2,
      read: (offset) => (offset === 1 ? this.#next() : 0),
      write: (offset, width, value) => {
        if (offset === 0 && width === 2) this.#select(value)
      },
    },
    dma: {
      size: 8,
      split: true,
      read: (offset, width) => {
        let value = 0
        for (let i = 0; i < width; i++) value += signature[offset + i]! * 2 ** (8 * i)
        return value
      },
      write: (offset, width, value) => {
        if (width === 4) this.#writeDma(offset, swap32(value))
      },
    },
  }
  readonly #items = new Map<number, Uint8Array>()
  readonly #files: { readonly name: string; readonly data: Uint8Array }[] = []
  readonly #memory: BusMaster
  #key = 0
  #offset = 0
  #dmaHigh = 0

  /** `memory` is what DMA commands go through. */
  constructor(memory: BusMaster) {
    this.#memory = memory
    this.setItem(fwCfgKey.signature, signature.slice(0, 4))
    this.setNumber(fwCfgKey.id, 3, 4)
    this.#listFiles()
  }

  /** Sets an item. */
  setItem(key: number, data: Uint8Array): void {
    this.#items.set(key, data)
  }

  /** Sets an item to a number of so many bytes, little-endian. */
  setNumber(key: number, value: number, bytes: number): void {
    this.setItem(
      key,
      Uint8Array.from({ length: bytes }, (_, i) => Math.trunc(value / 2 ** (8 * i)) & 0xff),
    )
  }

  /**
   * Adds a file, such as `bootorder` or `vgaroms/my.bin`. Throws a {@link VmexitError} `fw-cfg-file` for a name that is
   * taken or does not fit into 55 bytes.
   */
  addFile(name: string, data: Uint8Array): void {
    const taken = this.#files.some((file) => file.name === name)
    if (taken || name.length > 55) {
      throw new VmexitError('fw-cfg-file', {
        problem: taken ? `there are two fw_cfg files '${name}'` : `the name of fw_cfg file '${name}' is too long`,
        remedy: taken ? 'leave one of them out' : 'use at most 55 characters',
      })
    }
    this.setItem(fwCfgKey.firstFile + this.#files.length, data)
    this.#files.push({ name, data })
    this.#listFiles()
  }

  reset(): void {
    this.#select(0)
    this.#dmaHigh = 0
  }

  save(): FwCfgState {
    return { version: 1, key: this.#key, offset: this.#offset, dmaHigh: this.#dmaHigh }
  }

  restore(state: FwCfgState): void {
    const { key, offset, dmaHigh } = checkState('fw_cfg', state, this.save())
    this.#key = key
    this.#offset = offset
    this.#dmaHigh = dmaHigh
  }

  #select(key: number): void {
    this.#key = key
    this.#offset = 0
  }

  #next(): number {
    return this.#items.get(this.#key)?.[this.#offset++] ?? 0
  }

  /** The directory: a count, and for each file size, key and name, big-endian. */
  #listFiles(): void {
    const directory = new Uint8Array(4 + 64 * this.#files.length)
    const view = new DataView(directory.buffer)
    view.setUint32(0, this.#files.length)
    for (const [i, { name, data }] of this.#files.entries()) {
      view.setUint32(4 + 64 * i, data.length)
      view.setUint16(8 + 64 * i, fwCfgKey.firstFile + i)
      directory.set(new TextEncoder().encode(name), 12 + 64 * i)
    }
    this.setItem(fwCfgKey.fileDirectory, directory)
  }

  #writeDma(offset: number, value: number): void {
    if (offset === 0) this.#dmaHigh = value
    if (offset !== 4) return
    const address = this.#dmaHigh * 2 ** 32 + value
    this.#dmaHigh = 0
    this.#command(address)
  }

  /** A command: control, length, address, big-endian. When it is done its control word is 0, or 1 for an error. */
  #command(at: number): void {
    const command = new DataView(new ArrayBuffer(16))
    if (!this.#memory.read(at, new Uint8Array(command.buffer))) return
    const control = command.getUint32(0)
    const length = command.getUint32(4)
    const address = command.getUint32(8) * 2 ** 32 + command.getUint32(12)
    if (control & dma.select) this.#select(control >>> 16)
    const failed = control & dma.read ? !this.#transfer(address, length) : (control & dma.write) !== 0
    if (!(control & dma.read) && control & dma.skip) this.#offset += length
    const result = new DataView(new ArrayBuffer(4))
    result.setUint32(0, failed ? dma.error : 0)
    this.#memory.write(at, new Uint8Array(result.buffer))
  }

  /** Copies what comes next into memory, zeros after the item's end. Items cannot be written. */
  #transfer(address: number, length: number): boolean {
    const item = this.#items.get(this.#key) ?? new Uint8Array(0)
    for (let done = 0; done < length; done += chunk) {
      const bytes = new Uint8Array(Math.min(chunk, length - done))
      bytes.set(item.subarray(this.#offset, this.#offset + bytes.length))
      if (!this.#memory.write(address + done, bytes)) return false
      this.#offset += bytes.length
    }
    return true
  }
}

function swap32(value: number): number {
  return (((value & 0xff) << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | ((value >>> 24) & 0xff)) >>> 0
}
