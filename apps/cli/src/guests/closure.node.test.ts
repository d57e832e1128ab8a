import { writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { expect, test } from 'vitest'
import { ended, folder, programs } from '../../test/guests.ts'
import type { Apt } from './apt.ts'
import { closureOf, systemPackages } from './closure.ts'
import { type PackageRecord, parseRecords } from './control.ts'
import type { PackageStore } from './packages.ts'

const records = (text: string): PackageRecord[] =>
  parseRecords(text.replace(/^Package.*$/gm, '$&\nVersion: 1\nArchitecture: i386'))

const archive = records(`Package: shell
Pre-Depends: libc (>= 2), libtinfo
Depends: base-files, debconf | debconf-2.0, awk

Package: libc
Depends: libgcc

Package: libgcc
Depends: libc, gcc-base (= 12)

Package: gcc-base

Package: libtinfo
Depends: gone | libc

Package: base-files
Depends: awk

Package: debconf
Provides: debconf-2.0 (= 2), other

Package: mawk
Provides: awk
`)

const lookUp = async (names: readonly string[]) => names.map((name) => archive.find((record) => record.name === name))
const namesOf = ({ records: found }: { records: readonly PackageRecord[] }) => found.map(({ name }) => name).sort()

test('a package comes with what it needs in turn, around circles too', async () => {
  const found = await closureOf(['shell', 'mawk'], lookUp)
  expect(namesOf(found)).toEqual(
    ['base-files', 'debconf', 'gcc-base', 'libc', 'libgcc', 'libtinfo', 'mawk', 'shell'].sort(),
  )
  expect(found.missing).toEqual([])
})

test('of alternatives one comes that is there, or that is provided; the first that exists otherwise', async () => {
  const two = records('Package: a\nDepends: none | b | c, v | b\n\nPackage: b\n\nPackage: c\nProvides: v\n')
  const look = async (names: readonly string[]) => names.map((name) => two.find((record) => record.name === name))
  expect(namesOf(await closureOf(['a'], look))).toEqual(['a', 'b'])
  expect(namesOf(await closureOf(['a', 'c'], look))).toEqual(['a', 'c'])
})

test('what nothing provides is named', async () => {
  const found = await closureOf(['shell', 'nonesuch'], lookUp)
  expect(found.missing).toEqual([['nonesuch'], ['awk']])
})

function store(apt?: Apt): PackageStore {
  const directory = folder()
  return { folder: directory, host: 'amd64', apt: async () => apt, warn: () => {}, pause: async () => {} }
}

test('package files that were brought are a system without any network; one that lacks something says what to bring', async () => {
  const texts: Record<string, string> = {
    a_1_i386: 'Package: a\nVersion: 1\nArchitecture: i386\nDepends: b\n',
    b_2_all: 'Package: b\nVersion: 2\nArchitecture: all\n',
  }
  const run = programs({ 'dpkg-deb': ([, path = '']) => ended(0, texts[basename(path, '.deb')]) })
  const packages = store()
  writeFileSync(join(packages.folder, 'a_1_i386.deb'), '')
  await expect(systemPackages(packages, run, ['a'])).rejects.toMatchObject({
    code: 'guests-packages',
    message: expect.stringContaining('neither here nor to be had: b'),
  })
  writeFileSync(join(packages.folder, 'b_2_all.deb'), '')
  expect(await systemPackages(packages, run, ['a'])).toEqual({
    specs: [
      { name: 'a', architecture: 'i386' },
      { name: 'b', architecture: 'all' },
    ],
    complete: true,
  })
})

test('what is not there is looked up in the indices, for i386 and for all architectures', async () => {
  const known = [
    ...records('Package: a\nDepends: b\n'),
    { ...records('Package: b\n')[0]!, architecture: 'all' },
    { ...records('Package: a\n')[0]!, architecture: 'amd64' },
  ]
  const apt: Apt = {
    update: async (enough) => void (await enough()),
    records: async (wanted) =>
      wanted.map((one) =>
        known.filter(({ name, architecture }) => name === one.name && [one.architecture, 'all'].includes(architecture)),
      ),
    download: async () => undefined,
  }
  expect(await systemPackages(store(apt), programs({}), ['a'])).toEqual({
    specs: [
      { name: 'a', architecture: 'i386' },
      { name: 'b', architecture: 'all' },
    ],
    complete: false,
  })
})
