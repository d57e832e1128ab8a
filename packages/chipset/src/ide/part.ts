/** The IDE interface of a PC as a part: PIIX3's function 1.1 with two channels, their disks and CD drives. */
import type { BlockDevice } from '@vmexit/block'
import {
  checkState,
  definePart,
  type Need,
  type Part,
  type RegisterFile,
  type State,
  type Stateful,
  type StateValue,
  VmexitError,
} from '@vmexit/core'
import { needPci, type PciFunction, type PciFunctionState } from '@vmexit/pci'
import { AtapiCd, type AtapiCdState } from './cd.ts'
import type { CdUnit } from './cd-unit.ts'
import { IdeChannel, type IdeChannelState } from './channel.ts'
import { AtaDisk, type AtaDiskState } from './disk.ts'

/** What is connected as one of the four drives. Names are of ASCII: 20 characters of serial number, 40 of model. */
export type IdeDriveOptions =
  | {
      /** 512-byte sectors. If it has `save` and `restore`, as an `Overlay`, the part saves it too. */
      readonly disk: BlockDevice
      readonly serial?: string
      readonly model?: string
    }
  | {
      /** 2048-byte sectors; undefined for an empty drive. */
      readonly cd: BlockDevice | undefined
      readonly serial?: string
      readonly model?: string
    }

/** The drives of a channel. */
export interface IdeCableOptions {
  readonly master?: IdeDriveOptions
  readonly slave?: IdeDriveOptions
}

/** What is connected. */
export interface IdeOptions {
  /** Ports 0x1f0 and 0x3f6, interrupt 14. */
  readonly primary?: IdeCableOptions
  /** Ports 0x170 and 0x376, interrupt 15. */
  readonly secondary?: IdeCableOptions
  /** Whether the channels answer at their ports after a reset, as firmware sets them; true unless stated. */
  readonly decode?: boolean
}

/** A saved IDE interface. Of what is on disks only overlays are in it. */
export type IdeState = State & {
  readonly version: 1
  readonly function: PciFunctionState
  readonly primary: IdeCableState
  readonly secondary: IdeCableState
}

/** A saved channel with its drives; null where there is none. */
export type IdeCableState = {
  readonly channel: IdeChannelState
  readonly master: IdeDriveState | null
  readonly slave: IdeDriveState | null
}

/** A saved drive, and what it was given if that has a state. */
export type IdeDriveState = { readonly drive: AtaDiskState | AtapiCdState; readonly contents: State | null }

/** What `machine.of(ide)` is. */
export interface IdeApi {
  readonly primary: IdeChannel
  readonly secondary: IdeChannel
  readonly function: PciFunction
  /**
   * The CD drive that is there, to change its medium or press its button: between two runs of the machine. Throws a
   * {@link VmexitError} `ide-no-cd` if there is none.
   */
  cd(channel: 'primary' | 'secondary', position: 'master' | 'slave'): CdUnit
  reset(): void
  save(): IdeState
  restore(state: IdeState): void
}

/** Where PCs have their channels. */
const places = {
  primary: { command: 0x1f0, control: 0x3f6, interrupt: 14, timing: 0x40 },
  secondary: { command: 0x170, control: 0x376, interrupt: 15, timing: 0x42 },
} as const

/** IDE Decode Enable, of a timing register. */
const decodeEnable = 0x8000

/** Two IDE channels. */
export function ide(options: IdeOptions = {}): Part<{
  name: 'ide'
  needs: 'ports' | 'interrupts' | 'clock' | Need<'pci', 'add pci() to devices'>
  api: IdeApi
}> {
  const { decode = true } = options
  return definePart({
    name: 'ide',
    needs: ['ports', 'interrupts', 'clock', needPci],
    build({ ports, interrupts, clock, pci }, _, { name }): IdeApi {
      const timing = (which: keyof typeof places) => ({
        name: `${which} timing`,
        offset: places[which].timing,
        bytes: 2 as const,
        value: decode ? decodeEnable : 0,
        writable: 0xffff,
        onWrite: (value: number) => cables[which].decode((value & decodeEnable) !== 0),
      })
      const fn = pci.add({
        name,
        at: { device: 1, function: 1 },
        vendorId: 0x8086,
        deviceId: 0x7010,
        classCode: 0x01_0180,
        bars: [{ index: 4, space: 'io', registers: busMasterRegisters(() => [primary.channel, secondary.channel]) }],
        config: [
          timing('primary'),
          timing('secondary'),
          { name: 'slave timing', offset: 0x44, bytes: 1, writable: 0xff },
        ],
      })
      const cable = (which: keyof typeof places): Cable => {
        const { command, control, interrupt } = places[which]
        const drives = options[which] ?? {}
        const master = drives.master && new Drive(drives.master, `${which} master`)
        const slave = drives.slave && new Drive(drives.slave, `${which} slave`)
        const line = interrupts.line(interrupt)
        const channel = new IdeChannel({ master: master?.drive, slave: slave?.drive, line, clock, memory: fn.master })
        const claims = [
          ports.claim(name, command, channel.regions.command),
          ports.claim(name, control, channel.regions.control),
        ]
        const decoding = (enabled: boolean) => {
          for (const claim of claims) enabled ? claim.enable() : claim.disable()
        }
        decoding(decode)
        return new Cable(which, { channel, master, slave, decode: decoding })
      }
      const primary = cable('primary')
      const secondary = cable('secondary')
      const cables = { primary, secondary }
      const save = (): IdeState => ({
        version: 1,
        function: fn.save(),
        primary: primary.save(),
        secondary: secondary.save(),
      })
      return {
        primary: primary.channel,
        secondary: secondary.channel,
        function: fn,
        cd: (channel, position) => cables[channel].cd(position),
        reset() {
          fn.reset()
          primary.channel.reset()
          secondary.channel.reset()
        },
        save,
        restore(state) {
          const saved = checkState(name, state, save())
          fn.restore(saved.function)
          primary.restore(saved.primary)
          secondary.restore(saved.secondary)
        },
      }
    },
  })
}

