/**
 * Host frames: 4 KiB pages of host memory that hold guest pages, with reference counts (copy-on-write) and an owner
 * each (quotas, later a cgroup). A frame is named by its host offset, a multiple of 4096 and never 0.
 */
import { hex, VmexitError } from '@vmexit/core'
import { type HostMemory, PAGE_BYTES } from './host-memory.ts'

/** Whom a frame is charged to. */
export interface FrameOwner {
  readonly name: string
  /** Asked before `frames` are handed out; false refuses them. */
  charge(frames: number): boolean
  /** Told when `frames` charged before are no longer used. */
  uncharge(frames: number): void
}

/** An owner that refuses nothing and keeps no account. */
export function unlimitedOwner(name: string): FrameOwner {
  return { name, charge: () => true, uncharge: () => {} }
}

/** What a {@link FramePool} is made of. */
export interface FramePoolOptions {
  readonly host: HostMemory
  /** Frames that may be in use at once. Default: as many as host memory holds. */
  readonly maximumFrames?: number
  /** Frames taken from host memory at a time. Default 256 (1 MiB). */
  readonly chunkFrames?: number
}

/**
 * A pool of frames over one {@link HostMemory}. Frames of ended guests are used again; host memory itself does not shrink.
 * A frame is charged to the owner it was allocated for until its last reference goes, whoever else shares it meanwhile.
 */
export class FramePool {
  readonly host: HostMemory
  /** The shared frame of zeros behind every untouched page. Never written, never counted. */
  readonly zeroFrame: number
  readonly #maximumFrames: number
  readonly #chunkFrames: number
  readonly #free: number[] = []
  readonly #owners: (FrameOwner | undefined)[] = []
  #references: Uint32Array<ArrayBuffer>
  #fresh = 0
  #freshEnd = 0
  #inUse = 0

  constructor(options: FramePoolOptions) {
    this.host = options.host
    this.#maximumFrames = options.maximumFrames ?? Number.POSITIVE_INFINITY
    this.#chunkFrames = options.chunkFrames ?? 256
    this.#references = new Uint32Array(this.host.byteLength / PAGE_BYTES)
    this.zeroFrame = this.host.reserve(PAGE_BYTES, 'zero frame').address
  }

  /** Frames in use now. */
  get inUse(): number {
    return this.#inUse
  }

  /**
   * A frame with one reference, charged to `owner`. `content` `'zero'` (default) makes it zero-filled; `'any'` leaves
   * whatever was there, for a caller that overwrites all of it.
   * @throws VmexitError `frame-limit` or `memory-exhausted`; nothing is changed then.
   */
  allocate(owner: FrameOwner, content: 'zero' | 'any' = 'zero'): number {
    if (this.#inUse >= this.#maximumFrames) {
      throw new VmexitError('frame-limit', {
        problem: `the frame pool's ${this.#maximumFrames} frames are all in use`,
        remedy: 'raise maximumFrames or end a guest',
      })
    }
    if (this.#free.length === 0 && this.#fresh === this.#freshEnd) this.#refill()
    if (!owner.charge(1)) {
      throw new VmexitError('frame-limit', {
        problem: `${owner.name} may not use another frame of memory`,
        remedy: 'raise its limit or shrink its guest',
      })
    }
    const recycled = this.#free.pop()
    const frame = recycled ?? this.#fresh
    if (recycled === undefined) this.#fresh += PAGE_BYTES
    else if (content === 'zero') this.host.u8.fill(0, frame, frame + PAGE_BYTES)
    const index = frame / PAGE_BYTES
    this.#references[index] = 1
    this.#owners[index] = owner
    this.#inUse++
    return frame
  }

  /** References to `frame`; 0 if it is not in use. The zero frame has none. */
  references(frame: number): number {
    return this.#references[frame / PAGE_BYTES] ?? 0
  }

  /** Whom `frame` is charged to. */
  ownerOf(frame: number): FrameOwner | undefined {
    return this.#owners[frame / PAGE_BYTES]
  }

  /** Adds a reference. No effect on the zero frame. */
  retain(frame: number): void {
    if (frame === this.zeroFrame) return
    this.#demandInUse(frame)
    this.#references[frame / PAGE_BYTES]++
  }

  /** Drops a reference; the last one frees the frame. No effect on the zero frame. */
  release(frame: number): void {
    if (frame === this.zeroFrame) return
    this.#demandInUse(frame)
    const index = frame / PAGE_BYTES
    if (--this.#references[index] !== 0) return
    this.#owners[index]?.uncharge(1)
    this.#owners[index] = undefined
    this.#free.push(frame)
    this.#inUse--
  }

  #demandInUse(frame: number): void {
    if (this.references(frame) === 0) {
      throw new VmexitError('frame-unknown', {
        problem: `host offset ${hex(frame)} is not a frame in use`,
        remedy: 'name a frame this pool allocated',
      })
    }
  }

  #refill(): void {
    const bytes = this.#chunkFrames * PAGE_BYTES
    const left = this.host.maximumBytes - this.host.byteLength
    const chunk = this.host.reserve(left < bytes ? PAGE_BYTES : bytes, 'guest frames')
    this.#fresh = chunk.address
    this.#freshEnd = chunk.address + chunk.bytes
    if (this.#references.length * PAGE_BYTES < this.host.byteLength) {
      const grown = new Uint32Array(this.host.byteLength / PAGE_BYTES)
      grown.set(this.#references)
      this.#references = grown
    }
  }
}
