/**
 * A tree of mounts (a mount namespace: mount_namespaces(7)): mounting, binding, moving, unmounting, with propagation to
 * other mounts and trees, and copying the whole tree. Answers are 0 or a negated error number; who may do it is asked
 * above.
 */
import { type Dentry, type DentryCache, inodeOf } from '../dentry.ts'
import { Errno } from '../errno.ts'
import { isDirectory } from '../flags.ts'
import { Mount, MountFlag, type Path, type Super } from './mount.ts'
import {
  type CopyKind,
  makeShared,
  type Propagation,
  receivers,
  relateCopy,
  setPropagation,
  withdraw,
} from './propagation.ts'

/** Flags that a less privileged namespace cannot take from a mount, where they are set. */
const PROTECTING = MountFlag.RDONLY | MountFlag.NOSUID | MountFlag.NODEV | MountFlag.NOEXEC

const { EBUSY, EINVAL, ELOOP, ENOENT, ENOTDIR } = Errno

/** What the trees of one layer share: numbers, and the entries that mounts hold on to. */
export interface MountWorld {
  readonly entries: DentryCache
  nextMount(): number
  nextGroup(): number
  /** The last mount of a file system has gone. */
  gone(of: Super): void
}

/** A tree of mounts. `MountTree.clone` makes the tree of a new mount namespace. */
export class MountTree {
  readonly #world: MountWorld
  #root: Mount

  /** A tree of one mount. `Vfs.newTree` makes one of a file system. */
  constructor(world: MountWorld, root: Mount) {
    this.#world = world
    this.#root = root
    this.#adopt(root)
  }

  /** The mount at its root. */
  get root(): Mount {
    return this.#root
  }

  /** The place that is seen at a place: the root of what is mounted there last, or the place itself. */
  covering(path: Path): Path {
    let { mount, dentry } = path
    while (dentry.mounts > 0) {
      const child = mount.children.get(dentry)
      if (child === undefined) break
      mount = child
      dentry = child.root
    }
    return mount === path.mount && dentry === path.dentry ? path : { mount, dentry }
  }

