/** A VGA adapter as a part: PCI function 1234:1111 with the ports and the window of a VGA. */
import { checkState, definePart, hexRange, type Need, need, type Part, type State, VmexitError } from '@vmexit/core'
import type { DirtyLog, GuestMemory } from '@vmexit/memory'
import { type CardMemory, type CardMemoryState, commandBit, needPci, type PciFunctionState } from '@vmexit/pci'
import { demandVideoMemorySize, type MemoryWatch, type VideoMemory } from './memory/video-memory.ts'
import { Screen } from './picture/screen.ts'
import { type PowerOnMode, setLinearMode, setTextMode } from './power-on.ts'
import { describeScreen, type ScreenDescription } from './screen-description.ts'
import { Vga, type VgaState } from './vga.ts'

/** How a VGA adapter is made. */
export interface VgaPartOptions {
  /** Bytes of video memory, a power of two; 16 MiB unless stated. */
  readonly memory?: number
  /** The expansion ROM, such as SeaBIOS's `vgabios-stdvga.bin`: firmware runs it, and it sets the adapter up. */
  readonly rom?: Uint8Array
  /** The mode that is set after power-on and reset, for machines without firmware; none unless stated. */
  readonly mode?: PowerOnMode
  /** Where it is on the PCI bus; 2.0 unless stated. */
  readonly at?: { readonly device: number; readonly function?: number }
}

/** A saved adapter with its memory and its PCI function. */
export type VgaPartState = State & {
  readonly version: 1
  readonly adapter: VgaState
  readonly memory: CardMemoryState
  readonly pci: PciFunctionState
}

/** What `machine.of(vga)` is. */
export interface VgaApi {
  readonly vga: Vga
  /** What the display shows. */
  readonly screen: Screen
  /** What a boot loader is to tell a kernel of the screen; undefined if nothing. */
  describe(): ScreenDescription | undefined
  reset(): void
  save(): VgaPartState
  restore(state: VgaPartState): void
}

/** Where the window of 128 KiB is. */
const windowStart = 0xa_0000
const windowBytes = 0x2_0000

/** Memory of zeros. */
const blank: CardMemoryState = { version: 1, pages: [], contents: new Uint8Array(0) }

/**
 * A VGA adapter with the VBE display interface: base address register 0 is the video memory, 2 the registers.
 *
 * Its ports and its window at 0xa0000 answer while the command register of the function lets I/O and memory in; that is
 * so from the start if there is a `mode`. Building throws a `VmexitError` `vga-memory` or `vga-mode` for what cannot be,
 * `vga-window` where RAM hides the window.
 */
export function vga(options: VgaPartOptions = {}): Part<{
  name: 'vga'
  needs: 'ports' | 'mmio' | 'clock' | typeof needPci | Need<'guestMemory', 'use memory: ram(…)'>
  api: VgaApi
}> {
  const { memory: bytes = 2 ** 24, rom, mode, at = { device: 2 } } = options
  return definePart({
    name: 'vga',
    needs: ['ports', 'mmio', 'clock', needPci, need('guestMemory', 'use memory: ram(…)')],
    build({ ports, mmio, clock, pci, guestMemory }, _, { name }): VgaApi {
      demandVideoMemorySize(bytes)
      demandWindow(guestMemory)
      const card = pci.createMemory(`${name}'s memory`, bytes)
      const adapter = new Vga({ clock, memory: watched(card, guestMemory) })
      const { regions } = adapter
      const portClaims = [
        ports.claim(name, 0x1ce, regions.dispi),
        ports.claim(name, 0x3b4, regions.monochromeCrtc),
        ports.claim(name, 0x3ba, regions.monochromeStatus),
        ports.claim(name, 0x3c0, regions.common),
        ports.claim(name, 0x3d4, regions.colourCrtc),
        ports.claim(name, 0x3da, regions.colourStatus),
      ]
      const windowClaims = [mmio.claim(name, windowStart, regions.window)]
      const open = (command: number) => {
        for (const claim of portClaims) command & commandBit.io ? claim.enable() : claim.disable()
        for (const claim of windowClaims) command & commandBit.memory ? claim.enable() : claim.disable()
      }
      const fn = pci.add({
        name,
        vendorId: 0x1234,
        deviceId: 0x1111,
        classCode: 0x03_0000,
        revision: 2,
        subsystemVendorId: 0x1af4,
        subsystemId: 0x1100,
        at,
        bars: [
          { index: 0, space: 'memory', memory: card, prefetchable: true },
          { index: 2, space: 'memory', registers: regions.mapped },
        ],
        command: { writable: 0x0107, value: mode === undefined ? 0 : commandBit.io | commandBit.memory },
        onCommand: open,
        ...(rom && { rom }),
      })
      open(fn.command)
      const powerOn = () => {
        adapter.reset()
        card.restore(blank)
        if (mode === 'text') setTextMode(adapter)
        else if (mode !== undefined) setLinearMode(adapter, mode)
      }
      powerOn()
      const save = (): VgaPartState => ({
        version: 1,
        adapter: adapter.save(),
        memory: card.save(),
        pci: fn.save(),
      })
      return {
        vga: adapter,
        screen: new Screen(adapter),
        describe: () => describeScreen(adapter, card.mappedAt),
        reset() {
          fn.reset()
          powerOn()
        },
        save,
        restore(state) {
          const saved = checkState(name, state, save())
          fn.restore(saved.pci)
          card.restore(saved.memory)
          adapter.restore(saved.adapter)
        },
      }
    },
  })
}

function demandWindow({ ranges }: GuestMemory): void {
  const end = windowStart + windowBytes
  const hiding = ranges.find(({ start, bytes }) => start < end && start + bytes > windowStart)
  if (hiding === undefined) return
  throw new VmexitError('vga-window', {
    problem: `the window of the VGA adapter, ${hexRange(windowStart, windowBytes)}, is hidden by ${hiding.name ?? hiding.kind} at ${hexRange(hiding.start, hiding.bytes)}`,
    remedy: 'leave a hole there, as a PC does: ram(size) with at least 1 MiB, or the ranges of pcRanges()',
  })
}

/** The card's memory for the adapter, and a watch over what the CPU writes where it is mapped. */
function watched(card: CardMemory, guest: GuestMemory): VideoMemory {
  const watch = (): MemoryWatch => {
    let log: DirtyLog | undefined
    let place: number | undefined
    return {
      changed() {
        const { mappedAt } = card
        if (mappedAt === place) return (log?.take().length ?? 0) > 0
        log?.close()
        place = mappedAt
        log = mappedAt === undefined ? undefined : guest.openDirtyLog(mappedAt, card.size)
        return true
      },
      close: () => log?.close(),
    }
  }
  return {
    size: card.size,
    read: (offset, width) => card.read(offset, width),
    write: (offset, width, value) => card.write(offset, width, value),
    readBytes: (offset, into) => card.readBytes(offset, into),
    writeBytes: (offset, from) => card.writeBytes(offset, from),
    watch,
  }
}
