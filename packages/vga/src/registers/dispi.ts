/**
 * The VBE display interface of Bochs ("DISPI"): modes with a linear framebuffer behind eleven registers of 16 bits, at
 * ports 0x1ce (index) and 0x1cf (data).
 */

/** Registers by name. */
export const DispiIndex = {
  id: 0,
  width: 1,
  height: 2,
  depth: 3,
  enable: 4,
  bank: 5,
  virtualWidth: 6,
  virtualHeight: 7,
  xOffset: 8,
  yOffset: 9,
  memory64k: 10,
} as const

/** Bits of the register `enable`. */
export const DispiEnable = {
  enabled: 0x01,
  /** Width, height and depth read as the largest there are. */
  capabilities: 0x02,
  /** Colours of the DAC have eight bits. */
  wideDac: 0x20,
  linearFramebuffer: 0x40,
  /** Memory is not cleared. */
  keepMemory: 0x80,
} as const

/** Bits per pixel. With 4, the mode is planar. */
export type Depth = 4 | 8 | 15 | 16 | 24 | 32

const depths: readonly number[] = [4, 8, 15, 16, 24, 32]
const oldestId = 0xb0c0
const newestId = 0xb0c5
const largest = { width: 2560, height: 1600, depth: 32 }

/** Saved registers. */
export type DispiState = { readonly index: number; readonly values: readonly number[] }

/** The registers. What is enabled is a mode that fits into the memory, whatever was written. */
export class Dispi {
  index = 0
  readonly #memoryBytes: number
  #values: number[] = []

  constructor(memoryBytes: number) {
    this.#memoryBytes = memoryBytes
    this.reset()
  }

  get enabled(): boolean {
    return (this.#get('enable') & DispiEnable.enabled) !== 0
  }

  get width(): number {
    return this.#get('width')
  }

  get height(): number {
    return this.#get('height')
  }

  get depth(): Depth {
    return this.#get('depth') as Depth
  }

  get wideDac(): boolean {
    return (this.#get('enable') & DispiEnable.wideDac) !== 0
  }

  /** Bytes from one line to the next; in a plane, in a planar mode. */
  get pitch(): number {
    return pitchOf(this.#get('virtualWidth'), this.depth)
  }

  /** The offset of the first pixel in bytes; in a plane, in a planar mode. */
  get start(): number {
    const x = this.#get('xOffset')
    return this.#get('yOffset') * this.pitch + (this.depth === 4 ? x >> 3 : x * bytesPerPixel(this.depth))
  }

  /** Dots by which a planar mode is panned within a byte. */
  get panning(): number {
    return this.depth === 4 ? this.#get('xOffset') & 7 : 0
  }

  /** Where the window of 64 KiB begins. */
  get bankStart(): number {
    return this.#get('bank') * 0x1_0000
  }

  /** Bytes that a frame occupies from offset 0 on, in all planes. */
  get frameBytes(): number {
    return this.height * this.pitch * (this.depth === 4 ? 4 : 1)
  }

  /** Reads a register; those that are not there read as zero. */
  read(index: number): number {
    if (index === DispiIndex.memory64k) return this.#memoryBytes / 0x1_0000
    const capabilities = (this.#get('enable') & DispiEnable.capabilities) !== 0
    if (capabilities && index === DispiIndex.width) return largest.width
    if (capabilities && index === DispiIndex.height) return largest.height
    if (capabilities && index === DispiIndex.depth) return largest.depth
    return this.#values[index] ?? 0
  }

  /** Writes 16 bits. Size and depth can be written while the mode is off, the rest of the geometry while it is on. */
  write(index: number, value: number): void {
    switch (index) {
      case DispiIndex.id:
        if (value >= oldestId && value <= newestId) this.#values[index] = value
        return
      case DispiIndex.width:
      case DispiIndex.height:
      case DispiIndex.depth:
        if (!this.enabled) this.#values[index] = value
        return
      case DispiIndex.enable: {
        const wasEnabled = this.enabled
        this.#values[index] = value & 0xff
        if (this.enabled && !wasEnabled) this.#start()
        return
      }
      case DispiIndex.bank:
        this.#values[index] = value % (this.#memoryBytes / 0x1_0000)
        return
      case DispiIndex.virtualWidth:
        if (this.enabled) this.#setVirtualWidth(value)
        return
      case DispiIndex.xOffset:
        if (this.enabled) this.#set('xOffset', Math.min(value, this.#get('virtualWidth') - this.width))
        return
      case DispiIndex.yOffset:
        if (this.enabled) this.#set('yOffset', Math.min(value, this.#get('virtualHeight') - this.height))
    }
  }

  reset(): void {
    this.index = 0
    this.#values = new Array<number>(10).fill(0)
    this.#set('id', newestId)
  }

  save(): DispiState {
    return { index: this.index, values: [...this.#values] }
  }

  restore({ index, values }: DispiState): void {
    this.index = index
    this.#values = [...values]
  }

  /** Makes a mode of what width, height and depth say, cut to what there is. */
  #start(): void {
    const depth = depths.includes(this.depth) ? this.depth : 8
    const width = Math.max(8, Math.min(this.width, largest.width) & ~7)
    const fitting = Math.floor(this.#planeBytes(depth) / pitchOf(width, depth))
    this.#set('depth', depth)
    this.#set('width', width)
    this.#set('height', Math.max(1, Math.min(this.height, largest.height, fitting)))
    this.#set('bank', 0)
    this.#set('virtualWidth', width)
    this.#set('virtualHeight', Math.min(fitting, 0xffff))
    this.#set('xOffset', 0)
    this.#set('yOffset', 0)
  }

  /** A width at which the frame does not fit changes nothing. */
  #setVirtualWidth(value: number): void {
    const width = Math.max(this.width, value & ~7)
    const fitting = Math.floor(this.#planeBytes(this.depth) / pitchOf(width, this.depth))
    if (fitting < this.height) return
    this.#set('virtualWidth', width)
    this.#set('virtualHeight', Math.min(fitting, 0xffff))
    this.write(DispiIndex.xOffset, this.#get('xOffset'))
    this.write(DispiIndex.yOffset, this.#get('yOffset'))
  }

  #planeBytes(depth: Depth): number {
    return depth === 4 ? this.#memoryBytes / 4 : this.#memoryBytes
  }

  #get(register: keyof typeof DispiIndex): number {
    return this.#values[DispiIndex[register]] ?? 0
  }

  #set(register: keyof typeof DispiIndex, value: number): void {
    this.#values[DispiIndex[register]] = value
  }
}

/** Bytes of a pixel, in modes that are not planar. */
export function bytesPerPixel(depth: Depth): number {
  return (depth + 7) >> 3
}

function pitchOf(width: number, depth: Depth): number {
  return depth === 4 ? width / 8 : width * bytesPerPixel(depth)
}
