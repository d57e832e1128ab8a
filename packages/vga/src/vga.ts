/**
 * The adapter: registers, planes and the VBE display interface behind register files that someone else puts at
 * addresses. (IBM Personal System/2 Hardware Interface Technical Reference, Video Subsystem.)
 */
import { type Clock, checkState, type Device, type RegisterFile, type State } from '@vmexit/core'
import { DisplayWindow } from './memory/display-window.ts'
import { clear, demandVideoMemorySize, type VideoMemory } from './memory/video-memory.ts'
import { AttributeController, type AttributeState } from './registers/attribute.ts'
import { Crtc } from './registers/crtc.ts'
import { Dac, type DacState } from './registers/dac.ts'
import { Dispi, DispiEnable, DispiIndex, type DispiState } from './registers/dispi.ts'
import { GraphicsController } from './registers/graphics.ts'
import type { IndexedState } from './registers/indexed.ts'
import { type Beam, beamAt } from './registers/raster.ts'
import { Sequencer } from './registers/sequencer.ts'

/** What a {@link Vga} is connected to. */
export interface VgaOptions {
  readonly clock: Clock
  readonly memory: VideoMemory
}

/** A saved adapter. */
export type VgaState = State & {
  readonly version: 1
  readonly miscellaneous: number
  readonly featureControl: number
  readonly enabled: number
  readonly sequencer: IndexedState
  readonly crtc: IndexedState
  readonly graphics: IndexedState
  readonly attribute: AttributeState
  readonly dac: DacState
  readonly dispi: DispiState
  readonly latches: number
}

/** Offsets of the registers, which begin at port 0x3b0. */
const at = (port: number) => port - 0x3b0

/** What is read where there is no register. */
const nothing = 0xff

/** A VGA adapter with the VBE display interface. Its memory is saved by whoever owns it. */
export class Vga implements Device<VgaState> {
  readonly sequencer: Sequencer = new Sequencer()
  readonly crtc: Crtc = new Crtc()
  readonly graphics: GraphicsController = new GraphicsController()
  readonly attribute: AttributeController = new AttributeController()
  readonly dac: Dac = new Dac()
  readonly dispi: Dispi
  readonly memory: VideoMemory
  readonly window: DisplayWindow
  readonly regions: {
    /** Ports 0x3b4–0x3b5, for monochrome displays. */
    readonly monochromeCrtc: RegisterFile
    /** Port 0x3ba, for monochrome displays. */
    readonly monochromeStatus: RegisterFile
    /** Ports 0x3c0–0x3cf. */
    readonly common: RegisterFile
    /** Ports 0x3d4–0x3d5. */
    readonly colourCrtc: RegisterFile
    /** Port 0x3da. */
    readonly colourStatus: RegisterFile
    /** Ports 0x1ce–0x1d1: index, data, and data again at an even address. */
    readonly dispi: RegisterFile
    /** Addresses 0xa0000–0xbffff. */
    readonly window: RegisterFile
    /** The registers as memory: ports 0x3c0–0x3df from 0x400 on, those of the VBE display interface from 0x500 on. */
    readonly mapped: RegisterFile
  }
  readonly #clock: Clock
  #miscellaneous = 0
  #featureControl = 0
  #enabled = 1
  #registerWrites = 0

