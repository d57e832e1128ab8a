import { expect, it } from 'vitest'
import type { Task } from '../system.ts'
import { Ipc, IpcObject, IpcTable } from './objects.ts'

class Thing extends IpcObject {}
const task = { ids: { euid: 0, egid: 0, groups: [] }, kernel: { time: { seconds: 0 } } } as unknown as Task

function make(table: IpcTable<Thing>, key: number): Thing {
  const id = table.get(
    task,
    key,
    Ipc.CREAT | Ipc.EXCL | 0o600,
    () => true,
    () => new Thing(task, key, 0o600),
  )
  return table.find(id)!
}

it('gives numbers whose index is one that there is, however many objects there are', () => {
  const table = new IpcTable<Thing>(32_000)
  for (let n = 0; n < 31_000; n++) make(table, 0)
  for (let n = 0; n < 3_000; n++) {
    const thing = make(table, 0)
    expect(thing?.isRemoved).toBe(false)
    table.remove(thing)
  }
  expect(table.all().length).toBe(31_000)
})

it('has a key once, until its object is hidden or removed', () => {
  const table = new IpcTable<Thing>(10)
  const find = (flags: number): number =>
    table.get(
      task,
      5,
      flags,
      () => true,
      () => -99,
    )
  const first = make(table, 5)
  expect([find(0), find(Ipc.CREAT | Ipc.EXCL)]).toEqual([first.id, -17])
  table.hide(first)
  expect([find(0), table.find(first.id)]).toEqual([-2, first])
  const second = make(table, 5)
  table.remove(first)
  expect(find(0)).toBe(second.id)
  table.remove(second)
  expect(find(0)).toBe(-2)
})
