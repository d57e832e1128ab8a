/** What is behind the ATAPI interface of a CD drive: a tray, a medium, and the packet commands (MMC-3, SPC-2). */
import type { BlockDevice } from '@vmexit/block'
import { checkState, type State, type Stateful, VmexitError } from '@vmexit/core'
import * as answer from './cd-answers.ts'

/** Why a command failed: sense key, additional sense code and its qualifier. */
export type Sense = readonly [key: number, code: number, qualifier: number]

/** What comes of a packet command. */
export type Outcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'data'; readonly bytes: Uint8Array }
  | { readonly kind: 'sectors'; readonly sector: number; readonly count: number }
  | { readonly kind: 'failed'; readonly sense: Sense }

/** A saved unit; the medium is saved by who gave it. */
export type CdUnitState = State & {
  readonly version: 1
  /** Sectors of the medium, null without one: the state goes back onto the same. */
  readonly sectors: number | null
  readonly trayOpen: boolean
  readonly locked: boolean
  /** Of the last command that failed: key, code, qualifier. */
  readonly sense: readonly number[]
  /** What the host is to be told first of all; empty if nothing. */
  readonly attention: readonly number[]
  readonly event: number
}

const noSense: Sense = [0, 0, 0]
const attentionKey = 6
/** Sense of failures, by what they are. */
const sense = {
  noMedium: [2, 0x3a, 0x01],
  trayOpen: [2, 0x3a, 0x02],
  unreadable: [3, 0x11, 0x00],
  unknownCommand: [5, 0x20, 0x00],
  outOfRange: [5, 0x21, 0x00],
  invalidField: [5, 0x24, 0x00],
  notSaved: [5, 0x39, 0x00],
  locked: [5, 0x53, 0x02],
  mediumChanged: [attentionKey, 0x28, 0x00],
  poweredOn: [attentionKey, 0x29, 0x00],
} as const satisfies Record<string, Sense>

const done: Outcome = { kind: 'done' }
const failed = (sense: Sense): Outcome => ({ kind: 'failed', sense })

const requestSense = 0x03
/** Commands that are executed though the host has yet to hear of an event: INQUIRY, REQUEST SENSE, and two of MMC. */
const beforeAttention = new Set([0x12, requestSense, 0x46, 0x4a])

