/** A loader as a part of a machine. */
import { definePart, type Need, need, type Part } from '@vmexit/core'
import '@vmexit/memory'
import '@vmexit/x86'
import { applyBoot } from './apply.ts'
import type { BootImage, Loader } from './image.ts'

/** What `machine.of(part)` gives. */
export interface Guest {
  /** What was booted, where it went. */
  readonly image: BootImage
  reset(): void
}

/** What a guest needs of the machine. */
export type GuestNeeds =
  | Need<'guestMemory', 'use memory: ram(size) of @vmexit/memory'>
  | Need<'x86', 'use cpu: x86() of @vmexit/x86'>

/** The part that {@link guest} makes. */
export type GuestPart = Part<{ name: 'guest'; needs: GuestNeeds; api: Guest }>

/**
 * Boots a machine with `loader` when it is composed and again whenever it is reset. Name it last in `devices`, so that
 * at a reset it comes after the chips. Errors of the loader are those of `createMachine`.
 */
export function guest(loader: Loader): GuestPart {
  return definePart({
    name: 'guest',
    needs: [
      need('guestMemory', 'use memory: ram(size) of @vmexit/memory'),
      need('x86', 'use cpu: x86() of @vmexit/x86'),
    ],
    build({ guestMemory, x86 }): Guest {
      const image = loader(guestMemory)
      const boot = () => applyBoot(image, { memory: guestMemory, cpu: x86 })
      boot()
      return { image, reset: boot }
    },
  })
}