  /** Every mount, parents first. */
  all(): Mount[] {
    return [...this.#root.all()]
  }

  /** Mounts a file system, or a part of one, on `at`. The new mount, or an error. */
  mount(of: Super, at: Path, source: string, flags: number): Mount | number {
    const mount = new Mount(this.#world.nextMount(), of, of.root, source, flags)
    this.#world.entries.pin(of.root)
    const answer = this.#attach(mount, at)
    if (answer === 0) return mount
    this.#drop(mount)
    return answer
  }

  /** Shows `from` at `at` too; `recursive` what is mounted below it as well. The new mount, or an error. */
  bind(from: Path, at: Path, recursive: boolean): Mount | number {
    const isOwn = from.mount.tree === this || from.mount.super.fs.isBoundFromOutside === true
    if (!isOwn || from.mount.unbindable) return -EINVAL
    if (!recursive && hidesSomething(from)) return -EINVAL
    const copy = recursive
      ? this.#copyTree(from.mount, from.dentry, (mount) => (mount.unbindable ? null : 'peer'))
      : this.#copy(from.mount, from.dentry, 'peer')
    copy.locked = false
    const answer = this.#attach(copy, at)
    if (answer === 0) return copy
    this.#take(copy)
    return answer
  }

  /** Moves a mount elsewhere. */
  move(mount: Mount, at: Path): number {
    if (mount.tree !== this || mount.parent === null || mount.parent.group !== null || mount.locked) return -EINVAL
    if (at.mount.group !== null && [...mount.all()].some(({ unbindable }) => unbindable)) return -EINVAL
    for (let up: Mount | null = at.mount; up !== null; up = up.parent) if (up === mount) return -ELOOP
    const answer = this.#fits(mount, at)
    if (answer < 0) return answer
    this.#detach(mount)
    return this.#attach(mount, at)
  }

  /** Makes a mount, or with `recursive` those below it too, shared, private, slave or unbindable. */
  propagate(mount: Mount, to: Propagation, recursive: boolean): void {
    for (const each of recursive ? [...mount.all()] : [mount]) setPropagation(each, to, () => this.#world.nextGroup())
  }

  /**
   * Takes a mount away, here and where the mount that it is on spreads to. EBUSY where something is mounted below it or
   * it is in use; `lazily` takes it away with all that is below, and what is open stays usable.
   */
  umount(mount: Mount, lazily: boolean): number {
    if (mount.tree !== this || mount.parent === null || mount.locked) return -EINVAL
    if (!lazily && (mount.uses > 0 || mount.children.size > 0)) return -EBUSY
    const going = spreading([...mount.all()])
    if (!lazily && [...going].some(({ uses }) => uses > 0)) return -EBUSY
    const deepestFirst = [...going].sort((a, b) => depth(b) - depth(a))
    for (const each of deepestFirst) (each.tree as MountTree).#removeFromUnder(each)
    for (const each of going) this.#drop(each)
    return 0
  }

  /** pivot_root(2): the mount at `root` takes the place of the one that is a task's root, which is then seen at `oldAt`. */
  pivot(root: Path, oldAt: Path, rootOfTask: Path): number {
    const top = rootOfTask.mount
    if (root.mount === top || oldAt.mount === top) return -EBUSY
    if (root.mount.tree !== this || top.tree !== this || oldAt.mount.tree !== this) return -EINVAL
    if (root.dentry !== root.mount.root || rootOfTask.dentry !== top.root) return -EINVAL
    if (root.mount.locked) return -EINVAL
    if ([root.mount.parent, top.parent, oldAt.mount].some((mount) => mount !== null && mount.group !== null))
      return -EINVAL
    if (!this.#isBelow(oldAt, root) || !this.#isBelow(root, rootOfTask)) return -EINVAL
    if (!isDirectory(inodeOf(root.dentry).mode) || !isDirectory(inodeOf(oldAt.dentry).mode)) return -ENOTDIR
    const place = top.parent === null ? null : { mount: top.parent, dentry: top.mountpoint! }
    this.#detach(root.mount)
    if (place !== null) this.#detach(top)
    this.#hang(top, oldAt)
    if (place === null) this.#root = root.mount
    else this.#hang(root.mount, place)
    root.mount.locked = top.locked
    top.locked = false
    return 0
  }

  /**
   * A copy of the whole tree, for a new mount namespace. Shared mounts are peers of their copies, or with `asSlaves`, for
   * a less privileged namespace, the copies only receive, and are locked with the flags that protect. `mapped` is told what became of each mount.
   */
  clone(asSlaves = false, mapped?: (original: Mount, copy: Mount) => void): MountTree {
    const kind: CopyKind = asSlaves ? 'slave' : 'peer'
    const copy = this.#copyTree(this.#root, this.#root.root, () => kind, mapped)
    if (asSlaves) {
      for (const mount of copy.all()) {
        mount.locked = mount !== copy
        mount.lockedFlags |= mount.flags & PROTECTING
      }
    }
    return new MountTree(this.#world, copy)
  }

  /** Takes the whole tree away: the last task has left its namespace. */
  dispose(): void {
    this.#take(this.#root)
  }

  #attach(mount: Mount, at: Path): number {
    const answer = this.#fits(mount, at)
    if (answer < 0) return answer
    const { mount: parent, dentry } = at
    const copies = new Map<Mount, Mount>([[parent, mount]])
    if (parent.group !== null) {
      for (const each of mount.all()) makeShared(each, () => this.#world.nextGroup())
      for (const { mount: receiver, from, kind } of receivers(parent, dentry)) {
        const original = copies.get(from) ?? mount
        const copy = this.#copyTree(original, original.root, (each) => (each.unbindable ? null : kind))
        copies.set(receiver, copy)
      }
    }
    for (const [on, copy] of copies) (on.tree as MountTree).#hangUnder(copy, { mount: on, dentry })
    return 0
  }

  /** Directories are mounted on directories, other files on others, and nothing on what has been removed. */
  #fits(mount: Mount, { mount: parent, dentry }: Path): number {
    if (parent.tree !== this) return -EINVAL
    if (dentry.removed) return -ENOENT
    return isDirectory(inodeOf(dentry).mode) === isDirectory(inodeOf(mount.root).mode) ? 0 : -ENOTDIR
  }

  /** Hangs a mount on a place; what is mounted there already is then mounted on its root. */
  #hangUnder(mount: Mount, at: Path): void {
    this.#adopt(mount)
    const covered = at.mount.children.get(at.dentry)
    if (covered !== undefined) {
      this.#detach(covered)
      this.#hang(mount, at)
      this.#hang(covered, { mount, dentry: mount.root })
    } else this.#hang(mount, at)
  }

  #hang(mount: Mount, { mount: parent, dentry }: Path): void {
    mount.parent = parent
    mount.mountpoint = dentry
    parent.children.set(dentry, mount)
    dentry.mounts++
    this.#world.entries.pin(dentry)
  }

  #detach(mount: Mount): void {
    const dentry = mount.mountpoint!
    mount.parent!.children.delete(dentry)
    dentry.mounts--
    this.#world.entries.unpin(dentry)
    mount.parent = mount.mountpoint = null
  }

  #adopt(top: Mount): void {
    for (const mount of top.all()) mount.tree = this
  }

