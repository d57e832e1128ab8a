/** The guests: what each is made of, and how. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { VmexitError } from '@vmexit/core'
import { buildCd } from './cd-image.ts'
import { buildDebianRoot, debianPackages, type PackageArchives } from './debian-root.ts'
import { type BootableSystem, buildDisk } from './disk-image.ts'
import { baseEntries, compressedArchive } from './initramfs.ts'
import { collectModules } from './modules.ts'
import type { PackageFile, PackageSpec } from './packages.ts'
import { libraryClosure } from './shared-libraries.ts'
import type { Tool } from './tools.ts'

/** The files of each guest, as they are called in its folder. */
export const guestFiles = {
  'linux-686': { kernel: 'vmlinuz', initramfs: 'initramfs.gz' },
  'linux-686-pae': { kernel: 'vmlinuz', initramfs: 'initramfs.gz' },
  busybox: { initramfs: 'initramfs.gz' },
  pciutils: { initramfs: 'pciutils.gz' },
  'memtest86+': { kernel: 'memtest86+ia32.bin' },
  seabios: { bios: 'bios.bin', vgaBios: 'vgabios-stdvga.bin' },
  'debian-disk': { disk: 'disk.img' },
  'debian-cd': { cd: 'cd.iso' },
  'debian-root': { root: 'root.tar', hello: 'hello.deb' },
  strace: { package: 'strace.deb' },
  musl: { library: 'musl.deb', headers: 'musl-dev.deb', compiler: 'libgcc-dev.deb' },
} as const

/** The name of a guest. */
export type GuestName = keyof typeof guestFiles

/** All guests, in the order in which they are built. */
export const guestNames: readonly GuestName[] = Object.keys(guestFiles) as GuestName[]

/** What a recipe builds with. */
export interface Kitchen {
  /** The unpacked files of one of the recipe's packages, by its name or, of a kernel, that of its metapackage. */
  unpacked(name: string): Promise<string>
  /** The package file of one of the recipe's packages. */
  packageOf(name: string): PackageFile
  /** The archives in the packages of the recipe's system, in the order of their names. */
  system(): Promise<PackageArchives[]>
  /** The path of a file of another guest, which `needs` names. */
  path(guest: GuestName, file: string): string
  /** The folder the guest's files go into. */
  readonly into: string
  /** A folder that is deleted in the end. */
  readonly scratch: string
  /** The tools of the recipe's packages for the host. */
  tools(): Promise<Tool>
  readonly signal?: AbortSignal
}

/** How a guest is made. */
export interface Recipe {
  readonly summary: string
  readonly packages: readonly PackageSpec[]
  /** Packages for i386 that a system is made of, with all that they depend on. */
  readonly system?: readonly string[]
  /** Guests that are built before, since files of theirs go into this one. */
  readonly needs: readonly GuestName[]
  build(kitchen: Kitchen): Promise<void>
}

/** Goes up with every change of a recipe, so that what earlier ones made is made anew. */
export const recipeVersion = 4

const i386 = (...names: string[]): PackageSpec[] => names.map((name) => ({ name, architecture: 'i386' }))
const all = (...names: string[]): PackageSpec[] => names.map((name) => ({ name, architecture: 'all' }))
const host = (...names: string[]): PackageSpec[] => names.map((name) => ({ name, architecture: 'host' }))

function linux(kernel: '686' | '686-pae', summary: string): Recipe {
  const meta = `linux-image-${kernel}`
  return {
    summary,
    packages: [{ name: meta, architecture: 'i386', kernel }, ...i386('busybox-static')],
    needs: [],
    async build({ unpacked, packageOf, into }) {
      const root = await unpacked(meta)
      const release = packageOf(meta).name.replace(/^linux-image-/, '')
      copyFileSync(join(root, 'boot', `vmlinuz-${release}`), join(into, 'vmlinuz'))
      const busybox = readFileSync(join(await unpacked('busybox-static'), 'bin/busybox'))
      const entries = [...baseEntries(busybox), ...collectModules(root, release)]
      writeFileSync(join(into, 'initramfs.gz'), compressedArchive(entries))
    },
  }
}

/** What lspci is linked with, through libpci and libkmod. */
// biome-ignore format: a list
const pciLibraries = ['libc6', 'libpci3', 'libkmod2', 'libudev1', 'libcap2', 'liblzma5', 'libssl3', 'libzstd1', 'zlib1g']

const system = (path: Kitchen['path']): BootableSystem => ({
  kernel: path('linux-686', 'vmlinuz'),
  initramfs: path('linux-686', 'initramfs.gz'),
  memtest: path('memtest86+', 'memtest86+ia32.bin'),
})

