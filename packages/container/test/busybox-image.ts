/** An image of Debian's static busybox, as `vmexit guests` fetches it. */
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { readCpio } from '@vmexit/boot'
import { type ExecutionConfig, type Image, Images, memoryStore } from '@vmexit/image'
import { END_OF_ARCHIVE, encodeEntry, paddingAfter } from '@vmexit/tar'
import { toByteString } from '@vmexit/vfs'

const archive = join(homedir(), '.cache/vmexit/guests/busybox/initramfs.gz')
export const isBusyboxThere: boolean = existsSync(archive)
export const WHY_NOT = ' (skipped: `vmexit guests` has not fetched it)'

const encoder = new TextEncoder()
const ETC = {
  passwd: 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n',
  group: 'root:x:0:\napp:x:1000:\nstaff:x:50:app\n',
}

function* layer(): Generator<Uint8Array> {
  const file = function* (name: string, mode: number, bytes: Uint8Array): Generator<Uint8Array> {
    yield encodeEntry({ type: 'file', name: toByteString(name), mode, size: bytes.length })
    yield bytes
    yield paddingAfter(bytes.length)
  }
  for (const name of ['bin', 'etc', 'root', 'tmp'])
    yield encodeEntry({ type: 'directory', name, mode: name === 'tmp' ? 0o1777 : 0o755 })
  for (const entry of readCpio(gunzipSync(readFileSync(archive)))) {
    if (!entry.path.startsWith('bin/')) continue
    if (entry.kind === 'file') yield* file(entry.path, 0o755, entry.bytes)
    else if (entry.kind === 'symlink')
      yield encodeEntry({ type: 'symlink', name: entry.path, target: entry.target, mode: 0o777 })
  }
  for (const [name, text] of Object.entries(ETC)) yield* file(`etc/${name}`, 0o644, encoder.encode(text))
  yield END_OF_ARCHIVE
}

export const store = new Images({ store: memoryStore() })
let known: Promise<Image> | undefined

async function* bytes(): AsyncGenerator<Uint8Array> {
  yield* layer()
}

/** The image, whose Cmd is a shell; or one with another configuration. */
export function busyboxImage(config?: ExecutionConfig): Promise<Image> {
  const make = (name: string, also: ExecutionConfig): Promise<Image> =>
    store.import(bytes(), { name, config: { Cmd: ['/bin/sh'], Env: ['PATH=/bin'], ...also } })
  if (config !== undefined) return make('configured', config)
  known ??= make('busybox', {})
  return known
}
