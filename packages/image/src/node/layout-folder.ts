/// <reference types="node" />
/** OCI image layouts in folders of the host: read, and written. */
import { createReadStream } from 'node:fs'
import { constants, lstat, mkdir, mkdtemp, open, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { LayoutReader } from '../archive/load.ts'
import type { LayoutFile } from '../archive/save.ts'
import type { Bytes } from '../codecs.ts'
import { ImageError } from '../errors.ts'

/** A layout, to be loaded. Its files are files: links and what waits for a writer are refused. */
export function layoutFolder(path: string): LayoutReader {
  return {
    name: path,
    async read(name): Promise<Bytes | undefined> {
      try {
        const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
        const file = await open(join(path, name), flags)
        if ((await file.stat()).isFile()) return createReadStream('', { fd: file, highWaterMark: 1 << 17 })
        await file.close()
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
        if (code !== 'ELOOP') throw error
      }
      throw new ImageError('image-archive', `${join(path, name)} is no file`, 'give a layout that has files in it')
    },
  }
}

/** Writes a layout to a folder, which must not be there: it is there whole or not at all. @throws ImageError `image-archive`. */
export async function writeLayout(path: string, files: AsyncIterable<LayoutFile>, signal?: AbortSignal): Promise<void> {
  const target = resolve(path)
  const isThere = await lstat(target).then(
    () => true,
    () => false,
  )
  if (isThere) throw new ImageError('image-archive', `${path} is there already`, 'name a folder that is not')
  const draft = await mkdtemp(`${target}.part-`)
  try {
    for await (const { path: name, data } of files) {
      const to = join(draft, name)
      await mkdir(dirname(to), { recursive: true })
      const file = await open(to, 'wx')
      try {
        for await (const bytes of data) {
          signal?.throwIfAborted()
          await file.writeFile(bytes)
        }
      } finally {
        await file.close()
      }
    }
    await rename(draft, target)
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    throw error
  }
}
