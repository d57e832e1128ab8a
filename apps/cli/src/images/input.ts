/** What is loaded and imported: files, and standard input. */
import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { isVmexitError, VmexitError } from '@vmexit/core'

const CHUNK = 1 << 17

/** A file's bytes, or those of standard input. @throws VmexitError `image-input`. */
export async function* inputOf(path: string | undefined, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  if (path === undefined && process.stdin.isTTY)
    throw usage('an archive does not come from a terminal', 'name its file, or give it to standard input')
  const stream = path === undefined ? process.stdin : createReadStream(path, { highWaterMark: CHUNK })
  // Input that never comes would be waited for.
  const stop = (): void => void stream.destroy(new Error('interrupted'))
  signal.addEventListener('abort', stop)
  try {
    yield* stream
  } catch (cause) {
    if (isVmexitError(cause) || path === undefined) throw cause
    throw new VmexitError('image-input', {
      problem: `${path} cannot be read (${(cause as Error).message})`,
      remedy: 'name a file that you may read',
      cause,
    })
  } finally {
    signal.removeEventListener('abort', stop)
    stream.destroy()
  }
}

/** Whether there is a folder of the name. */
export async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true
}

/** The size of a program for Linux, by its first bytes (ELF, "Identification"); undefined of another file. */
export async function programSize(path: string): Promise<number | undefined> {
  const file = await open(path).catch(() => undefined)
  if (file === undefined) return undefined
  try {
    const bytes = Buffer.alloc(4)
    await file.read(bytes, 0, 4, 0)
    return bytes.toString('latin1') === '\x7fELF' ? (await file.stat()).size : undefined
  } finally {
    await file.close()
  }
}

/** `image-usage`: what was asked for makes no sense. */
export function usage(problem: string, remedy: string): VmexitError {
  return new VmexitError('image-usage', { problem, remedy })
}
