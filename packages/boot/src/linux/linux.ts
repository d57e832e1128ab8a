/** Linux by its 32-bit boot protocol (the Linux/x86 boot protocol, 2.02 to 2.15). */
import { hex } from '@vmexit/core'
import { isElf, readElf } from '@vmexit/elf'
import { PAGE_BYTES } from '@vmexit/memory'
import { amount, refuse } from '../errors.ts'
import { EBDA, type FirmwareOptions, firmwareOf } from '../firmware.ts'
import { CODE_SELECTOR, DATA_SELECTOR, flatGdt, GDT_BYTES } from '../gdt.ts'
import type { BootPiece, Loader, Screen } from '../image.ts'
import { Room } from '../room.ts'
import { type KernelHeader, readKernelHeader } from './header.ts'
import { readVmlinux, VMLINUX_PROTOCOL } from './vmlinux.ts'
import { ZERO_PAGE_BYTES, zeroPage } from './zero-page.ts'

/** What {@link linux} boots. */
export interface LinuxOptions extends FirmwareOptions {
  /** A bzImage (`vmlinuz`) or an ELF `vmlinux`; memtest86+ is one too. */
  readonly kernel: Uint8Array
  /** The initial RAM disk, compressed or not. */
  readonly initrd?: Uint8Array
  /** The command line. */
  readonly append?: string
  /** Bytes for the kernel's random number generator, which firmware would have gathered; kernels from 6.0 on take them. */
  readonly randomSeed?: Uint8Array
  /** The screen there is; none unless stated. */
  readonly screen?: Screen
}

/** A kernel of either form, as this loader needs it. */
interface Kernel {
  readonly title: string
  readonly header: Uint8Array
  readonly entry: number
  readonly pieces: readonly BootPiece[]
  /** What must be RAM and is the kernel's when it begins. */
  readonly taken: readonly { readonly start: number; readonly bytes: number }[]
  readonly commandLineSize: number
  readonly ramdiskMaximum: number
  readonly protocol: number
}

/** Zero page, descriptor table, stack and heap, which stay clear of each other. */
const ZERO_PAGE = 0x1_0000
const GDT: number = ZERO_PAGE + ZERO_PAGE_BYTES
const STACK = 0x1_f000
const HEAP_END: number = 0xe000
const COMMAND_LINE = 0x2_0000
/** Behind the longest command line there can be. */
const SETUP_DATA = 0x3_0000
const MIB = 2 ** 20
/** A vmlinux does not say; this is what i386 kernels take. */
const VMLINUX_COMMAND_LINE = 2047
const SETUP_RNG_SEED = 9
const VMLINUX_RAMDISK_MAXIMUM = 0x37ff_ffff

/**
 * Loads Linux, its initrd, command line and memory map. The kernel begins as the boot protocol says: flat protected mode,
 * ESI with the address of the zero page.
 *
 * The loader throws a VmexitError `kernel-unknown`, `kernel-truncated`, `kernel-unsupported`, `command-line-too-long`,
 * `initrd-too-large`, `memory-too-small`, `boot-table`, or those of `@vmexit/elf` for a vmlinux.
 */
export function linux(options: LinuxOptions): Loader {
  return (target) => {
    const firmware = firmwareOf(target, options)
    const kernel = isElf(options.kernel) ? fromElf(options.kernel) : fromBzImage(readKernelHeader(options.kernel))
    const room = new Room(firmware.memoryMap.filter(({ kind }) => kind === 'usable'))
    claim(kernel, room, options.initrd?.length ?? 0)
    const commandLine = commandLineOf(options.append ?? '', kernel.commandLineSize)
    const ramdisk = placeRamdisk(options.initrd, kernel, room)
    const seed = options.randomSeed && kernel.protocol >= 0x0209 ? seedRecord(options.randomSeed) : undefined
    const page = zeroPage({
      header: kernel.header,
      codeAddress: kernel.entry,
      commandLineAddress: COMMAND_LINE,
      heapEnd: HEAP_END,
      ramdisk: ramdisk && { address: ramdisk.address, size: ramdisk.bytes.length },
      memoryMap: firmware.memoryMap,
      acpiRoot: firmware.acpiRoot,
      screen: options.screen,
      setupData: seed && SETUP_DATA,
    })
    return {
      title: kernel.title,
      ranges: firmware.ranges,
      pieces: [
        ...firmware.pieces,
        { name: 'zero page', address: ZERO_PAGE, bytes: page },
        { name: 'descriptor table', address: GDT, bytes: flatGdt() },
        { name: 'command line', address: COMMAND_LINE, bytes: commandLine },
        ...(seed === undefined ? [] : [{ name: 'random seed', address: SETUP_DATA, bytes: seed }]),
        ...kernel.pieces,
        ...(ramdisk === undefined ? [] : [ramdisk]),
      ],
      memoryMap: firmware.memoryMap,
      entry: {
        mode: 'flat',
        eip: kernel.entry,
        registers: { si: ZERO_PAGE, sp: STACK },
        gdtBase: GDT,
        gdtLimit: GDT_BYTES - 1,
        code: CODE_SELECTOR,
        data: DATA_SELECTOR,
      },
    }
  }
}