/** How each guest is made. */
export const recipes: Readonly<Record<GuestName, Recipe>> = {
  'linux-686': linux('686', "Debian's kernel for 32-bit PCs without PAE, and an initramfs with busybox and modules"),
  'linux-686-pae': linux(
    '686-pae',
    "Debian's kernel for 32-bit PCs with PAE, and an initramfs with busybox and modules",
  ),
  busybox: {
    summary: 'an initramfs with busybox alone, for any kernel',
    packages: i386('busybox-static'),
    needs: [],
    async build({ unpacked, into }) {
      const busybox = readFileSync(join(await unpacked('busybox-static'), 'bin/busybox'))
      writeFileSync(join(into, 'initramfs.gz'), compressedArchive(baseEntries(busybox)))
    },
  },
  pciutils: {
    summary: "a further initramfs, to put behind one of the others: Debian's lspci with its libraries and pci.ids",
    packages: [...i386('pciutils', ...pciLibraries), ...all('pci.ids')],
    needs: [],
    async build({ unpacked, into }) {
      const programs = join(await unpacked('pciutils'), 'usr/bin')
      const roots = await Promise.all(pciLibraries.map((name) => unpacked(name)))
      const lspci = { 'usr/bin/lspci': join(programs, 'lspci'), 'usr/bin/setpci': join(programs, 'setpci') }
      const ids = 'usr/share/misc/pci.ids'
      const names = readFileSync(join(await unpacked('pci.ids'), ids))
      const entries = [...libraryClosure(lspci, roots), { path: ids, kind: 'file', bytes: names } as const]
      writeFileSync(join(into, 'pciutils.gz'), compressedArchive(entries))
    },
  },
  'memtest86+': {
    summary: 'a memory test that boots like a kernel',
    packages: i386('memtest86+'),
    needs: [],
    async build({ unpacked, into }) {
      const name = 'memtest86+ia32.bin'
      copyFileSync(join(await unpacked('memtest86+'), 'boot', name), join(into, name))
    },
  },
  seabios: {
    summary: 'a BIOS of 128 KiB, and one for the VGA',
    packages: all('seabios'),
    needs: [],
    async build({ unpacked, into }) {
      const root = join(await unpacked('seabios'), 'usr/share/seabios')
      for (const name of ['bios.bin', 'vgabios-stdvga.bin']) copyFileSync(join(root, name), join(into, name))
    },
  },
  'debian-disk': {
    summary: 'a hard disk of 32 MiB: GRUB boots linux-686 from its FAT partition',
    packages: [
      ...i386('grub-pc-bin'),
      ...host('grub-common', 'mtools', 'libc6', 'libdevmapper1.02.1', 'liblzma5'),
      ...host('libselinux1', 'libudev1', 'libpcre2-8-0', 'libcap2'),
    ],
    needs: ['linux-686', 'memtest86+'],
    async build({ unpacked, path, into, scratch, tools }) {
      const grub = join(await unpacked('grub-pc-bin'), 'usr/lib/grub/i386-pc')
      await buildDisk(join(into, 'disk.img'), system(path), { tool: await tools(), grub, scratch })
    },
  },
  'debian-cd': {
    summary: 'a CD: ISOLINUX boots linux-686',
    packages: [
      ...all('isolinux', 'syslinux-common'),
      ...host('xorriso', 'libisoburn1', 'libburn4', 'libisofs6', 'libjte2', 'libacl1', 'libbz2-1.0', 'libc6'),
      ...host('libreadline8', 'libtinfo6', 'zlib1g'),
    ],
    needs: ['linux-686', 'memtest86+'],
    async build({ unpacked, path, into, scratch, tools }) {
      const loader = join(await unpacked('isolinux'), 'usr/lib/ISOLINUX/isolinux.bin')
      const library = join(await unpacked('syslinux-common'), 'usr/lib/syslinux/modules/bios/ldlinux.c32')
      await buildCd(join(into, 'cd.iso'), system(path), { tool: await tools(), loader, library, scratch })
    },
  },
  'debian-root': {
    summary:
      'a root file system for `vmexit run-elf --root`: bash, coreutils, dpkg, perl, python3; and a package to install',
    packages: i386('hello'),
    system: debianPackages,
    needs: [],
    async build({ system, packageOf, into, signal }) {
      copyFileSync(packageOf('hello').path, join(into, 'hello.deb'))
      await buildDebianRoot(join(into, 'root.tar'), await system(), signal)
    },
  },
  strace: {
    summary: 'a package to install in debian-root: strace, which needs nothing that is not there',
    packages: i386('strace'),
    needs: [],
    async build({ packageOf, into }) {
      copyFileSync(packageOf('strace').path, join(into, 'strace.deb'))
    },
  },
  musl: {
    summary: "packages to make programs for i386 with another C library than the host's",
    packages: i386('musl', 'musl-dev', 'libgcc-12-dev'),
    needs: [],
    async build({ packageOf, into }) {
      copyFileSync(packageOf('musl').path, join(into, 'musl.deb'))
      copyFileSync(packageOf('musl-dev').path, join(into, 'musl-dev.deb'))
      copyFileSync(packageOf('libgcc-12-dev').path, join(into, 'libgcc-dev.deb'))
    },
  },
}

/** The guests of the given names and those that they need, in the order in which they are built. */
export function withNeeds(names: readonly string[]): GuestName[] {
  const wanted = new Set<string>(names.length === 0 ? guestNames : names)
  for (const name of wanted) {
    const recipe = Object.hasOwn(recipes, name) ? recipes[name as GuestName] : undefined
    if (recipe === undefined) {
      throw new VmexitError('guests-unknown', {
        problem: `there is no guest ${name}`,
        remedy: `name some of ${guestNames.join(', ')}`,
      })
    }
    for (const need of recipe.needs) wanted.add(need)
  }
  return guestNames.filter((name) => wanted.has(name))
}
