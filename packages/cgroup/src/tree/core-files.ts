/** The files that every group has, whatever is enabled ("Control Group v2", *Core Interface Files*), and pressure. */
import { type ControlFile, type ControllerName, controllerNames, take, type Writer } from '../controller.ts'
import { formatBandwidth } from '../cpu/controller.ts'
import { Errno } from '../errno.ts'
import { type Resource, resources } from '../pressure.ts'
import { formatLimit, MAX, parseSigned, strip, words } from '../text.ts'
import type { Group } from './group.ts'
import type { Tree } from './tree.ts'

/** A group, and the tree that can change it. */
export interface Place {
  readonly tree: Tree
  readonly group: Group
}

type File = ControlFile<Place>

const switchable = (text: string, set: (on: boolean) => void): number =>
  take(parseSigned(strip(text), 32), (value) => {
    if (value !== 0 && value !== 1) return -Errno.ERANGE
    set(value === 1)
    return 0
  })

/** A limit of the tree: `max` is the largest number that an int has. */
function treeLimit(name: string, field: 'maxDepth' | 'maxDescendants'): File {
  return {
    name,
    where: 'everywhere',
    read: ({ group }) => `${formatLimit(group[field])}\n`,
    write: ({ group }, text) => {
      const word = strip(text)
      const result = word === MAX ? { value: 2 ** 31 - 1, errno: 0 as const } : parseSigned(word, 32)
      return take(result, (value) => {
        if (value < 0) return -Errno.ERANGE
        group[field] = value === 2 ** 31 - 1 ? Number.POSITIVE_INFINITY : value
        return 0
      })
    },
  }
}

function pressureFile(resource: Resource): File {
  return {
    name: `${resource}.pressure`,
    where: 'everywhere',
    read: ({ tree, group }) => group.pressure.format(resource, tree.kernel.now()),
    write: (_, text) => (isTrigger(text) ? -Errno.EOPNOTSUPP : -Errno.EINVAL),
  }
}

/** `some 150000 1000000`: microseconds in a window of half a second to ten. Linux has them; here they are absent. */
function isTrigger(text: string): boolean {
  const match = /^(?:some|full) (\d{1,9}) (\d{1,9})/.exec(text)
  if (match === null) return false
  const threshold = Number(match[1])
  const window = Number(match[2])
  return window >= 500_000 && window <= 10_000_000 && threshold > 0 && threshold <= window
}

/** Lists of ids, one a line. */
const lines = (ids: Iterable<number>): string =>
  [...ids].sort((a, b) => a - b).reduce((text, id) => `${text}${id}\n`, '')

/** The core files. */
export const coreFiles: readonly File[] = [
  { name: 'cgroup.controllers', where: 'everywhere', read: ({ tree, group }) => formatNames(tree.available(group)) },
  {
    name: 'cgroup.events',
    where: 'below-root',
    read: ({ group }) => `populated ${Number(group.populated)}\nfrozen ${Number(group.frozen)}\n`,
  },
  {
    name: 'cgroup.freeze',
    where: 'below-root',
    read: ({ group }) => `${Number(group.freeze)}\n`,
    write: ({ tree, group }, text) => switchable(text, (on) => tree.members.freeze(group, on)),
  },
  {
    name: 'cgroup.kill',
    where: 'below-root',
    write: ({ tree, group }, text) =>
      take(parseSigned(strip(text), 32), (value) => {
        if (value !== 1) return -Errno.ERANGE
        tree.members.kill(group)
        return 0
      }),
  },
  treeLimit('cgroup.max.depth', 'maxDepth'),
  treeLimit('cgroup.max.descendants', 'maxDescendants'),
  {
    name: 'cgroup.pressure',
    where: 'everywhere',
    read: ({ group }) => `${Number(group.pressure.on)}\n`,
    write: ({ tree, group }, text) => switchable(text, (on) => group.pressure.turn(on, tree.kernel.now())),
  },
  {
    name: 'cgroup.procs',
    where: 'everywhere',
    read: ({ group }) => lines([...group.processes].map(({ pid }) => pid)),
    write: writeProcs,
  },
  {
    name: 'cgroup.stat',
    where: 'everywhere',
    // What was charged to a removed group is its parent's at once: no group is ever dying.
    read: ({ group }) => `nr_descendants ${group.descendants}\nnr_dying_descendants 0\n`,
  },
  {
    name: 'cgroup.subtree_control',
    where: 'everywhere',
    read: ({ group }) => formatNames(controllerNames.filter((name) => group.controls.has(name))),
    write: writeSubtreeControl,
  },
  {
    name: 'cgroup.threads',
    where: 'everywhere',
    read: ({ group }) =>
      lines(
        [...group.processes].flatMap(({ threads }) =>
          [...threads.values()].filter(({ alive }) => alive).map(({ tid }) => tid),
        ),
      ),
    write: writeThreads,
  },
  {
    name: 'cgroup.type',
    where: 'below-root',
    read: () => 'domain\n',
    // Threaded groups are absent.
    write: (_, text) => (strip(text) === 'threaded' ? -Errno.EOPNOTSUPP : -Errno.EINVAL),
  },
  ...resources.map(pressureFile),
  { name: 'cpu.stat', where: 'everywhere', read: formatCpuStat },
]

function formatNames(names: readonly string[]): string {
  return names.length === 0 ? '' : `${names.join(' ')}\n`
}

/** `+memory -io`: what is named last holds. */
function writeSubtreeControl({ tree, group }: Place, text: string): number {
  const changes = new Map<ControllerName, boolean>()
  for (const word of strip(text).split(' ')) {
    if (word === '') continue
    const name = controllerNames.find((each) => each === word.slice(1))
    if (name === undefined || (word[0] !== '+' && word[0] !== '-')) return -Errno.EINVAL
    changes.set(name, word[0] === '+')
  }
  return tree.control(group, changes)
}

function writeProcs({ tree, group }: Place, text: string, writer: Writer): number {
  return take(parseId(text, writer), (tid) => {
    const member = tree.members.thread(tid)?.process
    return member === undefined ? -Errno.ESRCH : tree.members.move(member, group, writer)
  })
}

/** A thread stays with its process: it may be "moved" only to where it is. */
function writeThreads({ tree, group }: Place, text: string, writer: Writer): number {
  return take(parseId(text, writer), (tid) => {
    const thread = tree.members.thread(tid)
    if (thread === undefined || !thread.alive) return -Errno.ESRCH
    const { group: from } = thread.process
    if (writer.mayMove?.(from.commonAncestor(group)) === false) return -Errno.EACCES
    return from === group ? 0 : -Errno.EOPNOTSUPP
  })
}

function parseId(text: string, writer: Writer): ReturnType<typeof parseSigned> {
  const { value } = words(text).length === 1 ? parseSigned(strip(text), 32) : { value: undefined }
  if (value === undefined || value < 0) return { value: undefined, errno: -Errno.EINVAL }
  return { value: value === 0 ? (writer.pid ?? 0) : value, errno: 0 }
}

function formatCpuStat({ group }: Place): string {
  const { user, system } = group.totalCpuTime()
  const [u, s] = [Math.floor(user / 1000), Math.floor(system / 1000)]
  const time = `usage_usec ${u + s}\nuser_usec ${u}\nsystem_usec ${s}\n`
  return group.has('cpu') ? time + formatBandwidth(group.cpu) : time
}
