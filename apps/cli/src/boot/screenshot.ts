/** The guest's screen as a picture. */
import { writeFile } from 'node:fs/promises'
import { VmexitError } from '@vmexit/core'
import type { Pc } from '@vmexit/vmexit'
import { encode } from 'fast-png'

/** Writes what the screen shows as a PNG. Throws a {@link VmexitError} `no-display` for a PC that has none. */
export async function writeScreenshot(pc: Pc, file: string): Promise<void> {
  const picture = pc.screen?.render()
  if (picture === undefined) {
    throw new VmexitError('no-display', {
      problem: 'this PC has no display to take a picture of',
      remedy: 'leave out --display none, or --screenshot',
    })
  }
  const { width, height, data } = picture
  await writeFile(
    file,
    encode({ width, height, data: new Uint8Array(data.buffer, data.byteOffset, data.length), channels: 4, depth: 8 }),
  )
}
