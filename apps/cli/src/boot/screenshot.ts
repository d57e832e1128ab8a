/** The guest's screen as a picture. */
import { writeFile } from 'node:fs/promises'
import { VmexitError } from '@vmexit/core'
import type { Pc } from '@vmexit/vmexit'
import { encode } from 'fast-png'

type Screen = NonNullable<Pc['screen']>

/** The screen of a PC. Throws a {@link VmexitError} `no-display` for a PC that has none. */
export function screenOf(pc: Pc): Screen {
  if (pc.screen !== undefined) return pc.screen
  throw new VmexitError('no-display', {
    problem: 'this PC has no display to take a picture of',
    remedy:
      pc.technique === 'native'
        ? 'leave out --display none, or --screenshot'
        : 'leave out --screenshot, or take another --technique',
  })
}

/** Writes what the screen shows as a PNG. */
export async function writeScreenshot(screen: Screen, file: string): Promise<void> {
  const { width, height, data } = screen.render()
  await writeFile(
    file,
    encode({ width, height, data: new Uint8Array(data.buffer, data.byteOffset, data.length), channels: 4, depth: 8 }),
  )
}
