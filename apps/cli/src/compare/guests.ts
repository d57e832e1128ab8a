/** Guests of comparisons, by the words of the command line. */
import { readFileSync } from 'node:fs'
import type { Kernel } from '@vmexit/compare'
import { VmexitError } from '@vmexit/core'
import { readTeachingKernel } from '@vmexit/guests/node'
import { Option } from 'commander'
import { findGuests } from '../guests/index.ts'

/** By name. @throws VmexitError `compare-kernel` where one is not here. */
export const GUESTS: Readonly<Record<string, () => Kernel>> = {
  '32-bit': () => ({ name: 'teaching', image: readTeachingKernel('teaching') }),
  pae: () => ({ name: 'teaching-pae', image: readTeachingKernel('teaching-pae') }),
  debian,
}

/** Which of them. */
export function guestOption(): Option {
  return new Option('--guest <guest>', "the teaching kernel with paging of 32-bit or pae, or debian's with its busybox")
    .choices(Object.keys(GUESTS))
    .default('32-bit')
}

/** What executes it. */
export function engineOption(): Option {
  return new Option('--engine <name>', 'how the CPU is made fast; counts are equal')
    .choices(['jit', 'interpreter', 'reference'])
    .default('jit')
}

function debian(): Kernel {
  const found = findGuests()['linux-686']
  if (found === undefined) {
    throw new VmexitError('compare-kernel', {
      problem: "Debian's kernel is not here",
      remedy: 'fetch it with `vmexit guests linux-686`',
    })
  }
  const [image, initramfs] = [readFileSync(found.kernel), readFileSync(found.initramfs)]
  return { name: 'debian', image, initramfs, protocol: 'linux' }
}
