/** Files for a program: into our kernel's root, or into a folder of the host's. */
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { readCpio } from '@vmexit/boot'
import { VmexitError } from '@vmexit/core'
import type { LinuxKernel } from '@vmexit/linux'
import { toByteString } from '@vmexit/vfs'

/** Where files can be made. Directories that are there already are no failure. */
export interface FileTree {
  directory(path: string, mode: number): void
  file(path: string, bytes: Uint8Array, mode: number): void
  link(path: string, target: string): void
}

/** The root of a kernel. */
export function treeIn(kernel: LinuxKernel): FileTree {
  const { vfs } = kernel
  const task = vfs.newTask(kernel.tree)
  task.umask = 0
  const check = (path: string, answer: number): void => {
    if (answer >= 0) return
    throw new VmexitError('bench-guest', {
      problem: `${path} cannot be made: errno ${-answer}`,
      remedy: 'take the initramfs that apps/bench/README.md describes',
    })
  }
  return {
    directory: (path, mode) => void vfs.mkdir(task, null, toByteString(path), mode),
    file(path, bytes, mode) {
      const file = vfs.open(task, null, toByteString(path), O_WRONLY_CREAT, mode)
      if (typeof file === 'number') {
        check(path, file)
        return
      }
      check(path, vfs.write(task, file, bytes))
      vfs.close(file)
    },
    link: (path, target) => check(path, vfs.symlink(task, toByteString(target), null, toByteString(path))),
  }
}
const O_WRONLY_CREAT = 0o101

/** A folder. */
export function treeAt(folder: string): FileTree {
  return {
    directory: (path, mode) => void mkdirSync(join(folder, path), { recursive: true, mode }),
    file(path, bytes, mode) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), bytes)
      chmodSync(join(folder, path), mode)
    },
    link: (path, target) => symlinkSync(target, join(folder, path)),
  }
}

/** Puts what a cpio archive holds into a tree, but for device nodes. */
export function unpack(archive: Uint8Array, tree: FileTree): void {
  for (const entry of readCpio(archive[0] === 0x1f ? gunzipSync(archive) : archive)) {
    const path = `/${entry.path.replace(/^(\.?\/)+/, '')}`
    if (path === '/' || path === '/.') continue
    const { mode } = entry
    if (entry.kind === 'directory') tree.directory(path, (mode ?? 0o755) & 0o7777)
    else if (entry.kind === 'file') tree.file(path, entry.bytes, (mode ?? 0o644) & 0o7777)
    else if (entry.kind === 'symlink') tree.link(path, entry.target)
  }
}
