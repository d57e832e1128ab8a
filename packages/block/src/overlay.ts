/** Copy-on-write: what is written stays in an overlay, by cluster, and what is below it is as it was. */
import { checkState, type State, type Stateful, VmexitError } from '@vmexit/core'
import { type BlockDevice, checkAccess } from './block-device.ts'

/** How an overlay is made. */
export interface OverlayOptions {
  /** Bytes that are copied when one of them is first written: a power of two of 4 KiB to 2 MiB; 64 KiB unless stated. */
  readonly clusterBytes?: number
}

/** A saved overlay: the clusters that were written. What is below is not in it, only its size. */
export type OverlayState = State & {
  readonly version: 1
  readonly sectors: number
  readonly sectorBytes: number
  readonly clusterBytes: number
  /** Numbers of the clusters, ascending. */
  readonly clusters: readonly number[]
  /** The bytes of each. */
  readonly contents: readonly Uint8Array[]
}

/**
 * A writable device over any other. {@link commit} writes the changes down, {@link discard} forgets them; `save` and
 * `restore` are of the changes. Whoever writes to `base` while it is covered sees neither side whole.
 */
export class Overlay implements BlockDevice, Stateful<OverlayState> {
  readonly sectorBytes: 512 | 2048
  readonly sectors: number
  readonly readOnly = false
  readonly base: BlockDevice
  readonly #clusterBytes: number
  readonly #clusters = new Map<number, Uint8Array>()

  /** Throws a {@link VmexitError} `block-cluster` for a size of clusters that is not allowed. */
  constructor(base: BlockDevice, { clusterBytes = 0x1_0000 }: OverlayOptions = {}) {
    const isPowerOfTwo = Number.isInteger(clusterBytes) && (clusterBytes & (clusterBytes - 1)) === 0
    if (!(clusterBytes >= 0x1000 && clusterBytes <= 0x20_0000 && isPowerOfTwo)) {
      throw new VmexitError('block-cluster', {
        problem: `an overlay cannot have clusters of ${clusterBytes} bytes`,
        remedy: 'use a power of two from 4096 to 2097152',
      })
    }
    this.base = base
    this.sectorBytes = base.sectorBytes
    this.sectors = base.sectors
    this.#clusterBytes = clusterBytes
  }

  /** Bytes that the overlay holds: whole clusters, each changed in some byte or other. */
  get changedBytes(): number {
    let sum = 0
    for (const bytes of this.#clusters.values()) sum += bytes.length
    return sum
  }

  read(sector: number, into: Uint8Array): void {
    checkAccess('the overlay', this, 'read', sector, into.length)
    this.#eachCluster(sector, into, (cluster, start, part) => {
      const changed = this.#clusters.get(cluster)
      if (changed !== undefined) part.set(changed.subarray(start, start + part.length))
      else this.base.read((cluster * this.#clusterBytes + start) / this.sectorBytes, part)
    })
  }

  write(sector: number, from: Uint8Array): void {
    checkAccess('the overlay', this, 'write', sector, from.length)
    this.#eachCluster(sector, from, (cluster, start, part) => {
      let changed = this.#clusters.get(cluster)
      if (changed === undefined) {
        changed = new Uint8Array(this.#lengthOf(cluster))
        if (part.length < changed.length) this.base.read((cluster * this.#clusterBytes) / this.sectorBytes, changed)
        this.#clusters.set(cluster, changed)
      }
      changed.set(part, start)
    })
  }

  /** Nothing: what was written is in memory, and stays there until {@link commit}. */
  flush(): void {}

  /** Writes the changes to the base and forgets them. If the base refuses some, they are all kept. */
  commit(): void {
    for (const [cluster, bytes] of this.#sorted()) {
      this.base.write((cluster * this.#clusterBytes) / this.sectorBytes, bytes)
    }
    this.base.flush()
    this.#clusters.clear()
  }

  /** Forgets the changes. */
  discard(): void {
    this.#clusters.clear()
  }

  save(): OverlayState {
    const sorted = this.#sorted()
    return {
      version: 1,
      sectors: this.sectors,
      sectorBytes: this.sectorBytes,
      clusterBytes: this.#clusterBytes,
      clusters: sorted.map(([cluster]) => cluster),
      contents: sorted.map(([, bytes]) => bytes.slice()),
    }
  }

  /** Throws a {@link VmexitError} `state-mismatch` if the saved overlay was over a device of another size. */
  restore(state: OverlayState): void {
    const { sectors, sectorBytes, clusterBytes, clusters, contents } = checkState('the overlay', state, this.save())
    const fits = sectors === this.sectors && sectorBytes === this.sectorBytes && clusterBytes === this.#clusterBytes
    if (!fits || !clusters.every((cluster, i) => contents[i]?.length === this.#lengthOf(cluster))) {
      throw new VmexitError('state-mismatch', {
        problem:
          `the saved overlay has ${sectors} sectors of ${sectorBytes} bytes in clusters of ${clusterBytes}, this one ` +
          `${this.sectors} of ${this.sectorBytes} in clusters of ${this.#clusterBytes}`,
        remedy: 'restore it over the same device, with the same options',
      })
    }
    this.#clusters.clear()
    for (const [i, cluster] of clusters.entries()) this.#clusters.set(cluster, contents[i]!.slice())
  }

  #sorted(): [number, Uint8Array][] {
    return [...this.#clusters].sort(([a], [b]) => a - b)
  }

  /** Bytes in a cluster: fewer in the last one. 0 behind the end. */
  #lengthOf(cluster: number): number {
    const rest = this.sectors * this.sectorBytes - cluster * this.#clusterBytes
    return Math.max(0, Math.min(this.#clusterBytes, rest))
  }

  /** Calls `visit` with the parts of `bytes`, from `sector` on, that lie in one cluster each, and where in it. */
  #eachCluster(
    sector: number,
    bytes: Uint8Array,
    visit: (cluster: number, start: number, part: Uint8Array) => void,
  ): void {
    const begin = sector * this.sectorBytes
    for (let done = 0; done < bytes.length; ) {
      const cluster = Math.floor((begin + done) / this.#clusterBytes)
      const start = begin + done - cluster * this.#clusterBytes
      const part = bytes.subarray(done, done + this.#clusterBytes - start)
      visit(cluster, start, part)
      done += part.length
    }
  }
}
