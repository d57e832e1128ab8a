/** The images of the benchmark: busybox with a tree of files beside it, and Debian; in a store, in a tmpfs, in a folder. */
import { spawnSync } from 'node:child_process'
import { createReadStream, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { readCpio } from '@vmexit/boot'
import { VmexitError } from '@vmexit/core'
import type { LinuxKernel } from '@vmexit/linux'
import { END_OF_ARCHIVE, encodeEntry, paddingAfter, TarReader, Unpacker } from '@vmexit/tar'
import { TmpFs, toByteString } from '@vmexit/vfs'

const GUESTS = join(homedir(), '.cache/vmexit/guests')
/** As `vmexit guests` fetches and makes them. */
export const BUSYBOX: string = join(GUESTS, 'busybox/initramfs.gz')
export const DEBIAN: string = join(GUESTS, 'debian-root/root.tar')

/** Directories of the tree, files in each, and bytes of the smallest and of the largest. */
const TREE = { directories: 40, files: 50, least: 512, most: 8704 } as const

/** What is in an image, as an archive: static busybox with its names, `/data` with 2,000 files of 9 MB, and `/data.tar` with the same. */
export function busyboxArchive(busybox: string = BUSYBOX): Buffer {
  if (!existsSync(busybox)) throw missing(busybox, '`vmexit guests busybox` fetches it')
  const pieces: Uint8Array[] = []
  const file = (name: string, mode: number, bytes: Uint8Array): void => {
    pieces.push(encodeEntry({ type: 'file', name: toByteString(name), mode, size: bytes.length }), bytes)
    pieces.push(paddingAfter(bytes.length))
  }
  for (const name of ['bin', 'dev', 'etc', 'proc', 'root', 'sys', 'tmp', 'work'])
    pieces.push(encodeEntry({ type: 'directory', name, mode: 0o755 }))
  for (const entry of readCpio(gunzipSync(readFileSync(busybox)))) {
    if (!entry.path.startsWith('bin/')) continue
    if (entry.kind === 'file') file(entry.path, 0o755, entry.bytes)
    else if (entry.kind === 'symlink')
      pieces.push(encodeEntry({ type: 'symlink', name: entry.path, target: entry.target, mode: 0o777 }))
  }
  pieces.push(...tree('data'))
  file('data.tar', 0o644, Buffer.concat([...tree('data'), END_OF_ARCHIVE]))
  return Buffer.concat([...pieces, END_OF_ARCHIVE])
}

function* tree(top: string): Generator<Uint8Array> {
  yield encodeEntry({ type: 'directory', name: top, mode: 0o755 })
  for (let n = 0; n < TREE.directories; n++) {
    yield encodeEntry({ type: 'directory', name: `${top}/d${n}`, mode: 0o755 })
    for (let m = 0; m < TREE.files; m++) {
      const size = TREE.least + (((n * TREE.files + m) * 37) % (TREE.most - TREE.least))
      yield encodeEntry({ type: 'file', name: `${top}/d${n}/file-${m}`, mode: 0o644, size })
      yield new Uint8Array(size).fill(97 + (m % 26))
      yield paddingAfter(size)
    }
  }
}

/** An archive as a store takes it. */
export async function* pieces(archive: Uint8Array): AsyncGenerator<Uint8Array> {
  yield archive
}
export const debianPieces = (archive: string): AsyncIterable<Uint8Array> => createReadStream(archive)

/** A tmpfs of a kernel with what is in an archive. */
export function tmpfsOf({ vfs, time }: LinuxKernel, archive: Uint8Array): TmpFs {
  const fs = new TmpFs({ time })
  const task = vfs.newTask(vfs.newTree(fs))
  task.umask = 0
  const unpacker = new Unpacker({ vfs, task })
  const reader = new TarReader(unpacker)
  reader.push(archive)
  reader.finish()
  unpacker.finish()
  return fs
}

/** A folder of the host with what is in an archive: its path. Owners and devices need root. */
export function folderOf(archive: Uint8Array | string, folder: string): string {
  mkdirSync(folder, { recursive: true })
  let file = archive
  if (typeof file !== 'string') writeFileSync((file = `${folder}.tar`), archive)
  const { status, stderr } = spawnSync('tar', ['-xpf', file, '-C', folder], { encoding: 'utf8' })
  if (status !== 0) throw missing(folder, `tar says: ${stderr.trim()}`)
  for (const name of ['proc', 'sys', 'dev']) mkdirSync(join(folder, name), { recursive: true })
  return folder
}

function missing(what: string, remedy: string): VmexitError {
  return new VmexitError('bench-guest', { problem: `${what} is not there`, remedy })
}