  /** Throws a `VmexitError` `vga-memory` if the size of the memory is none for an adapter. */
  constructor({ clock, memory }: VgaOptions) {
    demandVideoMemorySize(memory.size)
    this.#clock = clock
    this.memory = memory
    this.dispi = new Dispi(memory.size)
    const { sequencer, graphics, dispi } = this
    this.window = new DisplayWindow({ memory, sequencer, graphics, dispi, miscellaneous: () => this.#miscellaneous })
    this.regions = {
      monochromeCrtc: this.#ports(at(0x3b4), 2),
      monochromeStatus: this.#ports(at(0x3ba), 1),
      common: this.#ports(at(0x3c0), 16),
      colourCrtc: this.#ports(at(0x3d4), 2),
      colourStatus: this.#ports(at(0x3da), 1),
      dispi: this.#dispiPorts(),
      window: this.window,
      mapped: this.#mapped(),
    }
  }

  /** The miscellaneous output register. */
  get miscellaneous(): number {
    return this.#miscellaneous
  }

  /** Where the beam is. */
  get beam(): Beam {
    return beamAt(this.#clock, this.crtc, this.sequencer, this.#miscellaneous)
  }

  /** Writes to registers and to the window until now: what shows that the picture may have changed. */
  get writes(): number {
    return this.#registerWrites + this.window.writes
  }

  /** Reads the register at `offset` from port 0x3b0 on. */
  readRegister(offset: number): number {
    if (offset === at(0x3c3)) return this.#enabled
    if (!this.#enabled || this.#isElsewhere(offset)) return nothing
    switch (offset) {
      case at(0x3c0):
        return this.attribute.readIndex()
      case at(0x3c1):
        return this.attribute.read()
      case at(0x3c2):
        // Input status 0: a display is sensed.
        return 0x10
      case at(0x3c4):
        return this.sequencer.index
      case at(0x3c5):
        return this.sequencer.read()
      case at(0x3c6):
        return this.dac.mask
      case at(0x3c7):
        return this.dac.direction
      case at(0x3c8):
        return this.dac.entry
      case at(0x3c9):
        return this.dac.read()
      case at(0x3ca):
        return this.#featureControl
      case at(0x3cc):
        return this.#miscellaneous
      case at(0x3ce):
        return this.graphics.index
      case at(0x3cf):
        return this.graphics.read()
      case at(0x3b4):
      case at(0x3d4):
        return this.crtc.index
      case at(0x3b5):
      case at(0x3d5):
        return this.crtc.read()
      case at(0x3ba):
      case at(0x3da):
        this.attribute.expectIndex()
        return this.#inputStatus1()
      default:
        return nothing
    }
  }

  /** Writes a byte to the register at `offset` from port 0x3b0 on. */
  writeRegister(offset: number, value: number): void {
    this.#registerWrites++
    if (offset === at(0x3c3)) this.#enabled = value & 1
    else if (this.#enabled && !this.#isElsewhere(offset)) this.#write(offset, value)
  }

  /** Writes a register of the VBE display interface. */
  writeDispi(index: number, value: number): void {
    const { dispi, dac, window, memory } = this
    const wasEnabled = dispi.enabled
    this.#registerWrites++
    dispi.write(index, value)
    dac.wide = dispi.wideDac
    if (dispi.enabled && !wasEnabled && !(value & DispiEnable.keepMemory)) clear(memory, dispi.frameBytes)
    window.refresh()
  }

  reset(): void {
    this.#registerWrites++
    this.#miscellaneous = this.#featureControl = 0
    this.#enabled = 1
    for (const chip of [this.sequencer, this.crtc, this.graphics, this.attribute, this.dac, this.dispi]) chip.reset()
    this.window.latches = 0
    this.window.refresh()
  }

  save(): VgaState {
    return {
      version: 1,
      miscellaneous: this.#miscellaneous,
      featureControl: this.#featureControl,
      enabled: this.#enabled,
      sequencer: this.sequencer.save(),
      crtc: this.crtc.save(),
      graphics: this.graphics.save(),
      attribute: this.attribute.save(),
      dac: this.dac.save(),
      dispi: this.dispi.save(),
      latches: this.window.latches,
    }
  }

  restore(state: VgaState): void {
    const s = checkState('the VGA adapter', state, this.save())
    this.#registerWrites++
    this.#miscellaneous = s.miscellaneous
    this.#featureControl = s.featureControl
    this.#enabled = s.enabled
    this.sequencer.restore(s.sequencer)
    this.crtc.restore(s.crtc)
    this.graphics.restore(s.graphics)
    this.attribute.restore(s.attribute)
    this.dac.restore(s.dac)
    this.dispi.restore(s.dispi)
    this.window.latches = s.latches
    this.window.refresh()
  }

  /** Whether a register is at the other of the two places that the display type selects. */
  #isElsewhere(offset: number): boolean {
    const colour = (this.#miscellaneous & 1) !== 0
    return colour ? offset < at(0x3c0) : offset >= at(0x3d0)
  }

  #write(offset: number, value: number): void {
    switch (offset) {
      case at(0x3c0):
        this.attribute.writePort(value)
        break
      case at(0x3c2):
        this.#miscellaneous = value
        this.window.refresh()
        break
      case at(0x3c4):
        this.sequencer.index = value
        break
      case at(0x3c5):
        this.sequencer.write(value)
        this.window.refresh()
        break
      case at(0x3c6):
        this.dac.mask = value
        break
      case at(0x3c7):
        this.dac.select(value, true)
        break
      case at(0x3c8):
        this.dac.select(value, false)
        break
      case at(0x3c9):
        this.dac.write(value)
        break
      case at(0x3ce):
        this.graphics.index = value
        break
      case at(0x3cf):
        this.graphics.write(value)
        this.window.refresh()
        break
      case at(0x3b4):
      case at(0x3d4):
        this.crtc.index = value
        break
      case at(0x3b5):
      case at(0x3d5):
        this.crtc.write(value)
        break
      case at(0x3ba):
      case at(0x3da):
        this.#featureControl = value & 0x03
    }
  }

  /** Bit 0: nothing is shown here. Bit 3: vertical retrace. */
  #inputStatus1(): number {
    const { crtc } = this
    const { line, column } = this.beam
    const shown = line < crtc.lines && column < crtc.columns
    const retrace = line >= crtc.retraceStart && line < crtc.retraceStart + crtc.retraceLines
    return (shown ? 0 : 0x01) | (retrace ? 0x08 : 0)
  }

  #ports(first: number, size: number): RegisterFile {
    return {
      size,
      widest: 1,
      split: true,
      read: (offset) => this.readRegister(first + offset),
      write: (offset, _, value) => this.writeRegister(first + offset, value),
    }
  }

  #dispiPorts(): RegisterFile {
    const { dispi } = this
    return {
      size: 4,
      widest: 2,
      read: (offset) => (offset === 0 ? dispi.index : offset === 3 ? nothing : dispi.read(dispi.index)),
      write: (offset, _, value) => {
        if (offset === 0) dispi.index = value
        else if (offset !== 3) this.writeDispi(dispi.index, value)
      },
    }
  }

  /** Accesses of any width: VGA registers byte by byte, those of the VBE display interface by 16 bits. */
  #mapped(): RegisterFile {
    const dispiEnd = 0x500 + 2 * (DispiIndex.memory64k + 1)
    const readByte = (offset: number) => {
      if (offset >= 0x400 && offset < 0x420) return this.readRegister(at(0x3c0) + offset - 0x400)
      if (offset < 0x500 || offset >= dispiEnd) return 0
      return (this.dispi.read((offset - 0x500) >> 1) >> (8 * (offset & 1))) & 0xff
    }
    return {
      size: 0x1000,
      read: (offset, width) => {
        let value = 0
        for (let i = 0; i < width; i++) value |= readByte(offset + i) << (8 * i)
        return value
      },
      write: (offset, width, value) => {
        if (offset >= 0x400 && offset < 0x420) {
          for (let i = 0; i < Math.min(width, 0x420 - offset); i++) {
            this.writeRegister(at(0x3c0) + offset + i - 0x400, (value >>> (8 * i)) & 0xff)
          }
        } else if (offset >= 0x500 && offset < dispiEnd && offset % 2 === 0) {
          this.writeDispi((offset - 0x500) >> 1, value & 0xffff)
          if (width === 4) this.writeDispi((offset - 0x4fe) >> 1, value >>> 16)
        }
      },
    }
  }
}
