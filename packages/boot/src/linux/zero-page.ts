/** The zero page, `struct boot_params` (the Linux/x86 boot protocol, and "Zero Page" beside it). */
import { refuse } from '../errors.ts'
import type { MapEntry, MapKind, Screen } from '../image.ts'
import { Field, LoadFlag } from './header.ts'

const Zero = {
  acpiRoot: 0x070,
  /** High halves of ramdisk address, ramdisk size and command line. */
  extendedRamdiskAddress: 0x0c0,
  extendedRamdiskSize: 0x0c4,
  extendedCommandLine: 0x0c8,
  /** KiB from 1 MiB, of which older kernels take account. */
  memory: 0x1e0,
  mapEntries: 0x1e8,
  map: 0x2d0,
  setupData: 0x250,
} as const
export const ZERO_PAGE_BYTES = 4096
const MAP_ENTRIES = 128
const MAP_ENTRY_BYTES = 20
const KINDS: Readonly<Record<MapKind, number>> = { usable: 1, reserved: 2, acpi: 3, nvs: 4 }
const MIB = 2 ** 20

/** Offsets in `struct screen_info`, at the beginning of the zero page. */
const Info = {
  memory: 0x02,
  mode: 0x06,
  columns: 0x07,
  adapter: 0x0a,
  rows: 0x0e,
  kind: 0x0f,
  characterHeight: 0x10,
  width: 0x12,
  height: 0x14,
  depth: 0x16,
  base: 0x18,
  size: 0x1c,
  stride: 0x24,
  red: 0x26,
  green: 0x28,
  blue: 0x2a,
} as const
/** Text of a VGA, and a linear framebuffer of VESA's. */
const VGA_TEXT = 1
const FRAMEBUFFER = 0x23
/** What INT 10h, AH=12h, BL=10h gives in BX for a VGA with 256 KiB: colour. */
const VGA_ADAPTER = 3
/** VGA mode 3: 80 columns in colour. */
const TEXT_MODE = 3
/** "Normal" for the command line's `vga=`. */
const NORMAL_MODE = 0xffff
/** A loader without a number of its own. */
const LOADER = 0xff

/** What the zero page says. Addresses are below 4 GiB. */
export interface ZeroPage {
  /** Its bytes go to 0x1f1. */
  readonly header: Uint8Array
  readonly codeAddress: number
  readonly commandLineAddress: number
  /** Offset of the end of the heap from the zero page's address: memory up to there is the kernel's. */
  readonly heapEnd: number
  readonly ramdisk: { readonly address: number; readonly size: number } | undefined
  readonly memoryMap: readonly MapEntry[]
  readonly acpiRoot: number | undefined
  readonly screen: Screen | undefined
  /** Address of the first record of further data, if there is one. */
  readonly setupData: number | undefined
}

/** @throws VmexitError `kernel-unsupported` if the memory map has more entries than go into it. */
export function zeroPage(contents: ZeroPage): Uint8Array {
  const { memoryMap, ramdisk } = contents
  if (memoryMap.length > MAP_ENTRIES) {
    const problem = `the memory map has ${memoryMap.length} entries, and Linux takes ${MAP_ENTRIES}`
    refuse('kernel-unsupported', problem, 'give the machine fewer ranges of memory, or reserve fewer')
  }
  const bytes = new Uint8Array(ZERO_PAGE_BYTES)
  const view = new DataView(bytes.buffer)
  const set32 = (offset: number, value: number) => view.setUint32(offset, value, true)
  bytes.set(contents.header, Field.setupSectors)
  view.setUint16(Field.videoMode, NORMAL_MODE, true)
  view.setUint8(Field.loaderType, LOADER)
  view.setUint8(Field.loadFlags, view.getUint8(Field.loadFlags) | LoadFlag.heap)
  view.setUint16(Field.heapEnd, contents.heapEnd - 0x200, true)
  set32(Field.code32Start, contents.codeAddress)
  set32(Field.commandLine, contents.commandLineAddress)
  set32(Zero.extendedCommandLine, 0)
  set32(Field.ramdiskAddress, ramdisk?.address ?? 0)
  set32(Field.ramdiskSize, ramdisk?.size ?? 0)
  set32(Zero.extendedRamdiskAddress, 0)
  set32(Zero.extendedRamdiskSize, 0)
  if (contents.setupData !== undefined) set32(Zero.setupData, contents.setupData)
  set32(Zero.acpiRoot, contents.acpiRoot ?? 0)
  const above = memoryMap.find(({ start, kind }) => start === MIB && kind === 'usable')?.bytes ?? 0
  set32(Zero.memory, above / 1024)
  view.setUint16(Info.memory, Math.min(above / 1024, 0xfc00), true)
  view.setUint8(Zero.mapEntries, memoryMap.length)
  for (const [i, entry] of memoryMap.entries()) {
    const at = Zero.map + i * MAP_ENTRY_BYTES
    view.setBigUint64(at, BigInt(entry.start), true)
    view.setBigUint64(at + 8, BigInt(entry.bytes), true)
    set32(at + 16, KINDS[entry.kind])
  }
  if (contents.screen !== undefined) setScreen(view, contents.screen)
  return bytes
}

function setScreen(view: DataView, screen: Screen): void {
  const set16 = (offset: number, value: number) => view.setUint16(offset, value, true)
  if (screen.kind === 'text') {
    view.setUint8(Info.mode, TEXT_MODE)
    view.setUint8(Info.columns, screen.columns ?? 80)
    view.setUint8(Info.rows, screen.rows ?? 25)
    set16(Info.adapter, VGA_ADAPTER)
    set16(Info.characterHeight, 16)
    view.setUint8(Info.kind, VGA_TEXT)
    return
  }
  const { red = [16, 8], green = [8, 8], blue = [0, 8] } = screen
  view.setUint8(Info.kind, FRAMEBUFFER)
  set16(Info.width, screen.width)
  set16(Info.height, screen.height)
  set16(Info.depth, screen.depth)
  set16(Info.stride, screen.stride)
  view.setUint32(Info.base, screen.address, true)
  // In units of 64 KiB.
  view.setUint32(Info.size, Math.ceil((screen.stride * screen.height) / 0x1_0000), true)
  for (const [offset, [position, bits]] of [
    [Info.red, red],
    [Info.green, green],
    [Info.blue, blue],
  ] as const) {
    view.setUint8(offset, bits)
    view.setUint8(offset + 1, position)
  }
}
