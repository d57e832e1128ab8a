/** What a boot loader has decided: what goes where in memory, what the guest is told of it, and where the CPU begins. */
import type { MemoryRange } from '@vmexit/memory'
import type { FlatStart } from '@vmexit/x86'

/** What a loader looks at: the memory of the machine. A `GuestMemory` is one, and so is `{ ranges: pcRanges({ ram }) }`. */
export interface BootTarget {
  readonly ranges: readonly MemoryRange[]
}

/**
 * Decides how to boot a machine, from its inputs and the target alone: nothing is written. What cannot be booted is a
 * `VmexitError` whose code the maker of the loader documents.
 */
export type Loader = (target: BootTarget) => BootImage

/** Bytes that a loader puts into memory. */
export interface BootPiece {
  /** For people: `kernel`, `initrd`. */
  readonly name: string
  /** Guest-physical. */
  readonly address: number
  readonly bytes: Uint8Array
  /** Length in memory where that is more than `bytes`: the rest is zeros. */
  readonly size?: number
}

/** Memory that a loader adds to the machine: firmware, or what firmware would have left behind. */
export interface BootRange extends MemoryRange {
  /** RAM that the guest cannot write until a host bridge lets it. */
  readonly readOnly?: boolean
}

/** Kinds of address ranges, as the system memory map of a PC has them (ACPI 6.4, 15, table 15.1). */
export type MapKind = 'usable' | 'reserved' | 'acpi' | 'nvs'

/** A line of the memory map that the guest is given. */
export interface MapEntry {
  readonly start: number
  readonly bytes: number
  readonly kind: MapKind
}

/** Where the CPU begins. */
export type BootEntry =
  /** As the hardware does after a reset, at F000:FFF0. */
  | { readonly mode: 'reset' }
  /** In real mode. Registers that do not hold 0, by the names of 16 bits: `{ dx: 0x80 }`. */
  | { readonly mode: 'real'; readonly cs: number; readonly ip: number; readonly registers?: FlatStart['registers'] }
  /** In 32-bit protected mode, flat, without paging. */
  | ({ readonly mode: 'flat' } & FlatStart)

/** A loader's decision. Plain data: print it with `describeBoot`, carry it out with `applyBoot`, as often as you like. */
export interface BootImage {
  /** For people: `Linux 6.1.0-50-686`, `Multiboot kernel`. */
  readonly title: string
  /** Where there is no memory yet, this is mapped first. */
  readonly ranges: readonly BootRange[]
  /** In the order in which they are written: what comes later lies over what came before. */
  readonly pieces: readonly BootPiece[]
  /** What the guest is told of memory, by ascending address; empty where firmware of its own finds out. */
  readonly memoryMap: readonly MapEntry[]
  readonly entry: BootEntry
}

/** Tables of firmware at their addresses, such as `acpiTables()` of `@vmexit/chipset` makes them. */
export interface PlacedTable {
  /** Guest-physical: from 0xe0000 to 0xfffff, or in RAM. */
  readonly address: number
  readonly bytes: Uint8Array
}

/** The screen that firmware has set up, which a kernel is told of. */
export type Screen = TextScreen | FramebufferScreen

/** A VGA in text mode, its memory at 0xb8000. */
export interface TextScreen {
  readonly kind: 'text'
  /** 80 unless stated. */
  readonly columns?: number
  /** 25 unless stated. */
  readonly rows?: number
}

/** A linear framebuffer of direct colour. */
export interface FramebufferScreen {
  readonly kind: 'framebuffer'
  /** Guest-physical, below 4 GiB. */
  readonly address: number
  readonly width: number
  readonly height: number
  /** Bytes from one line to the next. */
  readonly stride: number
  /** Bits of a pixel: 15, 16, 24 or 32. */
  readonly depth: number
  /** Position of the lowest bit and number of bits of each colour; 8 bits each, blue lowest, unless stated. */
  readonly red?: readonly [position: number, bits: number]
  readonly green?: readonly [position: number, bits: number]
  readonly blue?: readonly [position: number, bits: number]
}
