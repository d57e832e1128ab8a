/** A guest that is a hypervisor: Debian's KVM on the PC's VT-x. */
import { readFileSync } from 'node:fs'
import { concatenateArchives, writeCpio } from '@vmexit/boot'
import { readProgram } from '@vmexit/guests'
import { expect, test } from 'vitest'
import { append, missing, prompt, session, shell } from '../../test/session.ts'
import { findGuests } from '../guests/index.ts'

const guest = findGuests()['linux-686']

test.skipIf(guest === undefined)(
  guest === undefined ? missing('linux-686') : 'its modules load, and run a guest of its own',
  { timeout: 600_000 },
  async () => {
    const kernel = readFileSync(guest!.kernel)
    const program = writeCpio([{ kind: 'file', path: 'bin/kvm', mode: 0o755, bytes: readProgram('kvm') }])
    const initrd = concatenateArchives(readFileSync(guest!.initramfs), program)
    const { reason } = await session({ kernel, initrd, append, vmx: true }, async (pc) => {
      await pc.console.waitFor(prompt)
      expect(await shell(pc, 'grep -c vmx /proc/cpuinfo')).not.toBe('0\n')
      expect(await shell(pc, 'modprobe kvm-intel && ls /dev/kvm')).toContain('/dev/kvm\n')
      expect(await shell(pc, 'kvm')).toContain('4\nthe guest has halted\n')
      // Its VMM can go, and come back.
      expect(await shell(pc, 'rmmod kvm_intel && modprobe kvm-intel && kvm')).toContain('the guest has halted\n')
      pc.console.write('poweroff -f\n')
    })
    expect(reason).toBe('off')
  },
)
