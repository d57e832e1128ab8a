import { readdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { folder } from '../../test/guests.ts'
import type { Apt } from './apt.ts'
import type { PackageRecord } from './control.ts'
import { obtainPackages, type PackageSpec, type PackageStore } from './packages.ts'

const record = (name: string, version: string, architecture = 'i386', depends?: string): PackageRecord => ({
  name,
  version,
  architecture,
  dependencies: depends === undefined ? [] : [{ name: depends, version }],
  needs: [],
  provides: [],
})

/** A mirror with these packages; `broken` ones, `name version`, are in the indices and cannot be fetched. */
function mirror(records: readonly PackageRecord[], broken: readonly string[] = []): Apt & { fetched: string[] } {
  const fetched: string[] = []
  return {
    fetched,
    async update(enough) {
      await enough()
    },
    records: async (wanted) =>
      wanted.map((one) =>
        records.filter(
          ({ name, architecture }) => name === one.name && [one.architecture, 'all'].includes(architecture),
        ),
      ),
    async download(wanted, into) {
      if (wanted.some(({ name, version }) => broken.includes(`${name} ${version}`))) return '404 Not Found'
      for (const { name, version, architecture } of wanted) {
        fetched.push(`${name} ${version}`)
        writeFileSync(join(into, `${name}_${version.replace(':', '%3a')}_${architecture}.deb`), version)
      }
      return undefined
    },
  }
}

function store(apt: Apt | undefined): PackageStore & { warnings: string[]; waits: number[] } {
  const warnings: string[] = []
  const waits: number[] = []
  return {
    folder: join(folder(), 'packages'),
    host: 'amd64',
    apt: async () => apt,
    warn: (line) => warnings.push(line),
    pause: async (milliseconds) => void waits.push(milliseconds),
    warnings,
    waits,
  }
}

const kernel: PackageSpec = { name: 'linux-image-686', architecture: 'i386', kernel: '686' }
const tool: PackageSpec = { name: 'mtools', architecture: 'host' }

const kernels = [
  record('linux-image-686', '6.1.176-1', 'i386', 'linux-image-6.1.0-50-686'),
  record('linux-image-686', '6.1.90-1', 'i386', 'linux-image-6.1.0-9-686'),
  record('linux-image-6.1.0-50-686', '6.1.176-1'),
  record('linux-image-6.1.0-9-686', '6.1.90-1'),
  record('mtools', '4.0', 'amd64'),
  record('mtools', '4.0', 'i386'),
]

test('the kernel behind the metapackage comes, and tools for the host; a second run asks no one', async () => {
  const apt = mirror(kernels)
  const packages = store(apt)
  const [image, tools] = await obtainPackages(packages, [kernel, tool])
  expect(image).toMatchObject({ name: 'linux-image-6.1.0-50-686', version: '6.1.176-1' })
  expect(tools?.architecture).toBe('amd64')
  const again = { ...packages, apt: () => Promise.reject(new Error('no network')) }
  expect(await obtainPackages(again, [kernel, tool])).toEqual([image, tools])
})

test('a package that the mirror names and does not have gives way to the version before', async () => {
  const packages = store(mirror(kernels, ['linux-image-6.1.0-50-686 6.1.176-1']))
  const [image, tools] = await obtainPackages(packages, [kernel, tool])
  expect(image?.name).toBe('linux-image-6.1.0-9-686')
  expect(tools?.name).toBe('mtools')
  expect(packages.waits).toEqual([2000, 5000])
  expect(packages.warnings).toEqual(['linux-image-6.1.0-50-686 6.1.176-1 could not be fetched (404 Not Found)'])
})

test('refreshing takes what is newer, keeps what is not, and deletes what was replaced', async () => {
  const packages = store(mirror([...kernels.slice(1, 2), ...kernels.slice(3)]))
  await obtainPackages(packages, [kernel, tool])
  const later = mirror(kernels)
  await obtainPackages({ ...packages, apt: async () => later }, [kernel, tool], { refresh: true })
  expect(later.fetched).toEqual(['linux-image-6.1.0-50-686 6.1.176-1'])
  expect(readdirSync(packages.folder)).toEqual(['linux-image-6.1.0-50-686_6.1.176-1_i386.deb', 'mtools_4.0_amd64.deb'])
})

describe('without apt', () => {
  test('files that were brought are used, of several the newest', async () => {
    const packages = store(mirror(kernels))
    await obtainPackages(packages, [tool])
    for (const name of ['linux-image-6.1.0-9-686_6.1.90-1_i386.deb', 'linux-image-6.1.0-50-686_6.1.176-1_i386.deb']) {
      writeFileSync(join(packages.folder, name), '')
    }
    writeFileSync(join(packages.folder, 'linux-image-6.1.0-51-686-pae_6.1.177-1_i386.deb'), '')
    const [image] = await obtainPackages({ ...packages, apt: async () => undefined }, [kernel])
    expect(basename(image?.path ?? '')).toBe('linux-image-6.1.0-50-686_6.1.176-1_i386.deb')
  })

  test('the error names every file to bring, where it is and where to put it', async () => {
    const packages = store(undefined)
    const failure = await obtainPackages(packages, [kernel, tool]).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'guests-packages' })
    const { message } = failure as Error
    expect(message).toContain(`into ${packages.folder}`)
    expect(message).toContain(
      'linux-image-VERSION-686_*_i386.deb  from https://packages.debian.org/bookworm/linux-image-686',
    )
    expect(message).toContain('mtools_*_amd64.deb  from https://packages.debian.org/bookworm/mtools')
  })
})

test('a package that no mirror has is named with the reason', async () => {
  const packages = store(mirror(kernels, ['mtools 4.0']))
  await expect(obtainPackages(packages, [tool, { name: 'gone', architecture: 'all' }])).rejects.toMatchObject({
    message: expect.stringMatching(/mtools_\*.*404 Not Found[\s\S]*gone_\*_all\.deb.*the indices do not have it/),
  })
})
