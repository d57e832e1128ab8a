/**
 * Message-signalled interrupts: the capability and its messages (PCI Local Bus Specification 3.0, 6.8.1).
 *
 * | offset | register |
 * |---|---|
 * | 0x02 | message control: enable, messages that there are and that are allowed, 64 bits, masking |
 * | 0x04 | message address, with the upper half at 0x08 where it has 64 bits |
 * | 0x08 or 0x0c | message data |
 * | 0x0c or 0x10 | masked messages, then pending ones, where they can be masked |
 */
import { type BusMaster, VmexitError } from '@vmexit/core'
import type { Capability } from './capability.ts'
import type { ConfigRegister } from './config-space.ts'

/** Which messages a function can send. */
export interface MsiOptions {
  /** How many. */
  readonly messages: 1 | 2 | 4 | 8 | 16 | 32
  /** Whether the address has 64 bits; true unless stated. */
  readonly wide?: boolean
  /** Whether each message can be masked; false unless stated. */
  readonly maskable?: boolean
}

const capabilityId = 0x05

/** The messages of one function. */
export class Msi {
  /** The capability to be put into configuration space. */
  readonly capability: Capability
  readonly #master: BusMaster
  /** The number of messages is two to this power. */
  readonly #most: number
  #control = 0
  #address = 0
  #upperAddress = 0
  #data = 0
  #masked = 0
  /** Messages that wait until they are unmasked. */
  #pending = 0

  /**
   * `changed` is called when messages are turned on or off. Throws a {@link VmexitError} `pci-msi` for a number of
   * messages that the capability cannot say.
   */
  constructor(owner: string, options: MsiOptions, master: BusMaster, changed: () => void) {
    const { messages, wide = true, maskable = false } = options
    this.#most = [1, 2, 4, 8, 16, 32].indexOf(messages)
    if (this.#most < 0) {
      throw new VmexitError('pci-msi', {
        problem: `${owner} has ${messages} interrupt messages`,
        remedy: 'give it 1, 2, 4, 8, 16 or 32',
      })
    }
    this.#master = master
    const kind = (this.#most << 1) | (wide ? 0x80 : 0) | (maskable ? 0x100 : 0)
    const after = wide ? 12 : 8
    const all = messages === 32 ? 0xffff_ffff : 2 ** messages - 1
    const control = (value: number) => {
      this.#control = value
      changed()
    }
    const registers: ConfigRegister[] = [
      { name: 'message control', offset: 2, bytes: 2, value: kind, writable: 0x71, onWrite: control },
      word('message address', 4, 0xffff_fffc, (value) => void (this.#address = value)),
      {
        name: 'message data',
        offset: after,
        bytes: 2,
        writable: 0xffff,
        onWrite: (value) => void (this.#data = value),
      },
    ]
    if (wide)
      registers.push(word('upper message address', 8, 0xffff_ffff, (value) => void (this.#upperAddress = value)))
    if (maskable) {
      registers.push(word('masked messages', after + 4, all, (value) => this.#mask(value)))
      registers.push({ name: 'pending messages', offset: after + 8, bytes: 4, onRead: () => this.#pending })
    }
    this.capability = { id: capabilityId, bytes: maskable ? after + 12 : after + 2, registers }
  }

  /** Whether interrupts are messages, and not a wire. */
  get enabled(): boolean {
    return (this.#control & 1) !== 0
  }

  /** Bits of the messages that wait because they are masked. */
  get pending(): number {
    return this.#pending
  }

  set pending(messages: number) {
    this.#pending = messages >>> 0
  }

  /**
   * Sends message `n`; of fewer that are allowed, the one that it shares with others. Returns whether it went out, or
   * will when it is unmasked.
   */
  signal(n: number): boolean {
    if (!this.enabled) return false
    const allowed = 1 << Math.min((this.#control >> 4) & 7, this.#most)
    const message = n & (allowed - 1)
    if ((this.#masked >>> message) & 1) {
      this.#pending = (this.#pending | (1 << message)) >>> 0
      return true
    }
    const address = this.#upperAddress * 2 ** 32 + this.#address
    return this.#master.signal({ address, data: (this.#data & ~(allowed - 1)) | message })
  }

  #mask(masked: number): void {
    this.#masked = masked
    const freed = this.#pending & ~masked
    this.#pending = (this.#pending & masked) >>> 0
    for (let n = 0; n < 32; n++) if ((freed >>> n) & 1) this.signal(n)
  }
}

function word(name: string, offset: number, writable: number, onWrite: (value: number) => void): ConfigRegister {
  return { name, offset, bytes: 4, writable, onWrite }
}
