/** Mounts: where the trees of file systems are seen (mount(2), mount_namespaces(7)). */
import type { Dentry } from '../dentry.ts'
import type { FileSystem } from '../file-system.ts'

/** Flags of one mount, with mount(2)'s numbers. */
// biome-ignore format: a table
export const MountFlag = {
  RDONLY: 1, NOSUID: 2, NODEV: 4, NOEXEC: 8, NOSYMFOLLOW: 256, NOATIME: 1024, NODIRATIME: 2048, RELATIME: 0x20_0000,
} as const

/** A file system as a layer knows it: once, however often it is mounted. */
export interface Super {
  readonly fs: FileSystem
  /** `st_dev` of its files. */
  readonly device: number
  /** The entry at its root. */
  readonly root: Dentry
  /** How many mounts of it there are. */
  mounts: number
}

/** Mounts among which events propagate; each of them is *shared*. */
export class PeerGroup {
  /** As `shared:N` in /proc/self/mountinfo. */
  readonly id: number
  readonly members: Set<Mount> = new Set()
  /** Mounts that receive from the group and do not send to it. */
  readonly slaves: Set<Mount> = new Set()

  constructor(id: number) {
    this.id = id
  }
}

/** One mount: a tree of entries, attached to an entry of another mount. */
export class Mount {
  /** As in /proc/self/mountinfo. */
  readonly id: number
  readonly super: Super
  /** What of the file system is seen: its root, or in a bind mount anything. */
  readonly root: Dentry
  /** What is said to be mounted: of /proc/mounts. */
  readonly source: string
  /** `MountFlag`s. */
  flags: number
  /** The `MountTree` that it is in; `null` once it has been detached. */
  tree: object | null = null
  parent: Mount | null = null
  mountpoint: Dentry | null = null
  readonly children: Map<Dentry, Mount> = new Map()
  /** The group that it sends to and receives from, if it is shared. */
  group: PeerGroup | null = null
  /** The group that it only receives from, if it is a slave. */
  master: PeerGroup | null = null
  /**
   * It came from a more privileged tree with what it is on: it cannot be unmounted alone, so that what it covers stays
   * hidden (mount_namespaces(7)). `lockedFlags` cannot be taken from it.
   */
  locked = false
  lockedFlags = 0
  /** Cannot be bound elsewhere. */
  unbindable = false
  /** Open files, working directories and roots of tasks. */
  uses = 0

  constructor(id: number, of: Super, root: Dentry, source: string, flags: number) {
    this.id = id
    this.super = of
    of.mounts++
    this.root = root
    this.source = source
    this.flags = flags
  }

  /** It and all mounts below, parents first. */
  *all(): Generator<Mount> {
    yield this
    for (const child of this.children.values()) yield* child.all()
  }
}

/** A place: an entry as seen through a mount. */
export interface Path {
  readonly mount: Mount
  readonly dentry: Dentry
}
