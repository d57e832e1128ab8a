/**
 * User namespaces (user_namespaces(7)): which ids mean whom, and who owns what is in other namespaces.
 *
 * Tasks and files have the ids of the first namespace, as Linux's `kuid_t`; programs are told those of their own.
 */
import { Errno } from '../errno.ts'
import { Namespace, type NamespaceNumbers } from './namespace.ts'

/** What an id without a name in a namespace is shown as: overflowuid. */
export const OVERFLOW_ID = 65_534
/** No id: −1. */
export const NO_ID = 0xffff_ffff
/** Levels below the first namespace. */
const DEEPEST = 32
/** Lines of a map. */
const MOST_EXTENTS = 340

/** A line of a map: ids from `inside` on are those from `outside` on of the first namespace. */
export interface IdExtent {
  readonly inside: number
  readonly outside: number
  readonly count: number
}

/** The ids of a namespace. Empty until it is written, once. */
export class IdMap {
  extents: readonly IdExtent[] = []

  /** An id of the first namespace; −1 where there is none. */
  toKernel(id: number): number {
    for (const { inside, outside, count } of this.extents)
      if (id >= inside && id - inside < count) return outside + (id - inside)
    return -1
  }
  /** The id in the namespace; −1 where it has none. */
  fromKernel(id: number): number {
    for (const { inside, outside, count } of this.extents)
      if (id >= outside && id - outside < count) return inside + (id - outside)
    return -1
  }
  /** The same, as programs are told it. */
  shown(id: number): number {
    const own = this.fromKernel(id)
    return own === -1 ? OVERFLOW_ID : own
  }
}

/** A namespace with the user namespace whose capabilities count in it. */
export type OwnedNamespace = Namespace & { readonly owner: UserNamespace }

/** A namespace of users. */
export class UserNamespace extends Namespace {
  readonly kind = 'user'
  readonly parent: UserNamespace | null
  readonly level: number
  /** Who made it: ids of the first namespace. */
  readonly uid: number
  readonly gid: number
  readonly uids: IdMap = new IdMap()
  readonly gids: IdMap = new IdMap()
  /** setgroups(2) is allowed: /proc/PID/setgroups. */
  maySetGroups: boolean

  /** The first one, or one below `parent` that a user has made. */
  constructor(numbers: NamespaceNumbers, parent: UserNamespace | null, uid = 0, gid = 0) {
    super('user', numbers, parent === null)
    this.parent = parent
    this.level = parent === null ? 0 : parent.level + 1
    this.uid = uid
    this.gid = gid
    this.maySetGroups = parent?.maySetGroups ?? true
    if (parent !== null) return
    for (const map of [this.uids, this.gids]) map.extents = [{ inside: 0, outside: 0, count: NO_ID }]
  }

  get owner(): UserNamespace {
    return this.parent ?? this
  }

  /** A further one: ENOSPC where there are too many levels, EPERM where the maker has no ids in this one. */
  child(uid: number, gid: number): UserNamespace | number {
    if (this.level >= DEEPEST) return -Errno.ENOSPC
    if (this.uids.fromKernel(uid) === -1 || this.gids.fromKernel(gid) === -1) return -Errno.EPERM
    return new UserNamespace(this.numbers, this, uid, gid)
  }

  /** Does it lie in another one, or is it that one? */
  isWithin(other: UserNamespace): boolean {
    for (let at: UserNamespace | null = this; at !== null; at = at.parent) if (at === other) return true
    return false
  }

  /** Has somebody's file an owner here? Capabilities of the namespace count for no others. */
  maps({ uid, gid }: { readonly uid: number; readonly gid: number }): boolean {
    return this.uids.fromKernel(uid) !== -1 && this.gids.fromKernel(gid) !== -1
  }
}

/** The text of a map: ids outside as the reader sees them. */
export function mapText(map: IdMap, lower: IdMap): string {
  const column = (value: number): string => String(value).padStart(10)
  return map.extents
    .map(({ inside, outside, count }) => {
      const below = lower.fromKernel(outside)
      return `${column(inside)} ${column(below === -1 ? NO_ID : below)} ${column(count)}\n`
    })
    .join('')
}

/** Lines of a map, `outside` being ids of the parent; undefined for a text that is none. */
export function parseMap(text: string): IdExtent[] | undefined {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  if (lines.length === 0 || lines.length > MOST_EXTENTS) return undefined
  const extents: IdExtent[] = []
  for (const line of lines) {
    const words = line.trim().split(/[ \t]+/)
    if (words.length !== 3 || words.some((word) => !/^[0-9]{1,10}$/.test(word))) return undefined
    const [inside, outside, count] = words.map(Number) as [number, number, number]
    if (inside >= NO_ID || outside >= NO_ID || count === 0) return undefined
    if (inside + count > NO_ID || outside + count > NO_ID) return undefined
    const overlaps = (a: number, b: number, other: number): boolean => a < b + other && b < a + count
    if (extents.some((e) => overlaps(inside, e.inside, e.count) || overlaps(outside, e.outside, e.count)))
      return undefined
    extents.push({ inside, outside, count })
  }
  return extents
}

/** Ids of a parent's as ids of the first namespace: every range must lie in one of the parent's. */
export function throughParent(extents: readonly IdExtent[], parent: IdMap): IdExtent[] | undefined {
  const found: IdExtent[] = []
  for (const { inside, outside, count } of extents) {
    const first = parent.toKernel(outside)
    if (first === -1 || parent.toKernel(outside + count - 1) !== first + count - 1) return undefined
    found.push({ inside, outside: first, count })
  }
  return found
}
