/** The setup header of a bzImage (the Linux/x86 boot protocol, "The real-mode kernel header"). */
import { amount, refuse } from '../errors.ts'
import { looksLike } from '../look.ts'

/** Offsets in the kernel's file, and in the zero page, of what a loader reads or writes. */
export const Field = {
  setupSectors: 0x1f1,
  systemSize: 0x1f4,
  videoMode: 0x1fa,
  bootFlag: 0x1fe,
  jump: 0x200,
  magic: 0x202,
  version: 0x206,
  kernelVersion: 0x20e,
  loaderType: 0x210,
  loadFlags: 0x211,
  code32Start: 0x214,
  ramdiskAddress: 0x218,
  ramdiskSize: 0x21c,
  heapEnd: 0x224,
  commandLine: 0x228,
  ramdiskMaximum: 0x22c,
  alignment: 0x230,
  relocatable: 0x234,
  extendedLoadFlags: 0x236,
  commandLineSize: 0x238,
  preferredAddress: 0x258,
  initSize: 0x260,
  /** Where the header ends at the latest: what the zero page has behind it. */
  end: 0x290,
} as const

/** Bits of `loadFlags` and of `extendedLoadFlags`. */
export const LoadFlag = { high: 0x01, heap: 0x80 } as const
const KERNEL_64 = 1
/** `HdrS` */
export const MAGIC = 0x5372_6448
export const BOOT_FLAG = 0xaa55

/** What a bzImage says of itself. */
export interface KernelHeader {
  /** The header's bytes, from 0x1f1 to its real end. */
  readonly bytes: Uint8Array
  /** 0x020f is 2.15. */
  readonly protocol: number
  /** `Linux 6.1.0-50-686`, if it says. */
  readonly title: string | undefined
  /** What is loaded. */
  readonly code: Uint8Array
  readonly relocatable: boolean
  readonly alignment: number
  /** Where it runs; 1 MiB where it does not say. */
  readonly preferredAddress: number
  /** Bytes from where it runs that it takes before it looks at the memory map. */
  readonly initSize: number
  /** Bytes of a command line without its zero. */
  readonly commandLineSize: number
  /** Highest address of the initrd's last byte. */
  readonly ramdiskMaximum: number
}

const MIB = 2 ** 20
const SECTOR = 512

/** @throws VmexitError `kernel-unknown`, `kernel-truncated`, `kernel-unsupported`. */
export function readKernelHeader(kernel: Uint8Array): KernelHeader {
  const view = new DataView(kernel.buffer, kernel.byteOffset, kernel.byteLength)
  const long = kernel.length >= Field.loadFlags + 1
  if (!long || view.getUint16(Field.bootFlag, true) !== BOOT_FLAG || view.getUint32(Field.magic, true) !== MAGIC) {
    refuse(
      'kernel-unknown',
      `the kernel is no bzImage; it is ${looksLike(kernel)}, ${kernel.length} bytes`,
      'give a vmlinuz as a distribution installs it in /boot, or an ELF vmlinux',
    )
  }
  const protocol = view.getUint16(Field.version, true)
  const name = `${protocol >> 8}.${String(protocol & 0xff).padStart(2, '0')}`
  if (protocol < 0x0202 || (kernel[Field.loadFlags]! & LoadFlag.high) === 0) {
    const what = protocol < 0x0202 ? `speaks boot protocol ${name}` : 'is a zImage, for loading below 640 KiB'
    refuse('kernel-unsupported', `the kernel ${what}`, 'give a bzImage of Linux 2.4 or later (protocol 2.02)')
  }
  const end = Math.min(Field.magic + kernel[Field.jump + 1]!, Field.end)
  const setup = ((kernel[Field.setupSectors] || 4) + 1) * SECTOR
  if (kernel.length < Math.max(setup, end)) {
    refuse(
      'kernel-truncated',
      `the kernel ends after ${kernel.length} of ${setup} bytes of setup`,
      'get the file again',
    )
  }
  const header = kernel.subarray(Field.setupSectors, end)
  return interpret(header, kernel, setup, protocol)
}

function interpret(header: Uint8Array, kernel: Uint8Array, setup: number, protocol: number): KernelHeader {
  // Fields beyond the header's real end are code, and count as 0.
  const whole = new DataView(new ArrayBuffer(Field.end + 16))
  new Uint8Array(whole.buffer).set(header, Field.setupSectors)
  const since = (version: number, offset: number, otherwise: number) =>
    protocol >= version ? whole.getUint32(offset, true) : otherwise
  if (protocol >= 0x020c && (whole.getUint16(Field.extendedLoadFlags, true) & KERNEL_64) !== 0) {
    refuse('kernel-unsupported', 'the kernel is for 64 bits, which this CPU does not have', 'give one for i386')
  }
  const alignment = since(0x0205, Field.alignment, 0) || MIB
  if ((alignment & (alignment - 1)) !== 0) {
    refuse('kernel-unsupported', `the kernel wants to be aligned to ${alignment} bytes`, 'get the file again')
  }
  const code = codeOf(kernel.subarray(setup), since(0x0204, Field.systemSize, 0) * 16)
  const high = since(0x020a, Field.preferredAddress + 4, 0)
  const preferredAddress = high * 2 ** 32 + since(0x020a, Field.preferredAddress, 0)
  return {
    bytes: header,
    protocol,
    title: titleOf(kernel, whole.getUint16(Field.kernelVersion, true), setup),
    code,
    relocatable: protocol >= 0x0205 && whole.getUint8(Field.relocatable) !== 0,
    alignment,
    preferredAddress: preferredAddress || MIB,
    initSize: Math.max(since(0x020a, Field.initSize, 0), code.length),
    commandLineSize: since(0x0206, Field.commandLineSize, 0) || 255,
    ramdiskMaximum: since(0x0203, Field.ramdiskMaximum, 0) || 0x37ff_ffff,
  }
}

/** The protected-mode part; `size` is what the header says of it, rounded up to 16, or 0 where it does not. */
function codeOf(rest: Uint8Array, size: number): Uint8Array {
  if (rest.length === 0) {
    refuse('kernel-truncated', 'the kernel has only its setup, no protected-mode part', 'get the file again')
  }
  if (size > rest.length + 15) {
    const had = `${amount(rest.length)} of ${amount(size)}`
    refuse('kernel-truncated', `the kernel has ${had} of its protected-mode part`, 'get the file again')
  }
  return size === 0 ? rest : rest.subarray(0, size)
}

/** `Linux 6.1.0-50-686`, or another name; the header has the offset of a text that begins with it. */
function titleOf(kernel: Uint8Array, offset: number, setup: number): string | undefined {
  const at = offset + SECTOR
  if (offset === 0 || at >= setup) return undefined
  const text = String.fromCharCode(...kernel.subarray(at, Math.min(at + 64, setup)))
  const release = /^\d[\w.+-]*/.exec(text)?.[0]
  return release === undefined ? /^[ -~]+/.exec(text)?.[0] : `Linux ${release}`
}
