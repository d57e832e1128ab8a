/** Random mounts, binds, moves, unmounts and kinds of propagation do what Linux 6.18 did: `vectors/record-mounts.py`. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  errnoName,
  type Mount,
  MountFlag,
  type MountTree,
  type Propagation,
  SettableTime,
  TmpFs,
  Vfs,
} from '../index.ts'

type Operation = readonly [name: string, a: string, b: string, deep: boolean]

interface Sequence {
  readonly operations: readonly (readonly [Operation, answer: string])[]
  readonly mounts: readonly string[]
}

const file = join(import.meta.dirname, '../../vectors/mounts-linux-6.18.jsonl')
const sequences = readFileSync(file, 'utf8').trim().split('\n')
const directories = ['d1', 'd2', 'd1/d1', 'd1/d2', 'd2/d1', 'd2/d2']

test.each(sequences.map((line, i) => [i, JSON.parse(line) as Sequence] as const))('sequence %i', (_, sequence) => {
  const time = new SettableTime()
  const vfs = new Vfs({ time })
  const tree = vfs.newTree(new TmpFs({ time }), 'fs0')
  const fill = (base: string) => {
    const task = vfs.newTask(tree)
    for (const name of directories) vfs.mkdir(task, null, `${base}/${name}`, 0o755)
    vfs.exit(task)
  }
  fill('')
  for (const [[name, a, b, deep], answer] of sequence.operations) {
    const task = vfs.newTask(tree)
    vfs.exit(task)
    let here: unknown
    if (name === 'mount') {
      here = vfs.mount(task, new TmpFs({ time }), a, { source: b, flags: MountFlag.RELATIME })
      if (typeof here !== 'number') fill(a)
    } else if (name === 'bind' || name === 'rbind') here = vfs.bind(task, a, b, name === 'rbind')
    else if (name === 'move') {
      const to = vfs.lookup(task, null, b)
      const mount = vfs.mountAt(task, a)
      here = typeof to === 'number' ? to : typeof mount === 'number' ? mount : tree.move(mount, to)
    } else if (name === 'make') {
      const mount = vfs.mountAt(task, a)
      here = typeof mount === 'number' ? mount : tree.propagate(mount, b as Propagation, deep)
    } else here = vfs.umount(task, a, name === 'detach')
    expect([name, a, b, typeof here === 'number' && here < 0 ? errnoName(here) : 'ok']).toEqual([name, a, b, answer])
  }
  expect(shown(tree)).toEqual(sequence.mounts)
})

/** The mounts as the recording has them. */
function shown(tree: MountTree): string[] {
  const keys = new Map(tree.all().map((mount) => [mount, key(mount)]))
  const group = (members: Iterable<Mount>) =>
    [...members]
      .map((mount) => keys.get(mount))
      .sort()
      .join(',')
  const show = (mount: Mount) => {
    const shared = mount.group === null ? '' : ` shared{${group(mount.group.members)}}`
    const master = mount.master === null ? '' : ` master{${group(mount.master.members)}}`
    return `${keys.get(mount)}${shared}${master}${mount.unbindable ? ' unbindable' : ''}`
  }
  return tree.all().map(show).sort()
}

function key(mount: Mount): string {
  let root = ''
  for (let at = mount.root; at.parent !== null; at = at.parent) root = `/${at.name}${root}`
  return `${place(mount) || '/'}=${mount.source}${root || '/'}${mount.parent === null ? '' : ` on ${mount.parent.source}`}`
}

function place(mount: Mount): string {
  if (mount.parent === null) return ''
  let below = ''
  for (let at = mount.mountpoint!; at !== mount.parent.root; at = at.parent!) below = `/${at.name}${below}`
  return place(mount.parent) + below
}
