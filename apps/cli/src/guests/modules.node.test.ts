import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { elf, folder, linkedWith, put } from '../../test/guests.ts'
import { elfSection, moduleInfo, neededLibraries } from './elf-sections.ts'
import { collectModules } from './modules.ts'
import { libraryClosure } from './shared-libraries.ts'

function kernelPackage(modules: Record<string, string>): string {
  const root = folder()
  for (const [path, info] of Object.entries(modules)) {
    put(join(root, 'lib/modules/6.1/kernel', path), elf({ '.modinfo': info.replaceAll(' ', '\0') }))
  }
  put(join(root, 'lib/modules/6.1/modules.builtin'), 'kernel/fs/proc/proc.ko\n')
  return root
}

const disk = {
  'ata/ata_piix.ko': 'alias=pci:v00008086d00007010sv*sd*bc*sc*i* depends=libata license=GPL',
  'ata/libata.ko': 'depends=scsi_mod,scsi-common',
  'scsi/scsi_mod.ko': 'depends=scsi-common',
  'scsi/scsi-common.ko': 'depends=',
  'other/unused.ko': 'depends=',
}

describe('the modules of a kernel', () => {
  test('come with all they depend on, in an order in which modprobe can load them from the end', () => {
    const entries = collectModules(kernelPackage(disk), '6.1', ['ata-piix', 'not-in-this-kernel'])
    const text = (name: string) => {
      const entry = entries.find(({ path }) => path === `lib/modules/6.1/${name}`)
      return entry?.kind === 'file' ? Buffer.from(entry.bytes).toString() : undefined
    }
    expect(text('modules.dep')?.split('\n')).toEqual([
      'kernel/ata/ata_piix.ko: kernel/ata/libata.ko kernel/scsi/scsi_mod.ko kernel/scsi/scsi-common.ko',
      'kernel/ata/libata.ko: kernel/scsi/scsi_mod.ko kernel/scsi/scsi-common.ko',
      'kernel/scsi/scsi-common.ko:',
      'kernel/scsi/scsi_mod.ko: kernel/scsi/scsi-common.ko',
      '',
    ])
    expect(text('modules.alias')).toBe('alias pci:v00008086d00007010sv*sd*bc*sc*i* ata_piix\n')
    expect(text('modules.builtin')).toContain('proc.ko')
    expect(text('kernel/other/unused.ko')).toBeUndefined()
  })

  test('that depend on each other in a circle are listed once', () => {
    const root = kernelPackage({ 'a.ko': 'depends=b', 'b.ko': 'depends=a' })
    const table = collectModules(root, '6.1', ['a']).find(({ path }) => path.endsWith('modules.dep'))
    expect(table?.kind === 'file' && Buffer.from(table.bytes).toString()).toBe(
      'kernel/a.ko: kernel/b.ko\nkernel/b.ko: kernel/a.ko\n',
    )
  })

  test('that lack one they depend on are refused by name', () => {
    const root = kernelPackage({ 'a.ko': 'depends=gone' })
    expect(() => collectModules(root, '6.1', ['a'])).toThrow('module a of kernel 6.1 depends on gone')
    expect(() => collectModules(root, '6.2', ['a'])).toThrow('the package of kernel 6.2 has no modules')
  })
})

describe('programs', () => {
  test('come with the libraries of their libraries, and the loader', () => {
    const [programs, libraries] = [folder(), folder()]
    put(join(programs, 'lspci'), linkedWith('libpci.so.3', 'libc.so.6'))
    put(join(libraries, 'usr/lib/i386-linux-gnu/libpci.so.3'), linkedWith('libz.so.1', 'libc.so.6'))
    for (const name of ['libz.so.1', 'libc.so.6', 'ld-linux.so.2']) {
      put(join(libraries, 'lib/i386-linux-gnu', name), linkedWith('ld-linux.so.2'))
    }
    const entries = libraryClosure({ 'usr/bin/lspci': join(programs, 'lspci') }, [programs, libraries])
    expect(entries.map(({ path }) => path).sort()).toEqual([
      'lib/i386-linux-gnu/libc.so.6',
      'lib/i386-linux-gnu/libpci.so.3',
      'lib/i386-linux-gnu/libz.so.1',
      'lib/ld-linux.so.2',
      'usr/bin/lspci',
    ])
  })

  test('that lack a library are refused with both names', () => {
    const site = folder()
    put(join(site, 'lib/ld-linux.so.2'), linkedWith())
    put(join(site, 'lspci'), linkedWith('libpci.so.3'))
    expect(() => libraryClosure({ lspci: join(site, 'lspci') }, [site])).toThrow('lspci needs libpci.so.3')
  })
})

test('files that are no ELF, or cut, have no sections', () => {
  const file = elf({ '.modinfo': 'a=1' })
  expect(moduleInfo(file)).toEqual([{ key: 'a', value: '1' }])
  for (let length = 0; length < file.length; length++) elfSection(file.subarray(0, length), '.modinfo')
  expect(elfSection(Buffer.from('#!/bin/sh\n'.repeat(9)), '.modinfo')).toBeUndefined()
  expect(neededLibraries(file)).toEqual([])
})
