/** Kernels for Multiboot 1 (Multiboot Specification 0.6.96). */
import { hex } from '@vmexit/core'
import { type Elf, SectionFlag } from '@vmexit/elf'
import { PAGE_BYTES } from '@vmexit/memory'
import { amount, refuse } from '../errors.ts'
import { EBDA, type FirmwareOptions, firmwareOf } from '../firmware.ts'
import { CODE_SELECTOR, DATA_SELECTOR, flatGdt, GDT_BYTES } from '../gdt.ts'
import type { BootPiece, Loader, Screen } from '../image.ts'
import { Room, type Wish } from '../room.ts'
import { type MultibootKernel, readMultibootKernel } from './header.ts'
import { multibootInfo, type PlacedModule, type SectionHeaders } from './info.ts'

/** What {@link multiboot} boots. */
export interface MultibootOptions extends FirmwareOptions {
  /** An ELF file of 32 bits, or any file whose Multiboot header has addresses. */
  readonly kernel: Uint8Array
  /** The command line as the kernel is to see it. (GRUB puts the file's name before it.) */
  readonly cmdline?: string
  /** Loaded behind the kernel, in this order, each on a page of its own. */
  readonly modules?: readonly MultibootModule[]
  /** The screen there is; none unless stated. A kernel that wants to be told of one is not booted without. */
  readonly screen?: Screen
}

/** A file that the kernel is given. */
export interface MultibootModule {
  readonly bytes: Uint8Array
  /** Its text: a name, or arguments. Empty unless stated. */
  readonly cmdline?: string
}

/** What EAX holds, by which a kernel knows its loader. */
const LOADER_MAGIC = 0x2bad_b002
const LOADER = 'vmexit'
const MIB = 2 ** 20
/** Interrupt vectors and the BIOS data area end here; the rest of the page stays free as well. */
const LOW = 0x1000
/** In a section header of 32 bits. */
const SECTION_ADDRESS = 12

/**
 * Loads a Multiboot kernel and its modules. It begins as the specification says: flat protected mode, EAX with the magic
 * number, EBX with the address of the information structure, no stack.
 *
 * The loader throws a VmexitError `kernel-unknown`, `kernel-truncated`, `kernel-unsupported`, `module-too-large`,
 * `memory-too-small`, `boot-table`, or those of `@vmexit/elf`.
 */
export function multiboot(options: MultibootOptions): Loader {
  return (target) => {
    const firmware = firmwareOf(target, options)
    const { memoryMap } = firmware
    const kernel = readMultibootKernel(options.kernel)
    if (kernel.wantsVideo && options.screen === undefined) {
      refuse(
        'kernel-unsupported',
        'the kernel wants to be told of a screen',
        'give the machine one, and this loader `screen`',
      )
    }
    const room = new Room(memoryMap.filter(({ kind }) => kind === 'usable'))
    room.take(0, LOW)
    const end = claim(kernel, room)
    const modules = placeModules(options.modules ?? [], room, Math.max(end, MIB))
    const sections = kernel.elf && placeSections(kernel.elf, room, Math.max(end, MIB))
    const gdt = find(room, GDT_BYTES, { align: 8, from: LOW, below: EBDA })
    const info = {
      memoryMap,
      cmdline: options.cmdline ?? '',
      loader: LOADER,
      modules,
      sections: sections?.headers,
      screen: options.screen,
    }
    const { length } = multibootInfo(info, 0)
    const address = find(room, length, { align: 8, from: LOW })
    return {
      title: 'Multiboot kernel',
      ranges: firmware.ranges,
      pieces: [
        ...firmware.pieces,
        ...kernel.pieces,
        ...modules.map(({ address, bytes }, i) => ({ name: `module ${i}`, address, bytes })),
        ...(sections?.pieces ?? []),
        { name: 'descriptor table', address: gdt, bytes: flatGdt() },
        { name: 'Multiboot information', address, bytes: multibootInfo(info, address) },
      ],
      memoryMap,
      entry: {
        mode: 'flat',
        eip: kernel.entry,
        registers: { ax: LOADER_MAGIC, bx: address },
        gdtBase: gdt,
        gdtLimit: GDT_BYTES - 1,
        code: CODE_SELECTOR,
        data: DATA_SELECTOR,
      },
    }
  }
}

/** Takes what is the kernel's; the end of it. */
function claim(kernel: MultibootKernel, room: Room): number {
  const places = kernel.pieces.map(({ address, bytes, size = bytes.length }) => ({ start: address, bytes: size }))
  const end = Math.max(...places.map(({ start, bytes }) => start + bytes))
  for (const { start, bytes } of places) {
    if (room.has(start, bytes)) continue
    const where = `the kernel is for ${hex(start)} to ${hex(start + bytes)}, and not all of that is free RAM`
    const remedy =
      start < MIB ? 'link it at 1 MiB or above' : `give the machine at least ${Math.ceil(end / MIB)} MiB, in one piece`
    refuse('memory-too-small', where, remedy)
  }
  for (const { start, bytes } of places) room.take(start, bytes)
  return end
}

function find(room: Room, bytes: number, wish: Wish): number {
  const address = room.lowest(bytes, wish)
  if (address !== undefined) return address
  return refuse(
    'memory-too-small',
    `there is no room for ${amount(bytes)} beside the kernel`,
    'give the machine more memory',
  )
}

function placeModules(modules: readonly MultibootModule[], room: Room, from: number): PlacedModule[] {
  let next = from
  return modules.map(({ bytes, cmdline = '' }, i) => {
    const address = room.lowest(bytes.length, { align: PAGE_BYTES, from: next })
    if (address === undefined) {
      return refuse(
        'module-too-large',
        `module ${i} of ${amount(bytes.length)} does not fit beside the kernel`,
        `give the machine more memory (${amount(room.longest)} are free in one piece), or smaller modules`,
      )
    }
    next = address + Math.max(bytes.length, 1)
    return { address, bytes, cmdline }
  })
}

/** Sections that are in no segment, such as the symbols, are loaded for the kernel to look at. */
function placeSections(
  elf: Elf,
  room: Room,
  from: number,
): { headers: SectionHeaders; pieces: BootPiece[] } | undefined {
  if (elf.sections.length === 0) return undefined
  const bytes = new Uint8Array(elf.sectionHeaders)
  const view = new DataView(bytes.buffer)
  const size = bytes.length / elf.sections.length
  const pieces: BootPiece[] = []
  for (const [i, section] of elf.sections.entries()) {
    if ((section.flags & BigInt(SectionFlag.allocate)) !== 0n || section.bytes.length === 0) continue
    const address = find(room, section.bytes.length, { align: 16, from })
    view.setUint32(i * size + SECTION_ADDRESS, address, true)
    pieces.push({ name: `section ${section.name}`, address, bytes: section.bytes })
  }
  return { headers: { count: elf.sections.length, size, bytes, names: elf.sectionNames }, pieces }
}
