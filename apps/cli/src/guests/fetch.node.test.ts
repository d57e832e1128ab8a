import { existsSync, readdirSync, readFileSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { expect, test } from 'vitest'
import { ended, fakeBusybox, folder, programs, put } from '../../test/guests.ts'
import { defaultDirectory, findGuests, replaceGuest } from './cache.ts'
import { guestsCommand } from './command.ts'
import { fetchGuests } from './fetch.ts'
import { guestNames, withNeeds } from './recipes.ts'

/** A system without apt, on which dpkg-deb unpacks what the file's name says. */
const withoutApt = programs({
  'dpkg-deb': ([, deb = '', into = '']) => {
    if (basename(deb).startsWith('seabios')) {
      for (const name of ['bios.bin', 'vgabios-stdvga.bin']) put(join(into, 'usr/share/seabios', name), name)
    } else if (basename(deb).startsWith('busybox')) put(join(into, 'bin/busybox'), fakeBusybox)
    return ended(0)
  },
})

function cacheWith(...debs: string[]): string {
  const directory = folder()
  for (const deb of debs) put(join(directory, 'packages', deb), '')
  return directory
}

const seabios = 'seabios_1.16.2-1_all.deb'

test('guests are built of packages that were brought, found by path, and left alone the next time', async () => {
  const directory = cacheWith(seabios, 'busybox-static_1.35_i386.deb')
  const names = ['seabios', 'busybox']
  const guests = await fetchGuests({ directory, names, run: withoutApt })
  expect(guests.map(({ name, built }) => [name, built])).toEqual([
    ['busybox', true],
    ['seabios', true],
  ])
  expect(guests[1]).toMatchObject({
    packages: [{ name: 'seabios', version: '1.16.2-1', architecture: 'all' }],
    files: [{ name: 'bios.bin', bytes: 8 }, { name: 'vgabios-stdvga.bin' }],
  })
  const found = findGuests(directory)
  expect(readFileSync(found.seabios?.bios ?? '', 'utf8')).toBe('bios.bin')
  expect(found['linux-686']).toBeUndefined()
  expect(readdirSync(directory).sort()).toEqual(['busybox', 'packages', 'seabios'])

  const noPrograms = () => Promise.reject(new Error('nothing is to be run'))
  const again = await fetchGuests({ directory, names, run: noPrograms })
  expect(again.map(({ built }) => built)).toEqual([false, false])
})

test('a guest that is not whole is built anew', async () => {
  const directory = cacheWith(seabios)
  const fetch = () => fetchGuests({ directory, names: ['seabios'], run: withoutApt })
  await fetch()
  truncateSync(join(directory, 'seabios/bios.bin'), 3)
  expect(findGuests(directory)).toEqual({})
  expect((await fetch())[0]?.built).toBe(true)
  writeFileSync(join(directory, 'seabios/guest.json'), '{"recipe":')
  expect(findGuests(directory)).toEqual({})
})

test('a build that fails leaves the guest that was there, and nothing else', async () => {
  const directory = cacheWith(seabios)
  await fetchGuests({ directory, names: ['seabios'], run: withoutApt })
  const failing = replaceGuest(directory, 'seabios', [], async (into) => {
    writeFileSync(join(into, 'bios.bin'), 'half')
    throw new Error('no space left')
  })
  await expect(failing).rejects.toThrow('no space left')
  expect(readFileSync(join(directory, 'seabios/bios.bin'), 'utf8')).toBe('bios.bin')
  expect(readdirSync(directory).sort()).toEqual(['packages', 'seabios'])
})

test('aborting leaves nothing half-built', async () => {
  const directory = cacheWith(seabios)
  const abort = new AbortController()
  const run = programs({
    'dpkg-deb': () => {
      abort.abort()
      throw abort.signal.reason
    },
  })
  await expect(fetchGuests({ directory, names: ['seabios'], run, signal: abort.signal })).rejects.toThrow('aborted')
  expect(readdirSync(directory)).toEqual(['packages'])
})

test('what a run that was killed left behind is removed a day later', async () => {
  const directory = cacheWith(seabios)
  put(join(directory, '.building-old/x'), '')
  put(join(directory, '.building-now/x'), '')
  utimesSync(join(directory, '.building-old'), 1_700_000_000, 1_700_000_000)
  await fetchGuests({ directory, names: ['seabios'], run: withoutApt })
  expect(readdirSync(directory).sort()).toEqual(['.building-now', 'packages', 'seabios'])
})

test('what others need is built with them, and a name that is none is refused with those there are', () => {
  expect(withNeeds(['debian-disk'])).toEqual(['linux-686', 'memtest86+', 'debian-disk'])
  expect(withNeeds([])).toEqual(guestNames)
  expect(() => withNeeds(['toString'])).toThrow('there is no guest toString: name some of linux-686, ')
})

test("beyond Linux, guests that Debian's programs make are left out, or refused if asked for", async () => {
  const on = (names: string[]) => fetchGuests({ directory: folder(), names, platform: 'darwin', run: programs({}) })
  await expect(on(['debian-disk'])).rejects.toMatchObject({ code: 'guests-host' })
  const warnings: string[] = []
  const all = fetchGuests({ directory: folder(), platform: 'darwin', run: programs({}), warn: (w) => warnings.push(w) })
  await expect(all).rejects.toThrow(/^(?![\s\S]*xorriso)[\s\S]*linux-image-VERSION-686_/)
  expect(warnings).toEqual([expect.stringContaining('debian-disk and debian-cd')])
})

test('the cache is where the XDG specification says', () => {
  expect(defaultDirectory({ XDG_CACHE_HOME: '/c' })).toBe(join('/c', 'vmexit', 'guests'))
  expect(defaultDirectory({ XDG_CACHE_HOME: 'relative' })).toMatch(/\.cache.vmexit.guests$/)
})

test('the command lists, and prints what it fetched', async () => {
  const directory = cacheWith(seabios)
  const run = async (...args: string[]) => {
    let printed = ''
    const host = {
      out: (text: string) => {
        printed += text
      },
      error: (text: string) => expect.fail(text),
      terminal: false,
      fetch: (options: object) => fetchGuests({ ...options, run: withoutApt }),
    }
    await guestsCommand(host).parseAsync([...args, '--directory', directory], { from: 'user' })
    return printed
  }
  expect(await run('--list')).toMatch(/^ {2}seabios/m)
  expect(await run('seabios')).toBe(
    `seabios\n  ${join(directory, 'seabios/bios.bin')}\n  ${join(directory, 'seabios/vgabios-stdvga.bin')}\n`,
  )
  expect(await run('--list')).toMatch(/^\* seabios/m)
  const [seen] = JSON.parse(await run('seabios', '--json'))
  expect(seen).toMatchObject({
    name: 'seabios',
    built: false,
    files: [{ bytes: 8, sha256: expect.stringMatching(/^\w{64}$/) }, {}],
  })
  expect(existsSync(seen.files[0].path)).toBe(true)
})
