import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { writeRecord } from './instance.ts'
import { defaultStateDirectory, StateDirectory } from './state-directory.ts'

function setUp() {
  const root = mkdtempSync(join(tmpdir(), 'vmexit-state-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  const state = new StateDirectory(join(root, 'vmexit'))
  const create = (name?: string) => state.create({ name, kind: 'test', what: 'nothing', options: {} })
  /** One whose ID is known. */
  const put = (id: string) => {
    const folder = join(root, 'vmexit', id)
    mkdirSync(folder)
    const created = new Date(0).toISOString()
    const instance = { version: 1, id, name: `n-${id}`, kind: 'test', what: '', created, options: {} } as const
    writeRecord(folder, 'instance', instance)
  }
  return { root, state, create, put }
}

test('the folder is where the XDG Base Directory Specification says', () => {
  expect(defaultStateDirectory({ XDG_STATE_HOME: '/s' })).toBe('/s/vmexit')
  expect(defaultStateDirectory({ XDG_STATE_HOME: 's' })).toMatch(/\/\.local\/state\/vmexit$/)
})

test('an instance is found by name, by ID, and by digits that no other begins with', () => {
  const { state, create, put } = setUp()
  expect(state.list()).toEqual([])
  const web = create('web')
  const unnamed = create()
  expect(unnamed.instance.name).toMatch(/^test-[0-9a-f]{6}$/)
  put(`aa${'0'.repeat(30)}`)
  put(`ab${'0'.repeat(30)}`)
  expect(state.find('web')).toEqual(web)
  expect(state.find(web.instance.id)).toEqual(web)
  expect(state.find(web.instance.id.slice(0, 12))).toEqual(web)
  expect(state.find('aa000').instance.id).toBe(`aa${'0'.repeat(30)}`)
  expect(() => state.find('we')).toThrow("there is no instance 'we': take a name or an ID of `vmexit ps -a`")
  const all = state.list().filter(({ instance }) => instance.id.startsWith('a'))
  expect(() => state.find('a')).toThrow(all.length > 1 ? 'give more digits' : 'unreachable')
})

test('a name is taken until its instance is removed', () => {
  const { state, create } = setUp()
  const first = create('web')
  expect(() => create('web')).toThrow(`the name web is taken by ${first.instance.id.slice(0, 12)}`)
  expect(state.list()).toHaveLength(1)
  state.remove(first)
  const second = create('web')
  expect(second.instance.id).not.toBe(first.instance.id)
  // A folder that somebody deleted by hand takes its name along.
  rmSync(second.folder, { recursive: true })
  expect(create('web').instance.name).toBe('web')
  for (const wrong of ['', '../x', 'a b', '-x']) expect(() => create(wrong)).toThrow('cannot be a name')
})

test('what another version has written, or nobody, is told by its path', () => {
  const { state, create } = setUp()
  const { folder } = create('web')
  writeFileSync(join(folder, 'instance.json'), '{"version":2}')
  create('other')
  const told: string[] = []
  expect(state.list((error) => told.push(error.message)).map(({ instance }) => instance.name)).toEqual(['other'])
  expect(told).toEqual([
    `${folder}/instance.json is not what this vmexit writes: use the vmexit that started it, or delete the folder ${folder}`,
  ])
  expect(() => state.find('web')).toThrow(`${folder}/instance.json is not what`)
  expect(() => state.find('nobody')).toThrow("there is no instance 'nobody'")
})

test('a path that no socket can have is refused before anything starts', () => {
  const { root } = setUp()
  const deep = new StateDirectory(join(root, 'x'.repeat(100)))
  expect(() => deep.create({ name: 'web', kind: 'test', what: '', options: {} })).toThrow('set XDG_STATE_HOME')
})

test('one that is renamed keeps its folder, and its old name is free', () => {
  const { state, create } = setUp()
  const web = create('web')
  create('db')
  expect(() => state.rename(web, 'db')).toThrow('the name db is taken')
  expect(state.rename(web, 'old').folder).toBe(web.folder)
  expect(state.find('old').instance.id).toBe(web.instance.id)
  expect(() => state.find('web')).toThrow("there is no instance 'web'")
  create('web')
  state.remove(state.find('old'))
  expect(
    state
      .list()
      .map(({ instance }) => instance.name)
      .sort(),
  ).toEqual(['db', 'web'])
})

test.skipIf(process.platform === 'win32')('nobody else gets into it, whoever has made the folder', () => {
  const { root, create } = setUp()
  const folder = join(root, 'vmexit')
  mkdirSync(folder)
  chmodSync(folder, 0o775)
  create('web')
  expect(statSync(folder).mode & 0o777).toBe(0o700)
  if (process.getuid?.() !== 0) return
  chownSync(folder, 12_345, 12_345)
  expect(() => create('other')).toThrow(`${folder} belongs to another user`)
})
