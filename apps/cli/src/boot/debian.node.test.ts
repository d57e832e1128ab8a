/** Debian's own kernels on a PC, used by hand: skipped where `vmexit guests` has not fetched them. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { append, missing, session } from '../../test/session.ts'
import { useShell } from '../../test/use-shell.ts'
import { findGuests } from '../guests/index.ts'

const guests = findGuests()

describe.each(['linux-686', 'linux-686-pae'] as const)('%s', (name) => {
  const guest = guests[name]
  test.skipIf(guest === undefined)(
    guest === undefined ? missing(name) : 'boots to a shell, which works, and powers off',
    { timeout: 600_000 },
    async () => {
      const kernel = readFileSync(guest!.kernel)
      const initrd = readFileSync(guest!.initramfs)
      expect((await session({ kernel, initrd, append }, useShell)).reason).toBe('off')
    },
  )
})
