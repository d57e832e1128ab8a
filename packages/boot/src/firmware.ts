/**
 * What firmware would have left in memory for a kernel that is loaded without any: the BIOS data area, the extended one,
 * tables, and the memory map that INT 15h, AX=E820h would give (ACPI 6.4, 15.1).
 */
import { hex } from '@vmexit/core'
import { PAGE_BYTES } from '@vmexit/memory'
import { refuse } from './errors.ts'
import type { BootPiece, BootRange, BootTarget, MapEntry, MapKind, PlacedTable } from './image.ts'

/** Where the extended BIOS data area begins: the last KiB below 640 KiB. */
export const EBDA = 0x9_fc00
const BIOS_DATA = 0x400
/** Adapters and firmware: no RAM to the guest, whatever lies there. */
const ADAPTERS = 0xa_0000
const FIRMWARE = 0xe_0000
const MIB = 0x10_0000
/** The area of option ROMs and firmware, which a host bridge shadows. */
const SHADOW = 0xc_0000

/** Where the shadow area is: mapped by whatever loads firmware or stands in for it. */
export const shadowRange: BootRange = {
  kind: 'ram',
  start: SHADOW,
  bytes: MIB - SHADOW,
  name: 'option ROMs and firmware',
}

/** What a loader without firmware brings along. */
export interface Firmware {
  readonly ranges: readonly BootRange[]
  readonly pieces: readonly BootPiece[]
  readonly memoryMap: readonly MapEntry[]
  /** Address of the ACPI root pointer, if it is among the tables. */
  readonly acpiRoot: number | undefined
}

/** What there is to be known beside the target. */
export interface FirmwareOptions {
  /** Tables to put into memory; `acpiTables()` of `@vmexit/chipset` makes ACPI's. */
  readonly tables?: readonly PlacedTable[]
  /** Ranges that the guest must leave alone: a framebuffer, registers. */
  readonly reserved?: readonly { readonly start: number; readonly bytes: number }[]
}

/** @throws VmexitError `memory-too-small`; `boot-table` for a table outside of memory, or where another one is. */
export function firmwareOf(target: BootTarget, { tables = [], reserved = [] }: FirmwareOptions): Firmware {
  const map = new MemoryMap(target)
  if (!map.isUsable(0, ADAPTERS)) {
    refuse('memory-too-small', 'the machine has no RAM from 0 to 640 KiB', "give it a PC's memory: ram('64 MiB')")
  }
  map.mark(EBDA, ADAPTERS - EBDA, 'reserved')
  map.mark(MIB - 0x1_0000, 0x1_0000, 'reserved')
  for (const { start, bytes } of reserved) map.mark(start, bytes, 'reserved')
  for (const table of tables) markTable(map, table)
  refuseOverlaps(tables)
  const data = new DataView(new ArrayBuffer(0x100))
  data.setUint16(0x0e, EBDA >> 4, true)
  data.setUint16(0x13, EBDA >> 10, true)
  return {
    ranges: [shadowRange],
    pieces: [
      { name: 'BIOS data area', address: BIOS_DATA, bytes: new Uint8Array(data.buffer) },
      { name: 'extended BIOS data area', address: EBDA, bytes: Uint8Array.of(1), size: ADAPTERS - EBDA },
      ...tables.map(({ address, bytes }) => ({ name: nameOf(bytes), address, bytes })),
    ],
    memoryMap: map.entries,
    acpiRoot: tables.find(({ bytes }) => signatureOf(bytes, 8) === 'RSD PTR ')?.address,
  }
}

const signatureOf = (bytes: Uint8Array, length: number): string => String.fromCharCode(...bytes.subarray(0, length))

/** `table FACP`; what has no signature is a `table`. */
function nameOf(bytes: Uint8Array): string {
  const signature = signatureOf(bytes, bytes[3] === 0x20 ? 8 : 4).trim()
  return /^[\w ]+$/.test(signature) ? `table ${signature}` : 'table'
}

function markTable(map: MemoryMap, { address, bytes }: PlacedTable): void {
  const end = address + bytes.length
  const first = Math.floor(address / PAGE_BYTES) * PAGE_BYTES
  const whole = Math.ceil(end / PAGE_BYTES) * PAGE_BYTES - first
  if (address >= FIRMWARE && end <= MIB) map.mark(first, whole, 'reserved')
  // The FACS is written to, so that it outlives the tables proper.
  else if (map.isUsable(address, end)) map.mark(first, whole, signatureOf(bytes, 4) === 'FACS' ? 'nvs' : 'acpi')
  else {
    refuse(
      'boot-table',
      `${nameOf(bytes)} at ${hex(address)} (${bytes.length} bytes) is not in RAM`,
      'put it between 0xe0000 and 0xfffff, or into RAM, in pages of its own',
    )
  }
}

function refuseOverlaps(tables: readonly PlacedTable[]): void {
  const sorted = tables.toSorted((a, b) => a.address - b.address)
  for (const [i, { address, bytes }] of sorted.entries()) {
    const next = sorted[i + 1]
    if (next === undefined || address + bytes.length <= next.address) continue
    refuse(
      'boot-table',
      `${nameOf(next.bytes)} at ${hex(next.address)} lies over ${nameOf(bytes)} at ${hex(address)}`,
      'give each table a place of its own',
    )
  }
}

/** RAM of a target with what is taken from it. */
class MemoryMap {
  #entries: MapEntry[]

  constructor(target: BootTarget) {
    this.#entries = target.ranges
      // Memory of a card is no RAM of the machine.
      .filter(({ kind, saved }) => kind === 'ram' && saved !== false)
      .flatMap(({ start, bytes }) => except(start, start + bytes, ADAPTERS, MIB))
      .map(({ start, end }) => ({ start, bytes: end - start, kind: 'usable' }))
  }

  /** By ascending address; neighbours of one kind are one. */
  get entries(): readonly MapEntry[] {
    const joined: MapEntry[] = []
    for (const next of this.#entries.toSorted((a, b) => a.start - b.start)) {
      const last = joined.at(-1)
      if (last === undefined || last.kind !== next.kind || last.start + last.bytes !== next.start) joined.push(next)
      else joined[joined.length - 1] = { ...last, bytes: last.bytes + next.bytes }
    }
    return joined
  }

  isUsable(start: number, end: number): boolean {
    return this.entries.some((entry) => {
      return entry.kind !== 'reserved' && entry.start <= start && end <= entry.start + entry.bytes
    })
  }

  /** Makes a range of one kind, whatever it was. */
  mark(start: number, bytes: number, kind: MapKind): void {
    const end = start + bytes
    const rest = this.#entries.flatMap((entry) => {
      return except(entry.start, entry.start + entry.bytes, start, end).map((part) => ({
        start: part.start,
        bytes: part.end - part.start,
        kind: entry.kind,
      }))
    })
    this.#entries = [...rest, { start, bytes, kind }]
  }
}

/** What is left of a range without another. */
function except(start: number, end: number, from: number, to: number): { start: number; end: number }[] {
  if (end <= from || to <= start) return [{ start, end }]
  return [
    { start, end: Math.min(end, from) },
    { start: Math.max(start, to), end },
  ].filter((rest) => rest.end > rest.start)
}
