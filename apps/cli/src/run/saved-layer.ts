/** What a container has changed, in its folder: the archive of a layer, replaced as a whole. */
import {
  closeSync,
  createReadStream,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { isVmexitError, VmexitError } from '@vmexit/core'

function layerPath(folder: string): string {
  return join(folder, 'layer.tar')
}

/** Writes pieces to a file, all of them before anything else happens in this process: so nothing changes meanwhile. */
export function writePieces(path: string, pieces: Iterable<Uint8Array>): void {
  const file = openSync(path, 'w', 0o600)
  try {
    for (const piece of pieces)
      for (let done = 0; done < piece.length; ) done += writeSync(file, piece, done, piece.length - done)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** Saves it: whatever happens meanwhile, there is the old one or the new one. */
export function saveLayer(folder: string, pieces: Iterable<Uint8Array>): void {
  const path = layerPath(folder)
  const next = `${path}.new`
  try {
    writePieces(next, pieces)
    renameSync(next, path)
  } catch (error) {
    rmSync(next, { force: true })
    throw error
  }
  syncFolder(folder)
}

/** Removes what was not finished by a process that is gone. */
export function removeUnfinished(folder: string): void {
  for (const name of readdirSync(folder))
    if (/^(sent-[0-9]+|layer\.tar)\.new$/.test(name)) rmSync(join(folder, name), { force: true })
}

/** The new name is on the disk as well, where the system can say so. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return
  const file = openSync(folder, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** What was saved; nothing of a container that was never run. */
export async function* savedLayer(folder: string): AsyncGenerator<Uint8Array> {
  const path = layerPath(folder)
  if (existsSync(path)) yield* createReadStream(path, { highWaterMark: 1 << 18 })
}

/** Says which file it is that is damaged. */
export function inLayer(folder: string, error: unknown): unknown {
  if (!isVmexitError(error, 'container-layer')) return error
  return new VmexitError('container-layer', {
    problem: `${layerPath(folder)}: ${error.problem}`,
    remedy: 'restore that file from a copy; or delete it, and the container begins anew from its image',
    cause: error,
  })
}