/** A CD drive's unit. */
export class CdUnit implements Stateful<CdUnitState> {
  /** By operation code. */
  // biome-ignore format: a table
  static readonly #commands: Readonly<Record<number, (unit: CdUnit, cdb: DataView) => Outcome>> = {
    [0x00]: (unit) => unit.#withMedium(() => done),                           // TEST UNIT READY
    [0x03]: (unit, cdb) => unit.#requestSense(cdb.getUint8(4)),               // REQUEST SENSE
    [0x12]: (unit, cdb) => unit.#inquiry(cdb),                                // INQUIRY
    [0x1a]: (unit, cdb) => unit.#modeSense(cdb, true),                        // MODE SENSE (6)
    [0x1b]: (unit, cdb) => unit.#startStop(cdb.getUint8(4)),                  // START STOP UNIT
    [0x1e]: (unit, cdb) => unit.#prevent(cdb.getUint8(4)),                    // PREVENT ALLOW MEDIUM REMOVAL
    [0x25]: (unit) => unit.#answer(8, (sectors) => answer.capacity(sectors)), // READ CAPACITY
    [0x28]: (unit, cdb) => unit.#read(cdb.getUint32(2), cdb.getUint16(7)),    // READ (10)
    [0x2b]: (unit, cdb) => unit.#seek(cdb.getUint32(2)),                      // SEEK (10)
    [0x43]: (unit, cdb) => unit.#tableOfContents(cdb),                        // READ TOC/PMA/ATIP
    [0x46]: (unit, cdb) => unit.#configuration(cdb),                          // GET CONFIGURATION
    [0x4a]: (unit, cdb) => unit.#eventStatus(cdb),                            // GET EVENT STATUS NOTIFICATION
    [0x51]: (unit, cdb) => unit.#answer(cdb.getUint16(7), () => answer.discInformation()), // READ DISC INFORMATION
    [0x52]: (unit, cdb) => unit.#answer(cdb.getUint16(7), answer.trackInformation), // READ TRACK INFORMATION
    [0x5a]: (unit, cdb) => unit.#modeSense(cdb, false),                       // MODE SENSE (10)
    [0xa8]: (unit, cdb) => unit.#read(cdb.getUint32(2), cdb.getUint32(6)),    // READ (12)
    [0xbb]: () => done,                                                       // SET CD SPEED
    [0xbd]: (unit, cdb) => data(answer.mechanismStatus(unit.#trayOpen), cdb.getUint16(8)), // MECHANISM STATUS
    [0xbe]: (unit, cdb) => unit.#readCd(cdb),                                 // READ CD
  }
  readonly #model: string
  #medium: BlockDevice | undefined
  #trayOpen = false
  #locked = false
  #sense: Sense = noSense
  #attention: Sense | undefined
  #event: number = answer.mediaEvent.none

  /** Throws a {@link VmexitError} `ide-sectors` for a medium whose sectors have not 2048 bytes. */
  constructor(medium: BlockDevice | undefined, model: string) {
    this.#medium = checkMedium(medium)
    this.#model = model
    this.reset()
  }

  /** What is in the drive, also while the tray is open. */
  get medium(): BlockDevice | undefined {
    return this.#medium
  }

  get trayOpen(): boolean {
    return this.#trayOpen
  }

  /** Whether the host has locked the tray. */
  get locked(): boolean {
    return this.#locked
  }

  /**
   * Puts another medium into the drive, or none, and closes the tray; a lock does not hold. Throws a
   * {@link VmexitError} `ide-sectors` for a medium whose sectors have not 2048 bytes.
   */
  change(medium: BlockDevice | undefined): void {
    this.#medium = checkMedium(medium)
    this.#trayOpen = false
    this.#changed()
  }

  /** The button at the drive: opens or closes the tray; of a locked one the host is told. Returns whether it moved. */
  pressEject(): boolean {
    if (this.#locked && !this.#trayOpen) {
      this.#event = answer.mediaEvent.ejectRequest
      return false
    }
    this.#moveTray(!this.#trayOpen)
    return true
  }

  /** Power-on, or a reset of the bus. */
  reset(): void {
    this.#trayOpen = this.#locked = false
    this.#sense = noSense
    this.#attention = sense.poweredOn
    this.#event = answer.mediaEvent.none
  }

  /** Executes a packet of 12 bytes, and remembers why it failed if it does. */
  execute(packet: Uint8Array): Outcome {
    const cdb = new DataView(packet.buffer, packet.byteOffset, 12)
    const code = cdb.getUint8(0)
    const outcome = this.#dispatch(code, cdb)
    if (outcome.kind === 'failed') this.#sense = outcome.sense
    else if (code !== requestSense) this.#sense = noSense
    return outcome
  }

  /** Reads sectors of the medium. If they cannot be read the result is false, and the sense says so. */
  read(sector: number, into: Uint8Array): boolean {
    try {
      if (this.#present !== undefined) {
        this.#present.read(sector, into)
        return true
      }
      this.#sense = sense.noMedium
    } catch {
      this.#sense = sense.unreadable
    }
    return false
  }

  /** The sense key of the last command that failed. */
  get senseKey(): number {
    return this.#sense[0]
  }

  save(): CdUnitState {
    return {
      version: 1,
      sectors: this.#medium?.sectors ?? null,
      trayOpen: this.#trayOpen,
      locked: this.#locked,
      sense: [...this.#sense],
      attention: [...(this.#attention ?? [])],
      event: this.#event,
    }
  }

  /** Throws a {@link VmexitError} `state-mismatch` if another medium was in the saved drive. */
  restore(state: CdUnitState): void {
    const s = checkState('the CD drive', state, this.save())
    const sectors = this.#medium?.sectors ?? null
    if (s.sectors !== sectors) {
      const what = (sectors: number | null) => (sectors === null ? 'no medium' : `a medium of ${sectors} sectors`)
      throw new VmexitError('state-mismatch', {
        problem: `the saved CD drive had ${what(s.sectors)}, and this one has ${what(sectors)}`,
        remedy: 'change the medium to the one it was saved with first',
      })
    }
    this.#trayOpen = s.trayOpen
    this.#locked = s.locked
    this.#sense = [s.sense[0]!, s.sense[1]!, s.sense[2]!]
    this.#attention = s.attention.length === 0 ? undefined : [s.attention[0]!, s.attention[1]!, s.attention[2]!]
    this.#event = s.event
  }

  /** The medium, if the tray is closed. */
  get #present(): BlockDevice | undefined {
    return this.#trayOpen ? undefined : this.#medium
  }

  #dispatch(code: number, cdb: DataView): Outcome {
    if (this.#attention !== undefined && !beforeAttention.has(code)) {
      const attention = this.#attention
      this.#attention = undefined
      return failed(attention)
    }
    return CdUnit.#commands[code]?.(this, cdb) ?? failed(sense.unknownCommand)
  }

  #withMedium(work: (medium: BlockDevice) => Outcome): Outcome {
    if (this.#present !== undefined) return work(this.#present)
    return failed(this.#trayOpen ? sense.trayOpen : sense.noMedium)
  }

  /** An answer about the medium. */
  #answer(allocated: number, bytes: (sectors: number) => Uint8Array): Outcome {
    return this.#withMedium(({ sectors }) => data(bytes(sectors), allocated))
  }

  /** The host hears of an event first, then of the last failure; either is gone then. */
  #requestSense(allocated: number): Outcome {
    const [key, code, qualifier] = this.#sense[0] === 0 && this.#attention !== undefined ? this.#attention : this.#sense
    if (key === attentionKey) this.#attention = undefined
    this.#sense = noSense
    const bytes = new Uint8Array(18)
    bytes.set([0x70, 0, key, 0, 0, 0, 0, 10, 0, 0, 0, 0, code, qualifier])
    return data(bytes, allocated)
  }

  #inquiry(cdb: DataView): Outcome {
    const vitalData = cdb.getUint8(1) & 1
    if (vitalData || cdb.getUint8(2) !== 0) return failed(sense.invalidField)
    return data(answer.inquiry(this.#model), cdb.getUint16(3))
  }

  #modeSense(cdb: DataView, short: boolean): Outcome {
    const page = cdb.getUint8(2)
    if (page >> 6 === 3) return failed(sense.notSaved)
    const bytes = answer.modeSense(page & 0x3f, page >> 6, short, this.#locked)
    if (bytes === undefined) return failed(sense.invalidField)
    return data(bytes, short ? cdb.getUint8(4) : cdb.getUint16(7))
  }

  #startStop(operation: number): Outcome {
    const [load, eject] = [(operation & 3) === 3, (operation & 3) === 2]
    if (eject && this.#locked) return failed(sense.locked)
    if (load || eject) this.#moveTray(eject)
    return done
  }

  #prevent(operation: number): Outcome {
    this.#locked = (operation & 1) === 1
    return done
  }

  #read(sector: number, count: number): Outcome {
    return this.#withMedium(({ sectors }) => {
      if (sector + count > sectors) return failed(sense.outOfRange)
      return count === 0 ? done : { kind: 'sectors', sector, count }
    })
  }

  #seek(sector: number): Outcome {
    return this.#withMedium(({ sectors }) => (sector < sectors ? done : failed(sense.outOfRange)))
  }

  /** Of what can be read of a sector only the user's data, or nothing. */
  #readCd(cdb: DataView): Outcome {
    const [type, parts, subchannel] = [(cdb.getUint8(1) >> 2) & 7, cdb.getUint8(9) & 0xf8, cdb.getUint8(10) & 7]
    const isData = type === 0 || type === 2
    if (!isData || subchannel !== 0 || (parts !== 0 && parts !== 0x10)) return failed(sense.invalidField)
    const count = parts === 0 ? 0 : cdb.getUint32(5) & 0xff_ffff
    return this.#read(cdb.getUint32(2), count)
  }

  #tableOfContents(cdb: DataView): Outcome {
    // SFF-8020i has the format in the last byte.
    const format = cdb.getUint8(2) & 0x0f || cdb.getUint8(9) >> 6
    const options = { format, inTime: (cdb.getUint8(1) & 2) !== 0, from: cdb.getUint8(6) }
    return this.#withMedium(({ sectors }) => {
      const bytes = answer.tableOfContents(sectors, options)
      return bytes === undefined ? failed(sense.invalidField) : data(bytes, cdb.getUint16(7))
    })
  }

  #configuration(cdb: DataView): Outcome {
    const kind = cdb.getUint8(1) & 3
    if (kind === 3) return failed(sense.invalidField)
    return data(answer.configuration(this.#present?.sectors, kind, cdb.getUint16(2)), cdb.getUint16(7))
  }

  #eventStatus(cdb: DataView): Outcome {
    const polled = cdb.getUint8(1) & 1
    if (!polled) return failed(sense.invalidField)
    const classes = cdb.getUint8(4)
    const present = this.#present !== undefined
    const outcome = data(answer.eventStatus(classes, this.#event, present, this.#trayOpen), cdb.getUint16(7))
    if (classes & 0x10) this.#event = answer.mediaEvent.none
    return outcome
  }

  #moveTray(open: boolean): void {
    if (open === this.#trayOpen) return
    this.#trayOpen = open
    if (open) this.#event = answer.mediaEvent.removal
    else this.#changed()
  }

  #changed(): void {
    const present = this.#present !== undefined
    this.#event = present ? answer.mediaEvent.newMedium : answer.mediaEvent.removal
    if (present) this.#attention = sense.mediumChanged
  }
}

/** Data, as much as the host has room for. */
function data(bytes: Uint8Array, allocated: number): Outcome {
  return { kind: 'data', bytes: bytes.subarray(0, allocated) }
}

function checkMedium(medium: BlockDevice | undefined): BlockDevice | undefined {
  if (medium === undefined || (medium.sectorBytes === 2048 && medium.sectors > 0)) return medium
  throw new VmexitError('ide-sectors', {
    problem: `a CD cannot be made of ${medium.sectors} sectors of ${medium.sectorBytes} bytes`,
    remedy: 'give one sector at least, of 2048 bytes, as cdImage does',
  })
}