/** A record of `struct setup_data`: next, type, length, contents. */
function seedRecord(seed: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(16 + seed.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(8, SETUP_RNG_SEED, true)
  view.setUint32(12, seed.length, true)
  bytes.set(seed, 16)
  return bytes
}

/** Where the kernel is loaded and where it then runs: where it likes best, so that it need not move. */
function fromBzImage(header: KernelHeader): Kernel {
  const { code, initSize, alignment, preferredAddress, protocol } = header
  const up = (address: number) => Math.ceil(address / alignment) * alignment
  const address = header.relocatable && protocol >= 0x020a ? up(Math.max(preferredAddress, MIB)) : MIB
  const runs = header.relocatable ? up(address) : preferredAddress
  return {
    title: header.title ?? `kernel of boot protocol ${protocol >> 8}.${String(protocol & 0xff).padStart(2, '0')}`,
    header: header.bytes,
    entry: address,
    pieces: [{ name: 'kernel', address, bytes: code }],
    taken: [
      { start: address, bytes: code.length },
      { start: runs, bytes: initSize },
    ],
    commandLineSize: header.commandLineSize,
    ramdiskMaximum: header.ramdiskMaximum,
    protocol,
  }
}

function fromElf(bytes: Uint8Array): Kernel {
  const { header, pieces, entry } = readVmlinux(readElf(bytes))
  return {
    title: 'Linux (vmlinux)',
    header,
    entry,
    pieces,
    taken: pieces.map((piece) => ({ start: piece.address, bytes: piece.size ?? piece.bytes.length })),
    commandLineSize: VMLINUX_COMMAND_LINE,
    ramdiskMaximum: VMLINUX_RAMDISK_MAXIMUM,
    protocol: VMLINUX_PROTOCOL,
  }
}

/** Takes what is the kernel's and the loader's. */
function claim(kernel: Kernel, room: Room, initrd: number): void {
  for (const { start, bytes } of kernel.taken) {
    if (start >= MIB && room.has(start, bytes)) continue
    refuse(
      'memory-too-small',
      `the kernel needs RAM from ${hex(start)} to ${hex(start + bytes)}, and not all of that is free RAM`,
      start < MIB ? 'link it above 1 MiB' : `give the machine at least ${needed(kernel, initrd)} MiB, in one piece`,
    )
  }
  for (const { start, bytes } of kernel.taken) room.take(start, bytes)
  room.take(0, MIB)
}

/** MiB of memory with which kernel and initrd have room. */
function needed(kernel: Kernel, initrd: number): number {
  const end = Math.max(...kernel.taken.map(({ start, bytes }) => start + bytes))
  const pages = Math.ceil(end / PAGE_BYTES) + Math.ceil(initrd / PAGE_BYTES)
  return Math.ceil((pages * PAGE_BYTES) / MIB)
}

function commandLineOf(append: string, limit: number): Uint8Array {
  const text = new TextEncoder().encode(append)
  const most = Math.min(limit, EBDA - COMMAND_LINE - 1)
  if (text.length > most) {
    refuse('command-line-too-long', `the command line has ${text.length} bytes`, `the kernel takes ${most}; shorten it`)
  }
  const terminated = new Uint8Array(text.length + 1)
  terminated.set(text)
  return terminated
}

/** As high as the kernel allows, where it is least in the way. */
function placeRamdisk(initrd: Uint8Array | undefined, kernel: Kernel, room: Room): BootPiece | undefined {
  if (initrd === undefined || initrd.length === 0) return undefined
  const below = kernel.ramdiskMaximum + 1
  const address = room.highest(initrd.length, { align: PAGE_BYTES, from: MIB, below })
  if (address !== undefined) return { name: 'initrd', address, bytes: initrd }
  const mib = needed(kernel, initrd.length)
  return refuse(
    'initrd-too-large',
    `the initrd of ${amount(initrd.length)} does not fit beside the kernel below ${hex(below)}`,
    mib * MIB <= below ? `give the machine at least ${mib} MiB, in one piece` : 'give a smaller initrd',
  )
}
