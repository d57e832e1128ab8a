/** A tree of files as the archive that an image is made of: an initramfs (`readCpio` of @vmexit/boot), or one put together. */
import { END_OF_ARCHIVE, encodeEntry, paddingAfter } from '@vmexit/tar'
import { toByteString } from '@vmexit/vfs'

/** A file of a tree. Its path has no slash at its beginning. */
export type TreeEntry = {
  readonly path: string
  /** Permissions: 0o755 of directories, 0o644 of files unless stated. */
  readonly mode?: number
  /** Owner; 0 unless stated. */
  readonly uid?: number
  readonly gid?: number
} & (
  | { readonly kind: 'file'; readonly bytes: Uint8Array }
  | { readonly kind: 'directory' }
  /** `link`: another name of the file at `target`. */
  | { readonly kind: 'symlink' | 'link'; readonly target: string }
  /** Left out: containers have devices of their own. */
  | { readonly kind: 'fifo' | 'socket' | 'character' | 'block' }
)

/** The archive of a tree, for `Images.import`. */
export function* treeArchive(entries: Iterable<TreeEntry>): Generator<Uint8Array> {
  for (const entry of entries) {
    const path = entry.path.replace(/^(\.?\/)+/, '')
    if (path === '' || path === '.') continue
    const { kind, uid = 0, gid = 0, mode = kind === 'directory' ? 0o755 : 0o644 } = entry
    const common = { name: toByteString(path), mode, uid, gid }
    if (kind === 'file') {
      yield encodeEntry({ ...common, type: 'file', size: entry.bytes.length })
      yield entry.bytes
      yield paddingAfter(entry.bytes.length)
    } else if (kind === 'directory') yield encodeEntry({ ...common, type: 'directory' })
    else if (kind === 'symlink')
      yield encodeEntry({ ...common, mode: 0o777, type: 'symlink', target: toByteString(entry.target) })
    else if (kind === 'link') yield encodeEntry({ ...common, type: 'hardlink', target: toByteString(entry.target) })
  }
  yield END_OF_ARCHIVE
}
