/** The Multiboot information structure (Multiboot Specification 0.6.96, 3.3). */
import type { MapEntry, MapKind, Screen } from '../image.ts'

/** A module where it lies. */
export interface PlacedModule {
  readonly address: number
  readonly bytes: Uint8Array
  readonly cmdline: string
}

/** The section headers of an ELF kernel, their addresses being those in memory. */
export interface SectionHeaders {
  readonly count: number
  /** Bytes of one. */
  readonly size: number
  readonly bytes: Uint8Array
  /** Number of the section with the names. */
  readonly names: number
}

/** What the kernel is told. */
export interface MultibootInfo {
  readonly memoryMap: readonly MapEntry[]
  readonly cmdline: string
  readonly loader: string
  readonly modules: readonly PlacedModule[]
  readonly sections: SectionHeaders | undefined
  readonly screen: Screen | undefined
}

/** Bits of the flags, each for what is there. */
const Has = {
  memory: 1 << 0,
  cmdline: 1 << 2,
  modules: 1 << 3,
  sections: 1 << 5,
  memoryMap: 1 << 6,
  loader: 1 << 9,
  framebuffer: 1 << 12,
} as const
const INFO_BYTES = 116
const MODULE_BYTES = 16
const KINDS: Readonly<Record<MapKind, number>> = { usable: 1, reserved: 2, acpi: 3, nvs: 4 }
const MIB = 2 ** 20

/** The structure and all it points to, for the address at which it will lie. Its length does not depend on that. */
export function multibootInfo(info: MultibootInfo, address: number): Uint8Array {
  const tail = new Tail(address + INFO_BYTES)
  const view = new DataView(new ArrayBuffer(INFO_BYTES))
  const set32 = (offset: number, value: number) => view.setUint32(offset, value, true)
  let flags = Has.memory | Has.cmdline | Has.memoryMap | Has.loader
  const usableAt = (start: number) => info.memoryMap.find((entry) => entry.start === start && entry.kind === 'usable')
  set32(4, Math.floor((usableAt(0)?.bytes ?? 0) / 1024))
  set32(8, Math.floor((usableAt(MIB)?.bytes ?? 0) / 1024))
  set32(16, tail.text(info.cmdline))
  if (info.modules.length > 0) {
    flags |= Has.modules
    set32(20, info.modules.length)
    set32(24, tail.add(moduleList(info.modules, tail)))
  }
  if (info.sections !== undefined) {
    flags |= Has.sections
    set32(28, info.sections.count)
    set32(32, info.sections.size)
    set32(36, tail.add(info.sections.bytes))
    set32(40, info.sections.names)
  }
  const map = memoryMap(info.memoryMap)
  set32(44, map.length)
  set32(48, tail.add(map))
  set32(64, tail.text(info.loader))
  if (info.screen !== undefined) {
    flags |= Has.framebuffer
    setScreen(view, info.screen)
  }
  set32(0, flags)
  const whole = new Uint8Array(INFO_BYTES + tail.length)
  whole.set(new Uint8Array(view.buffer))
  tail.copyTo(whole.subarray(INFO_BYTES))
  return whole
}

/** What comes behind the structure, each thing on a multiple of 4. */
class Tail {
  readonly #address: number
  readonly #parts: { readonly offset: number; readonly bytes: Uint8Array }[] = []
  length = 0

  constructor(address: number) {
    this.#address = address
  }

  /** Returns the address at which it will lie. */
  add(bytes: Uint8Array): number {
    const offset = this.length
    this.#parts.push({ offset, bytes })
    this.length += Math.ceil(bytes.length / 4) * 4
    return this.#address + offset
  }

  /** As {@link add}, with a zero at its end. */
  text(text: string): number {
    return this.add(new TextEncoder().encode(`${text}\0`))
  }

  copyTo(into: Uint8Array): void {
    for (const { offset, bytes } of this.#parts) into.set(bytes, offset)
  }
}

function moduleList(modules: readonly PlacedModule[], tail: Tail): Uint8Array {
  const view = new DataView(new ArrayBuffer(modules.length * MODULE_BYTES))
  for (const [i, { address, bytes, cmdline }] of modules.entries()) {
    const values = [address, address + bytes.length, tail.text(cmdline), 0]
    for (const [n, value] of values.entries()) view.setUint32(i * MODULE_BYTES + n * 4, value, true)
  }
  return new Uint8Array(view.buffer)
}

/** Each entry says first how long it is, not counting that. */
function memoryMap(entries: readonly MapEntry[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(entries.length * 24))
  for (const [i, { start, bytes, kind }] of entries.entries()) {
    view.setUint32(i * 24, 20, true)
    view.setBigUint64(i * 24 + 4, BigInt(start), true)
    view.setBigUint64(i * 24 + 12, BigInt(bytes), true)
    view.setUint32(i * 24 + 20, KINDS[kind], true)
  }
  return new Uint8Array(view.buffer)
}

/** The framebuffer: of direct colour (type 1), or text (type 2). */
function setScreen(view: DataView, screen: Screen): void {
  const set = (address: number, pitch: number, width: number, height: number, bits: number, type: number) => {
    view.setBigUint64(88, BigInt(address), true)
    view.setUint32(96, pitch, true)
    view.setUint32(100, width, true)
    view.setUint32(104, height, true)
    view.setUint8(108, bits)
    view.setUint8(109, type)
  }
  if (screen.kind === 'text') {
    const { columns = 80, rows = 25 } = screen
    set(0xb_8000, columns * 2, columns, rows, 16, 2)
    return
  }
  set(screen.address, screen.stride, screen.width, screen.height, screen.depth, 1)
  const { red = [16, 8], green = [8, 8], blue = [0, 8] } = screen
  for (const [i, value] of [...red, ...green, ...blue].entries()) view.setUint8(110 + i, value)
}
