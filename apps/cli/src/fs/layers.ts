/** Layers as the command line names them, and what they make together. */
import { statSync } from 'node:fs'
import { isVmexitError, VmexitError } from '@vmexit/core'
import { OverlayFs } from '@vmexit/overlayfs'
import { TarReader, Unpacker } from '@vmexit/tar'
import { type FileSystem, SettableTime, type TaskContext, TmpFs, Vfs } from '@vmexit/vfs'
import { hostDirectory } from '@vmexit/vfs/node'
import { readArchive } from './archive-stream.ts'
import type { UnpackProgress } from './progress.ts'
import { printable } from './shown.ts'

/** The union of some layers, seen by root. */
export interface Tree {
  readonly vfs: Vfs
  readonly task: TaskContext
  readonly time: SettableTime
  /** The layers by the names that they were given, the lowest first. */
  readonly layers: readonly { readonly name: string; readonly fs: FileSystem }[]
  /** What takes changes, where there is something that does. */
  readonly changes: TmpFs | undefined
}

/** A clock that is as late as the host's was when the program began. */
export function startTime(): SettableTime {
  const now = Date.now()
  return new SettableTime(Math.floor(now / 1000), (now % 1000) * 1e6)
}

/** Opens a layer: a directory of the host, read-only, or an archive, unpacked into memory. @throws VmexitError. */
export async function openLayer(name: string, time: SettableTime, progress: UnpackProgress): Promise<FileSystem> {
  const stat = statSync(name, { throwIfNoEntry: false })
  if (stat === undefined) {
    throw new VmexitError('fs-layer', {
      problem: `there is no layer '${name}'`,
      remedy: 'name a directory or a tar archive',
    })
  }
  if (stat.isDirectory()) return hostDirectory(name)
  const fs = new TmpFs({ time })
  await unpackInto(fs, name, time, progress)
  return fs
}

async function unpackInto(fs: TmpFs, name: string, time: SettableTime, progress: UnpackProgress): Promise<void> {
  const vfs = new Vfs({ time })
  const task = vfs.newTask(vfs.newTree(fs))
  task.umask = 0
  const unpacker = new Unpacker({ vfs, task, whiteouts: 'overlay' })
  const reader = new TarReader(unpacker)
  try {
    for await (const bytes of readArchive(name)) {
      reader.push(bytes)
      progress.add(name, bytes.length)
      if (reader.ended) break
    }
    reader.finish()
    unpacker.finish()
  } catch (error) {
    throw inArchive(name, error)
  } finally {
    progress.clear()
  }
}

/** Which archive an error is about: there may be several. */
function inArchive(name: string, cause: unknown): unknown {
  if (!isVmexitError(cause) || cause.code === 'fs-archive') return cause
  return new VmexitError('fs-archive', { problem: `${name}: ${printable(cause.problem)}`, remedy: cause.remedy, cause })
}

/** One tree of all layers, the lowest first; `writable` puts an empty one on top for what is changed. */
export async function openTree(
  names: readonly string[],
  {
    writable,
    changes,
    progress,
  }: { readonly writable: boolean; readonly changes?: string; readonly progress: UnpackProgress },
): Promise<Tree> {
  const time = startTime()
  const layers: { name: string; fs: FileSystem }[] = []
  for (const name of names) layers.push({ name, fs: await openLayer(name, time, progress) })
  const top = writable ? new TmpFs({ time }) : undefined
  if (top && changes !== undefined && statSync(changes, { throwIfNoEntry: false }))
    await unpackInto(top, changes, time, progress)
  const vfs = new Vfs({ time })
  const lower = layers.map(({ fs }) => fs.root).reverse()
  const union = new OverlayFs({ lower, ...(top ? { upper: top.root, index: true } : {}) })
  return { vfs, task: vfs.newTask(vfs.newTree(union, 'overlay')), time, layers, changes: top }
}
