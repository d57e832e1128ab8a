/** A BIOS boots Debian from drives: skipped where `vmexit guests` has not made them. */
import { readFileSync } from 'node:fs'
import { cdImage, Overlay, rawImage } from '@vmexit/block'
import { createPc } from '@vmexit/vmexit'
import { expect, test } from 'vitest'
import { missing, session } from '../../test/session.ts'
import { useShell } from '../../test/use-shell.ts'
import { findGuests } from '../guests/index.ts'

const { seabios, 'debian-disk': disk, 'debian-cd': cd } = findGuests()
const bios = () => ({ bios: readFileSync(seabios!.bios), vgaBios: readFileSync(seabios!.vgaBios) })

test.skipIf(seabios === undefined || disk === undefined)(
  disk === undefined
    ? missing('debian-disk')
    : 'SeaBIOS boots GRUB, and it a kernel, from a disk, which is left as it was',
  { timeout: 600_000 },
  async () => {
    const image = new Overlay(rawImage(readFileSync(disk!.disk), { readOnly: true }))
    expect((await session({ ...bios(), disks: [image] }, useShell)).reason).toBe('off')
    expect(image.changedBytes).toBe(0)
  },
)

test.skipIf(seabios === undefined || cd === undefined)(
  cd === undefined ? missing('debian-cd') : 'SeaBIOS boots ISOLINUX, and it a kernel, from a CD',
  { timeout: 600_000 },
  async () => {
    const image = cdImage(readFileSync(cd!.cd))
    expect((await session({ ...bios(), cd: image }, useShell)).reason).toBe('off')
  },
)

test.skipIf(seabios === undefined)(
  seabios === undefined ? missing('seabios') : 'SeaBIOS says so on the screen when a disk has nothing to boot',
  { timeout: 600_000 },
  async () => {
    const nothing = rawImage(new Uint8Array(1 << 20).fill(0xa5))
    await using pc = await createPc({ ...bios(), disks: [nothing] })
    await pc.run({ until: 20, idle: 'skip' })
    expect(pc.screen!.text().join('\n')).toContain('Boot failed: not a bootable disk')
  },
)
