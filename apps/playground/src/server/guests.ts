/** The guests that `vmexit guests` has fetched, as the page is offered them. */
import { statSync } from 'node:fs'
import { basename } from 'node:path'
import { defaultDirectory, findGuests, type GuestPaths } from '@vmexit/cli/guests'
import type { Offer, OfferedFile, OfferedFiles, OfferedGuest, OfferedImage } from '../offer.ts'

/** An {@link Offer}, and the absolute path of each file by the address that the offer gives it. */
export interface ServedGuests {
  readonly offer: Offer
  readonly paths: ReadonlyMap<string, string>
}

/** A guest whose files are paths. */
interface Recipe {
  readonly title: string
  readonly append?: string
  readonly files: (guests: GuestPaths) => OfferedFiles<string> | undefined
}

/** Two thirds of the kernel's instructions until its shell would be tests of its ciphers. */
const append = 'console=ttyS0 cryptomgr.notests'

const linux = (guest: GuestPaths['linux-686']) => guest && { kernel: guest.kernel, initrd: guest.initramfs }

/** In the order in which the page shows them, the first one chosen. */
const recipes: Readonly<Record<string, Recipe>> = {
  'linux-686': { title: 'Debian, kernel 686', append, files: (guests) => linux(guests['linux-686']) },
  'linux-686-pae': { title: 'Debian, kernel 686 with PAE', append, files: (guests) => linux(guests['linux-686-pae']) },
  'debian-disk': {
    title: 'Debian from a disk, by BIOS and GRUB',
    files: ({ seabios, 'debian-disk': image }) => seabios && image && { ...seabios, disk: image.disk },
  },
  'debian-cd': {
    title: 'Debian from a CD, by BIOS and ISOLINUX',
    files: ({ seabios, 'debian-cd': image }) => seabios && image && { ...seabios, cd: image.cd },
  },
  'memtest86+': {
    title: 'Memtest86+',
    append: 'console=ttyS0,115200',
    files: ({ 'memtest86+': memtest }) => memtest && { kernel: memtest.kernel },
  },
}

/** What is in the folder now; in the usual one unless stated. */
export function guestsIn(folder: string = defaultDirectory()): ServedGuests {
  const found = findGuests(folder)
  const paths = new Map<string, string>()
  const offered = (guest: string, path: string): OfferedFile => {
    const name = basename(path)
    const url = `guests/${encodeURIComponent(guest)}/${encodeURIComponent(name)}`
    paths.set(url, path)
    return { name, url, bytes: statSync(path).size }
  }
  const guests = Object.entries(recipes).flatMap(([name, { files: filesOf, ...about }]): OfferedGuest[] => {
    const files = filesOf(found)
    if (files === undefined) return []
    const entries = Object.entries(files).map(([role, path]) => [role, offered(name, path)])
    return [{ name, ...about, files: Object.fromEntries(entries) as OfferedFiles }]
  })
  const { busybox } = found
  const images: OfferedImage[] = busybox
    ? [{ name: 'busybox', title: 'Debian’s busybox', file: offered('busybox', busybox.initramfs) }]
    : []
  const to = folder === defaultDirectory() ? '' : ` --directory ${folder}`
  return { offer: { guests, images, folder, remedy: `npx -y pnpm@12 vmexit guests linux-686${to}` }, paths }
}
