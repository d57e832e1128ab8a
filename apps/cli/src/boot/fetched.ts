/** Guests that `vmexit guests` has fetched, by name, as the flags that boot them. */
import { VmexitError } from '@vmexit/core'
import { findGuests, type GuestPaths, guestNames } from '../guests/index.ts'
import type { BootFlags } from './flags.ts'

type Flags = Partial<BootFlags>

const recipes: { readonly [name: string]: (guests: GuestPaths) => Flags | undefined } = {
  'linux-686': (guests) => linux(guests['linux-686']),
  'linux-686-pae': (guests) => linux(guests['linux-686-pae']),
  'memtest86+': ({ 'memtest86+': memtest }) => memtest && { kernel: memtest.kernel, append: 'console=ttyS0,115200' },
  'debian-disk': ({ seabios, 'debian-disk': image }) =>
    seabios && image && { ...seabios, disk: [image.disk], snapshot: true },
  'debian-cd': ({ seabios, 'debian-cd': image }) => seabios && image && { ...seabios, cd: image.cd },
}

function linux(files: { readonly kernel: string; readonly initramfs: string } | undefined): Flags | undefined {
  return files && { kernel: files.kernel, initrd: [files.initramfs], append: 'console=tty0 console=ttyS0' }
}

/** Names of the guests that can be booted. */
export const bootable: readonly string[] = Object.keys(recipes)

/**
 * The flags with those of the guest below them; more of a command line or of an initrd goes behind the guest's. Throws a
 * {@link VmexitError} `guest-unknown` or `guest-not-fetched`.
 */
export function withGuest(name: string, flags: BootFlags, guests: GuestPaths = findGuests()): BootFlags {
  const recipe = recipes[name]
  if (recipe === undefined) {
    throw new VmexitError('guest-unknown', {
      problem: `there is no guest '${name}' to boot`,
      remedy: `name one of ${bootable.join(', ')}, or a file with --kernel, --multiboot, --rom or --bios`,
    })
  }
  const found = recipe(guests)
  if (found === undefined) {
    const needs = guestNames.filter((guest) => guest === name || (guest === 'seabios' && name.startsWith('debian-')))
    throw new VmexitError('guest-not-fetched', {
      problem: `the guest ${name} is not on this machine`,
      remedy: `fetch it: vmexit guests ${needs.join(' ')}`,
    })
  }
  const given = Object.entries(flags).filter(([, value]) => value !== undefined)
  const append = [found.append, flags.append].filter((text) => text !== undefined).join(' ')
  return {
    ...flags,
    ...found,
    ...Object.fromEntries(given),
    ...(found.initrd && { initrd: [...found.initrd, ...(flags.initrd ?? [])] }),
    ...(append && { append }),
  }
}

/** The flags with the BIOS that was fetched, where there are drives and nothing else to boot them by. */
export function withBios(flags: BootFlags, { seabios }: GuestPaths = findGuests()): BootFlags {
  const others = [flags.kernel, flags.multiboot, flags.rom, flags.bios]
  const drives = [...(flags.disk ?? []), ...(flags.floppy ?? []), flags.cd]
  if (others.some((file) => file !== undefined) || drives.every((file) => file === undefined)) return flags
  if (seabios !== undefined) return { ...flags, ...seabios }
  throw new VmexitError('guest-not-fetched', {
    problem: 'there are drives to boot from, and no BIOS that does',
    remedy: 'fetch one: vmexit guests seabios; or name one with --bios',
  })
}
