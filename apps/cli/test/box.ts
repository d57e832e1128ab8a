/** An image of Debian's busybox, called box, in the state directory of a command line. */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { readCpio } from '@vmexit/boot'
import { Images } from '@vmexit/image'
import { directoryStore, nodeCodecs } from '@vmexit/image/node'
import { END_OF_ARCHIVE, encodeEntry, paddingAfter } from '@vmexit/tar'
import { afterAll, beforeAll } from 'vitest'
import { commandLine } from './hosted.ts'

const archive = join(homedir(), '.cache/vmexit/guests/busybox/initramfs.gz')
export const isBoxThere: boolean = existsSync(archive)
export const WHY_NO_BOX: string = isBoxThere ? '' : ' (skipped: `vmexit guests` has not fetched busybox)'

function* layer(): Generator<Uint8Array> {
  for (const name of ['bin', 'etc', 'root', 'tmp']) yield encodeEntry({ type: 'directory', name, mode: 0o755 })
  for (const entry of readCpio(gunzipSync(readFileSync(archive)))) {
    if (!entry.path.startsWith('bin/')) continue
    if (entry.kind === 'symlink')
      yield encodeEntry({ type: 'symlink', name: entry.path, target: entry.target, mode: 0o777 })
    if (entry.kind !== 'file') continue
    yield encodeEntry({ type: 'file', name: entry.path, mode: 0o755, size: entry.bytes.length })
    yield entry.bytes
    yield paddingAfter(entry.bytes.length)
  }
  yield END_OF_ARCHIVE
}

/** Makes the image once for the tests of a file; answers command lines that have it. */
export function boxes(): () => ReturnType<typeof commandLine> {
  const folder = mkdtempSync(join(tmpdir(), 'vmexit-box-'))
  beforeAll(async () => {
    if (!isBoxThere) return
    const images = new Images({ store: directoryStore(folder), codecs: nodeCodecs })
    const config = { Cmd: ['/bin/sh'], Env: ['PATH=/bin'] }
    await images.import(
      (async function* () {
        yield* layer()
      })(),
      { name: 'box', config },
    )
  }, 60_000)
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return () => {
    const line = commandLine()
    cpSync(folder, join(line.folder, 'vmexit/images'), { recursive: true })
    return line
  }
}
