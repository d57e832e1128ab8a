/** Kernel modules for an initramfs, with the tables that `modprobe` reads (modules.dep(5)). */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CpioEntry } from '@vmexit/boot'
import { VmexitError } from '@vmexit/core'
import { moduleInfo } from './elf-sections.ts'

/** The modules that guests get, and with them all that these depend on; by what they drive. */
// biome-ignore format: a list
const guestModules: readonly string[] = [
  // disks, CDs and floppies
  'ata_piix', 'ata_generic', 'ahci', 'sd_mod', 'sr_mod', 'floppy', 'loop', 'virtio_blk', 'virtio_pci',
  // file systems, and what they ask the kernel for by alias
  'ext4', 'crc32c_generic', 'crct10dif_generic', 'vfat', 'nls_cp437', 'nls_ascii', 'nls_iso8859-1', 'nls_utf8',
  'isofs', 'overlay',
  // network cards
  '8139cp', '8139too', 'e1000', 'virtio_net',
  // virtual machines of the guest's own
  'kvm-intel',
  // drivers in user space, input
  'uio', 'uio_pci_generic', 'evdev', 'psmouse',
]

interface Module {
  readonly name: string
  /** Below the release's folder: `kernel/fs/ext4/ext4.ko`. */
  readonly path: string
  readonly bytes: Uint8Array
  readonly needs: readonly string[]
  readonly aliases: readonly string[]
}

/** A module's name as the kernel compares it: file names may have `-` where it has `_`. */
const canonical = (name: string) => name.replaceAll('-', '_')

/**
 * The modules `wanted` and all they depend on, from an unpacked kernel package, with `modules.dep`, `modules.alias`
 * and `modules.builtin`; paths are those in an archive, `lib/modules/RELEASE/…`.
 *
 * A module that this kernel does not have is left out if it is wanted, but not if one that is there depends on it:
 * that throws `guests-module`.
 */
export function collectModules(root: string, release: string, wanted: readonly string[] = guestModules): CpioEntry[] {
  const base = ['lib', 'usr/lib'].map((lib) => join(root, lib, 'modules', release)).find((folder) => existsSync(folder))
  if (base === undefined) {
    throw new VmexitError('guests-module', {
      problem: `the package of kernel ${release} has no modules`,
      remedy: 'delete it from the packages folder, so that it is fetched anew',
    })
  }
  const paths = new Map(
    readdirSync(base, { recursive: true, encoding: 'utf8' })
      .map((path) => path.replaceAll('\\', '/'))
      .filter((path) => path.endsWith('.ko'))
      .map((path) => [canonical(path.slice(path.lastIndexOf('/') + 1, -3)), path]),
  )
  const builtin = join(base, 'modules.builtin')
  const modules = new Map<string, Module>()
  const add = (name: string, from: string | undefined): void => {
    if (modules.has(canonical(name))) return
    const path = paths.get(canonical(name))
    if (path === undefined) {
      if (from === undefined) return
      throw new VmexitError('guests-module', {
        problem: `module ${from} of kernel ${release} depends on ${name}, which its package does not have`,
        remedy: 'delete the package from the packages folder, so that it is fetched anew',
      })
    }
    const bytes = readFileSync(join(base, path))
    const info = moduleInfo(bytes)
    const needs = info.flatMap(({ key, value }) => (key === 'depends' ? value.split(',').filter(Boolean) : []))
    const aliases = info.flatMap(({ key, value }) => (key === 'alias' ? [value] : []))
    modules.set(canonical(name), { name: canonical(name), path, bytes, needs: needs.map(canonical), aliases })
    for (const need of needs) add(need, name)
  }
  for (const name of wanted) add(name, undefined)

  const sorted = [...modules.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
  const folder = `lib/modules/${release}`
  const file = (name: string, bytes: Uint8Array): CpioEntry => ({ path: `${folder}/${name}`, kind: 'file', bytes })
  const aliases = sorted.flatMap((module) => module.aliases.map((alias) => `alias ${alias} ${module.name}\n`))
  return [
    ...sorted.map(({ path, bytes }) => file(path, bytes)),
    file('modules.dep', Buffer.from(dependencyTable(modules, sorted))),
    file('modules.alias', Buffer.from(aliases.join(''))),
    ...(existsSync(builtin) ? [file('modules.builtin', readFileSync(builtin))] : []),
  ]
}

/** Each module's line names all that must be loaded before it, the last of them first to be loaded. */
function dependencyTable(modules: ReadonlyMap<string, Module>, sorted: readonly Module[]): string {
  return sorted
    .map((module) => {
      const order: Module[] = []
      const seen = new Set<string>([module.name])
      const visit = (name: string) => {
        const need = modules.get(name)
        if (need === undefined || seen.has(name)) return
        seen.add(name)
        for (const further of need.needs) visit(further)
        order.push(need)
      }
      for (const need of module.needs) visit(need)
      return `${[`${module.path}:`, ...order.reverse().map(({ path }) => path)].join(' ')}\n`
    })
    .join('')
}