  /** Takes a mount out; what is mounted on its root, and stays, is then mounted where it was. */
  #removeFromUnder(mount: Mount): void {
    const { parent, mountpoint } = mount
    this.#detach(mount)
    const cover = mount.children.get(mount.root)
    if (cover === undefined) return
    this.#detach(cover)
    this.#hang(cover, { mount: parent!, dentry: mountpoint! })
  }

  /** Takes a mount and all below it away. */
  #take(top: Mount): void {
    for (const mount of [...top.all()].reverse()) {
      if (mount.parent !== null) this.#detach(mount)
      this.#drop(mount)
    }
  }

  #drop(mount: Mount): void {
    withdraw(mount)
    mount.tree = null
    this.#world.entries.unpin(mount.root)
    if (--mount.super.mounts === 0 && mount.uses === 0) this.#world.gone(mount.super)
  }

  #copy(mount: Mount, root: Dentry, kind: CopyKind): Mount {
    const copy = new Mount(this.#world.nextMount(), mount.super, root, mount.source, mount.flags)
    copy.unbindable = mount.unbindable
    copy.locked = mount.locked
    copy.lockedFlags = mount.lockedFlags
    this.#world.entries.pin(root)
    relateCopy(copy, mount, kind, () => this.#world.nextGroup())
    return copy
  }

  /** Copies a mount from an entry on, with the mounts below that; `kind` says how, or `null` not to. */
  #copyTree(
    mount: Mount,
    root: Dentry,
    kind: (mount: Mount) => CopyKind | null,
    mapped?: (original: Mount, copy: Mount) => void,
  ): Mount {
    const copy = this.#copy(mount, root, kind(mount) ?? 'private')
    mapped?.(mount, copy)
    for (const [dentry, child] of mount.children) {
      if (kind(child) === null || !dentry.isWithin(root)) continue
      this.#hang(this.#copyTree(child, child.root, kind, mapped), { mount: copy, dentry })
    }
    return copy
  }

  /** Whether a place is another one or below it. */
  #isBelow({ mount, dentry }: Path, above: Path): boolean {
    while (mount !== above.mount) {
      if (mount.parent === null) return false
      dentry = mount.mountpoint!
      mount = mount.parent
    }
    return dentry.isWithin(above.dentry)
  }
}

/** Whether a mount that cannot be taken off covers something below a place: a bind mount must not show it. */
function hidesSomething({ mount, dentry }: Path): boolean {
  return [...mount.children].some(([at, child]) => child.locked && at.isWithin(dentry))
}

/**
 * The mounts that go when these go: theirs, and those at the same places of mounts that receive from where they are, but
 * none that something stays mounted below. What is mounted on a root does not count: it can do without.
 */
function spreading(top: readonly Mount[]): Set<Mount> {
  const going = new Set(top)
  for (const mount of top) {
    for (const { mount: receiver } of receivers(mount.parent!, mount.mountpoint!)) {
      const copy = receiver.children.get(mount.mountpoint!)
      if (copy !== undefined) going.add(copy)
    }
  }
  const chosen = new Set(top)
  for (let changed = true; changed; ) {
    changed = false
    for (const mount of going) {
      if (chosen.has(mount) || ![...mount.children].some(([at, child]) => at !== mount.root && leaves(child, going)))
        continue
      going.delete(mount)
      changed = true
    }
  }
  return going
}

/** Whether something remains at a mount's place when all of `going` have gone: it, or what is mounted on its root. */
function leaves(mount: Mount, going: ReadonlySet<Mount>): boolean {
  for (let at: Mount | undefined = mount; at !== undefined; at = at.children.get(at.root))
    if (!going.has(at)) return true
  return false
}

function depth(mount: Mount): number {
  let result = 0
  for (let at = mount.parent; at !== null; at = at.parent) result++
  return result
}
