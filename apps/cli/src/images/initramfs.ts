/** An initramfs that is imported: as the tar archive that images are made of. Other archives go through as they are. */
import { readCpio } from '@vmexit/boot'
import { VmexitError } from '@vmexit/core'
import { treeArchive, uncompressed } from '@vmexit/image'
import { nodeCodecs } from '@vmexit/image/node'

/** How cpio archives of the formats that Linux takes begin. */
const CPIO = /^07070[12]/
/** An initramfs is held in memory. */
const MOST = 1 << 30

export async function* treeOf(archive: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let begin: Uint8Array = new Uint8Array()
  let isCpio: boolean | undefined
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const piece of uncompressed(nodeCodecs, archive)) {
    if (isCpio === undefined) {
      begin = Buffer.concat([begin, piece])
      if (begin.length < 6) continue
      isCpio = CPIO.test(Buffer.from(begin.subarray(0, 6)).toString('latin1'))
    }
    const part = bytes === 0 ? begin : piece
    bytes += part.length
    if (!isCpio) yield part
    else if (bytes <= MOST) parts.push(part)
    else
      throw new VmexitError('image-input', {
        problem: 'the initramfs has more than a gigabyte',
        remedy: 'unpack it, and import it as a tar archive',
      })
  }
  if (isCpio === undefined) yield begin
  else if (isCpio) yield* treeArchive(readCpio(Buffer.concat(parts)))
}