/** The sixteen ports of BAR 4: eight for each channel. */
function busMasterRegisters(channels: () => readonly [IdeChannel, IdeChannel]): RegisterFile {
  const at = (offset: number) => channels()[offset < 8 ? 0 : 1].busMaster
  return {
    size: 16,
    read(offset, width) {
      let value = 0
      for (let i = 0; i < width; i++) value |= at(offset + i).read((offset + i) & 7) << (8 * i)
      return value
    },
    write(offset, width, value) {
      for (let i = 0; i < width; i++) at(offset + i).write((offset + i) & 7, (value >>> (8 * i)) & 0xff)
    },
  }
}

/** A drive with what it was given. */
class Drive {
  readonly drive: AtaDisk | AtapiCd
  readonly #place: string
  readonly #contents: Stateful | undefined

  constructor(options: IdeDriveOptions, place: string) {
    const { serial = `vmexit-${place.replace(' ', '-')}` } = options
    this.#place = place
    if ('disk' in options) {
      const { disk, model = 'vmexit disk' } = options
      this.drive = new AtaDisk({ disk, serial: serial.slice(0, 20), model })
      this.#contents = isStateful(disk) ? disk : undefined
    } else {
      const { cd: medium, model = 'vmexit CD-ROM' } = options
      this.drive = new AtapiCd({ medium, serial: serial.slice(0, 20), model })
    }
  }

  save(): IdeDriveState {
    return { drive: this.drive.save(), contents: this.#contents?.save() ?? null }
  }

  restore({ drive, contents }: IdeDriveState): void {
    const isDisk = 'geometry' in drive
    if (this.drive instanceof AtaDisk && isDisk) this.drive.restore(drive as AtaDiskState)
    else if (this.drive instanceof AtapiCd && !isDisk) this.drive.restore(drive as AtapiCdState)
    else mismatch(this.#place, isDisk ? 'a disk' : 'a CD drive')
    if ((contents === null) !== (this.#contents === undefined)) {
      mismatch(this.#place, contents === null ? 'a disk whose contents were not saved' : 'an overlay')
    }
    if (contents !== null) this.#contents?.restore(contents)
  }
}

/** A channel with its drives. */
class Cable {
  readonly channel: IdeChannel
  /** Lets the channel answer at its ports, or not. */
  readonly decode: (enabled: boolean) => void
  readonly #name: string
  readonly #drives: { readonly master: Drive | undefined; readonly slave: Drive | undefined }

  constructor(
    name: string,
    parts: {
      readonly channel: IdeChannel
      readonly master: Drive | undefined
      readonly slave: Drive | undefined
      readonly decode: (enabled: boolean) => void
    },
  ) {
    this.#name = name
    this.channel = parts.channel
    this.decode = parts.decode
    this.#drives = { master: parts.master, slave: parts.slave }
  }

  cd(position: 'master' | 'slave'): CdUnit {
    const drive = this.#drives[position]?.drive
    if (drive instanceof AtapiCd) return drive.unit
    throw new VmexitError('ide-no-cd', {
      problem: `the ${this.#name} ${position} is ${drive === undefined ? 'not there' : 'a disk'}`,
      remedy: `name the place of a CD drive, or make one: ide({ ${this.#name}: { ${position}: { cd: undefined } } })`,
    })
  }

  save(): IdeCableState {
    const { master, slave } = this.#drives
    return { channel: this.channel.save(), master: master?.save() ?? null, slave: slave?.save() ?? null }
  }

  restore(state: IdeCableState): void {
    for (const position of ['master', 'slave'] as const) {
      const saved = state[position]
      const drive = this.#drives[position]
      if (saved !== null && drive !== undefined) drive.restore(saved)
      else if (saved !== null || drive !== undefined) {
        mismatch(`${this.#name} ${position}`, saved === null ? 'nothing' : 'a drive')
      }
    }
    this.channel.restore(state.channel)
  }
}

function isStateful(value: object): value is Stateful {
  const { save, restore } = value as { readonly [member: string]: StateValue | undefined | (() => void) }
  return typeof save === 'function' && typeof restore === 'function'
}

function mismatch(place: string, saved: string): never {
  throw new VmexitError('state-mismatch', {
    problem: `in the saved machine the ${place} was ${saved}, which it is not here`,
    remedy: 'compose the machine with the drives that it was saved with',
  })
}
