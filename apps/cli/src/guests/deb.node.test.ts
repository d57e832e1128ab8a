import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ended, folder, programs, put } from '../../test/guests.ts'
import { arMembers, unpackDeb } from './deb.ts'

function ar(members: Record<string, string>): Uint8Array {
  const parts = Object.entries(members).map(([name, body]) => {
    const header = `${name.padEnd(16)}${'0'.padEnd(12)}${'0'.padEnd(6)}${'0'.padEnd(6)}${'100644'.padEnd(8)}`
    return `${header}${String(body.length).padEnd(10)}\`\n${body}${body.length % 2 === 1 ? '\n' : ''}`
  })
  return Buffer.from(`!<arch>\n${parts.join('')}`, 'latin1')
}

test('the members of a package are found, and a cut one is left out', () => {
  const archive = ar({ 'debian-binary': '2.0\n', 'control.tar.xz': 'odd', 'data.tar.xz/': 'data' })
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()
  expect(arMembers(archive).map(({ name, bytes }) => [name, text(bytes)])).toEqual([
    ['debian-binary', '2.0\n'],
    ['control.tar.xz', 'odd'],
    ['data.tar.xz', 'data'],
  ])
  expect(arMembers(archive.subarray(0, -1))).toHaveLength(2)
  expect(arMembers(Buffer.from('no archive'))).toEqual([])
})

test('where there is no dpkg-deb, tar unpacks the data', async () => {
  const site = folder()
  put(join(site, 'a.deb'), ar({ 'debian-binary': '2.0\n', 'data.tar.xz': 'data' }))
  let given = ''
  const run = programs({
    tar: ([, file = '']) => {
      given = readFileSync(file, 'utf8')
      return ended(0)
    },
  })
  await unpackDeb(run, join(site, 'a.deb'), join(site, 'out'))
  expect(given).toBe('data')
  expect(existsSync(join(site, 'out/data.tar.xz'))).toBe(false)
})

test('a file that is no package says so', async () => {
  const site = folder()
  put(join(site, 'a.deb'), '<html>not found</html>')
  await expect(unpackDeb(programs({}), join(site, 'a.deb'), join(site, 'out'))).rejects.toMatchObject({
    code: 'guests-deb',
  })
  const dpkg = programs({ 'dpkg-deb': () => ended(2) })
  await expect(unpackDeb(dpkg, join(site, 'a.deb'), join(site, 'out'))).rejects.toMatchObject({ code: 'guests-deb' })
})
