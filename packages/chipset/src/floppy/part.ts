/** The floppy disk controller of a PC as a part: an 82077AA at 0x3f0, interrupt 6, DMA channel 2. */
import type { BlockDevice } from '@vmexit/block'
import { definePart, type Part, type RegisterFile, VmexitError } from '@vmexit/core'
// Brings the capability `dma` along.
import type {} from '../dma/part.ts'
import { FloppyDrive } from './drive.ts'
import { type FloppyDriveType, floppyDriveFor } from './formats.ts'
import { I82077, type I82077State } from './i82077.ts'

/** A drive and the disk in it. */
export interface FloppyDriveOptions {
  /** Its kind; the one that the disk was made for, or 1.44M, unless stated. Tell `rtc({ floppies })` of it too. */
  readonly type?: FloppyDriveType
  /** The disk that is in; none unless stated. Its size says the format. */
  readonly disk?: BlockDevice
}

/** How the controller is attached, and the drives on its cable. */
export interface FloppyOptions {
  readonly a?: FloppyDriveOptions
  readonly b?: FloppyDriveOptions
  /** The first of its ports; 0x3f0 unless stated. */
  readonly port?: number
  /** Its interrupt; 6 unless stated. */
  readonly irq?: number
  /** Its DMA channel; 2 unless stated. */
  readonly dmaChannel?: number
}

/** What `machine.of(floppy)` is. Disks are changed through the machine's input gate. */
export interface FloppyApi {
  readonly controller: I82077
  /**
   * Puts a disk into a drive, in the place of one that is in. Throws a {@link VmexitError}: `floppy-format` for a size
   * that no format has, `floppy-drive` for a drive that is not there or does not read it.
   *
   * A recording of the inputs knows disks by their number: for a replay, insert the same ones in the same order.
   */
  insert(drive: 'a' | 'b', disk: BlockDevice): void
  /** Takes the disk out of a drive. Throws a {@link VmexitError} `floppy-drive` for one that is not there. */
  eject(drive: 'a' | 'b'): void
  reset(): void
  save(): I82077State
  restore(state: I82077State): void
}

type Input = { readonly drive: number; readonly disk: number | null }

/** The floppy drives A and B and their controller. */
export function floppy({ a, b, port = 0x3f0, irq = 6, dmaChannel = 2 }: FloppyOptions = {}): Part<{
  name: 'floppy'
  needs: 'ports' | 'interrupts' | 'clock' | 'dma' | 'input'
  api: FloppyApi
}> {
  return definePart({
    name: 'floppy',
    needs: ['ports', 'interrupts', 'clock', 'dma', 'input'],
    build({ ports, interrupts, clock, dma, input }, _, { name }): FloppyApi {
      const drives = [a, b].map((options) => {
        if (options === undefined) return undefined
        const { disk, type = disk === undefined ? '1.44M' : floppyDriveFor(disk) } = options
        const drive = new FloppyDrive(type, clock)
        if (disk !== undefined) drive.insert(disk)
        return drive
      })
      const channel = dma.channel(dmaChannel, name)
      const controller = new I82077({ clock, line: interrupts.line(irq), dma: channel, drives })
      const { registers } = controller.regions
      ports.claim(name, port, { ...registers, size: 6 })
      ports.claim(name, port + 7, lastOf(registers))
      // Disks by number, in the order of their insertion: what a recorded input refers to.
      const disks: BlockDevice[] = []
      const gate = input.open<Input>(name, ({ drive, disk }) => {
        if (disk === null) drives[drive]?.eject()
        else if (disks[disk] !== undefined) drives[drive]?.insert(disks[disk])
      })
      const chosen = (letter: 'a' | 'b') => {
        const number = letter === 'a' ? 0 : 1
        const drive = drives[number]
        if (drive !== undefined) return { number, drive }
        throw new VmexitError('floppy-drive', {
          problem: `${name} has no drive '${letter}'`,
          remedy: `make it with floppy({ ${letter}: {} }) and tell rtc({ floppies: […] }) of it`,
        })
      }
      return {
        controller,
        insert(letter, disk) {
          const { number, drive } = chosen(letter)
          drive.check(disk)
          gate.post({ drive: number, disk: disks.push(disk) - 1 })
        },
        eject: (letter) => gate.post({ drive: chosen(letter).number, disk: null }),
        reset: () => controller.reset(),
        save: () => controller.save(),
        restore: (state) => controller.restore(state),
      }
    },
  })
}

/** The register at offset 7 by itself: that at 6 is the hard disk controller's. */
function lastOf(registers: RegisterFile): RegisterFile {
  return {
    ...registers,
    size: 1,
    read: (_, width) => registers.read(7, width),
    write: (_, width, value) => registers.write(7, width, value),
  }
}
