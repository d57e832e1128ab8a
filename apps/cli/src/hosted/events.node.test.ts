import { expect, test } from 'vitest'
import { eventsBetween } from './events.ts'
import type { Instance } from './instance.ts'

const instance = (name: string): Instance => ({
  ...{ version: 1, id: 'f'.repeat(32), name, kind: 'container', what: '', created: '0', options: {} },
})
type Known = Parameters<typeof eventsBetween>[0] extends ReadonlyMap<string, infer Each> ? Each : never
const host = (started: string) => ({ pid: 1, started })

/** What is told between each two looks. */
function told(...looks: readonly (Partial<Known> | undefined)[]): string[] {
  const maps = looks.map((each) => {
    const known: Known = { instance: instance('web'), host: undefined, exit: undefined, ...each }
    return new Map(each === undefined ? [] : [[known.instance.id, known]])
  })
  return maps
    .slice(1)
    .flatMap((map, n) => [...eventsBetween(maps[n]!, map, 'now')])
    .map(({ action, time, exitCode, oldName }) =>
      [action, time, exitCode, oldName].filter((one) => one !== undefined).join(' '),
    )
}

test('a life is told in its order, whatever of it falls between two looks', () => {
  const exit = { exitCode: 3, at: '2' }
  expect(told(undefined, {}, { host: host('1') }, { host: host('1'), exit }, undefined)).toEqual([
    ...['create 0', 'start 1', 'die 2 3', 'destroy now'],
  ])
  expect(told(undefined, { host: host('1'), exit }, { host: host('5') }, undefined)).toEqual([
    ...['create 0', 'start 1', 'die 2 3', 'start 5', 'die now', 'destroy now'],
  ])
  expect(told({}, { instance: instance('old') }, undefined)).toEqual(['rename now web', 'destroy now'])
})
