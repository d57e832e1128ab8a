/** A Linux kernel as items of fw_cfg, as QEMU's option ROM `linuxboot` takes them (Linux x86 boot protocol). */
import { VmexitError } from '@vmexit/core'
import { fwCfgKey } from './keys.ts'

/** A kernel to be offered to an option ROM. */
export interface LinuxItems {
  /** A bzImage. */
  readonly kernel: Uint8Array
  readonly initrd?: Uint8Array | undefined
  readonly commandLine?: string | undefined
}

/** Where the option ROM puts the real-mode part, the command line, and the protected-mode part. */
const setupAddress = 0x1_0000
const commandLineAddress = 0x2_0000
const kernelAddress = 0x10_0000

/** Left free below the end of RAM for what firmware puts there. */
const reservedAtTop = 0x2_0000

/**
 * The items, by key. `lowRam` is the RAM below 4 GiB in bytes; the initrd goes to its end. Throws a {@link VmexitError}:
 * `kernel-image` if the kernel is no bzImage of protocol 2.02 or later or is cut off, `initrd-size` if the initrd has
 * no room.
 */
export function linuxItems({ kernel, initrd, commandLine = '' }: LinuxItems, lowRam: number): Map<number, Uint8Array> {
  const { setup, rest, initrdMax } = splitKernel(kernel)
  const command = new TextEncoder().encode(`${commandLine}\0`)
  const header = new DataView(setup.buffer)
  header.setUint8(0x210, 0xb0) // loader: QEMU's, whose work this is
  header.setUint8(0x211, header.getUint8(0x211) | 0x80) // there is a heap
  header.setUint16(0x224, commandLineAddress - setupAddress - 0x200, true)
  header.setUint32(0x228, commandLineAddress, true)
  const items = new Map<number, Uint8Array>([
    [fwCfgKey.kernelAddress, u32(kernelAddress)],
    [fwCfgKey.kernelSize, u32(rest.length)],
    [fwCfgKey.kernelData, rest],
    [fwCfgKey.setupAddress, u32(setupAddress)],
    [fwCfgKey.setupSize, u32(setup.length)],
    [fwCfgKey.setupData, setup],
    [fwCfgKey.commandLineAddress, u32(commandLineAddress)],
    [fwCfgKey.commandLineSize, u32(command.length)],
    [fwCfgKey.commandLineData, command],
  ])
  if (initrd === undefined || initrd.length === 0) return items
  const end = Math.min(initrdMax + 1, lowRam - reservedAtTop)
  const address = Math.floor((end - initrd.length) / 4096) * 4096
  if (address < kernelAddress + rest.length) {
    throw new VmexitError('initrd-size', {
      problem: `an initrd of ${initrd.length} bytes has no room above the kernel in ${lowRam} bytes of RAM`,
      remedy: 'give the machine more memory, or use a smaller initrd',
    })
  }
  header.setUint32(0x218, address, true)
  header.setUint32(0x21c, initrd.length, true)
  items.set(fwCfgKey.initrdAddress, u32(address))
  items.set(fwCfgKey.initrdSize, u32(initrd.length))
  items.set(fwCfgKey.initrdData, initrd)
  return items
}

function splitKernel(kernel: Uint8Array): { setup: Uint8Array<ArrayBuffer>; rest: Uint8Array; initrdMax: number } {
  const view = new DataView(kernel.buffer, kernel.byteOffset, kernel.byteLength)
  if (kernel.length < 0x260 || view.getUint32(0x202, true) !== 0x5372_6448) refuse('has no header of a bzImage')
  const protocol = view.getUint16(0x206, true)
  if (protocol < 0x202) refuse(`has boot protocol ${protocol >> 8}.${protocol & 0xff}, older than 2.02`)
  const setupBytes = ((view.getUint8(0x1f1) || 4) + 1) * 512
  if (kernel.length <= setupBytes) refuse('ends before its protected-mode part')
  const initrdMax = protocol >= 0x203 ? view.getUint32(0x22c, true) : 0x37ff_ffff
  return { setup: kernel.slice(0, setupBytes), rest: kernel.subarray(setupBytes), initrdMax }
}

function refuse(what: string): never {
  throw new VmexitError('kernel-image', {
    problem: `the kernel ${what}`,
    remedy: 'give a whole bzImage, such as vmlinuz',
  })
}

/** Four bytes, little-endian. */
function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value, true)
  return bytes
}
