/**
 * A cgroup v2 hierarchy: the tree with its files, as texts in and out. A file system shows it: directories are groups,
 * `mkdir` and `rmdir` are the tree's, a group's files are {@link Hierarchy.files}.
 */
import type { ControlFile, ControllerName, Writer } from './controller.ts'
import { Errno } from './errno.ts'
import type { MemoryAccount } from './memory/account.ts'
import { checkHierarchyState, type HierarchyState, restoreTree, saveTree } from './state.ts'
import { coreFiles, type Place } from './tree/core-files.ts'
import type { Group } from './tree/group.ts'
import { controllers, Tree } from './tree/tree.ts'

/** A file of a group, as a directory shows it. */
export interface FileEntry {
  readonly name: string
  /** Permission bits: 0o644, 0o444 or 0o200. */
  readonly mode: number
}

/** What is written at once is at most so long, unless a file takes more. */
const PAGE = 4096

/** What all groups may have, by name: which controller it takes, and how it is read and written. */
type Entry = FileEntry & {
  readonly controller: ControllerName | undefined
  readonly file: ControlFile<Place>
}

const entries: ReadonlyMap<string, Entry> = new Map(allEntries().map((entry) => [entry.name, entry]))

/** The tree, its controllers, its files. */
export class Hierarchy extends Tree {
  /** The files of a group, by name. They change with `cgroup.subtree_control` of the parent and `cgroup.pressure`. */
  files(group: Group): FileEntry[] {
    return [...entries.values()].filter((entry) => shows(group, entry)).map(({ name, mode }) => ({ name, mode }))
  }

  /** The text of a file. ENOENT where the group has no such file, EINVAL where it is write-only. */
  read(group: Group, name: string): string | number {
    const entry = entries.get(name)
    if (entry === undefined || !shows(group, entry)) return -Errno.ENOENT
    return entry.file.read?.({ tree: this, group }) ?? -Errno.EINVAL
  }

  /**
   * Writes a text: 0 where all of it has been taken. ENOENT as with `read`, EINVAL where the file is read-only, E2BIG
   * where the text is longer than a page; else what the file answers. `writer` says who writes.
   */
  write(group: Group, name: string, text: string, writer: Writer = {}): number {
    const entry = entries.get(name)
    if (entry === undefined || !shows(group, entry)) return -Errno.ENOENT
    const { file } = entry
    if (file.write === undefined) return -Errno.EINVAL
    if (text.length > (file.maxBytes ?? PAGE)) return -Errno.E2BIG
    // A write of no bytes never reaches the file.
    return text === '' ? 0 : file.write({ tree: this, group }, text, writer)
  }

  /** The memory account of an id: for a kernel that restores who has paid for a page. */
  memoryAccount(id: number): MemoryAccount | undefined {
    for (const { memory } of this.root.subtree()) if (memory.id === id) return memory
    return undefined
  }

  /** The whole hierarchy as data: groups, settings, charges, processes. */
  save(): HierarchyState {
    return saveTree(this, this.lastId)
  }

  /**
   * Becomes what was saved. Groups, accounts, processes and threads are other objects from here on, under the same paths
   * and ids: see {@link memoryAccount}. Throws a `VmexitError` `state-mismatch` for what is no saved hierarchy.
   */
  restore(state: HierarchyState): void {
    checkHierarchyState(state)
    this.reset()
    restoreTree(this, (parent, name) => this.make(parent, name), state)
    this.resumeIds(state.lastId)
  }
}

function shows(group: Group, { name, controller, file }: Entry): boolean {
  if (group.removed || (file.where === 'below-root' && group.parent === null)) return false
  if (name.endsWith('.pressure') && name !== 'cgroup.pressure') return group.pressure.on
  return controller === undefined || group.has(controller)
}

function allEntries(): Entry[] {
  const all = coreFiles.map((file): Entry => entryOf(file, undefined))
  for (const controller of Object.values(controllers)) {
    for (const file of controller.files as readonly ControlFile<never>[]) {
      const { name, where, maxBytes, read, write } = file
      const account = ({ group }: Place): never => group.accounts[controller.name] as never
      all.push(
        entryOf(
          {
            ...{ name, where },
            ...(maxBytes !== undefined && { maxBytes }),
            ...(read && { read: (place: Place) => read(account(place)) }),
            ...(write && {
              write: (place: Place, text: string, writer: Writer) => write(account(place), text, writer),
            }),
          },
          controller.name,
        ),
      )
    }
  }
  return all.sort((a, b) => (a.name < b.name ? -1 : 1))
}

function entryOf(file: ControlFile<Place>, controller: ControllerName | undefined): Entry {
  const mode = (file.read ? 0o444 : 0) | (file.write ? 0o200 : 0)
  return { name: file.name, mode, controller, file }
}
