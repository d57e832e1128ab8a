import { expect, test } from 'vitest'
import { SlopeMeter, slopeOf } from './index.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

/** A machine whose program costs `once` at each marker and `each` a repetition, and a meter at its console. */
function machine(once: number, each: number) {
  let events = 1234
  const meter = new SlopeMeter(() => ({ events }))
  const say = (line: string) => {
    events += once
    meter.feed(bytes(`${line}\r\n`))
  }
  const work = (count: number) => {
    events += count * each
  }
  return { meter, say, work }
}

test('what is done once is in no cost', () => {
  const { meter, say, work } = machine(777, 3)
  say('@@begin fork 100')
  work(100)
  say('@@middle fork')
  work(200)
  say('@@end fork 0000210c')
  say('@@exit fork 0')
  expect(meter.slopes).toEqual([{ program: 'fork', count: 100, checksum: '0000210c', costs: { events: 3 } }])
  expect(meter.exits).toEqual([{ program: 'fork', status: 0 }])
  expect(meter.done).toBe(false)
  say('@@done')
  expect(meter.done).toBe(true)
})

test('a program that ends between its markers has no cost, and spoils none', () => {
  const { meter, say, work } = machine(0, 1)
  for (const line of ['@@begin in 5', '@@exit in 1', '@@middle in', '@@begin cpuid 5', '@@end cpuid 00000000'])
    say(line)
  expect(meter.slopes).toEqual([])
  say('@@begin copy 2')
  say('@@middle fork')
  work(2)
  say('@@middle copy')
  work(4)
  say('@@end copy 00000001')
  expect(meter.slopes).toEqual([{ program: 'copy', count: 2, checksum: '00000001', costs: { events: 1 } }])
  expect(meter.exits).toEqual([{ program: 'in', status: 1 }])
})

test('costs are by counter, and may be fractions or none', () => {
  const costs = slopeOf({ a: 0, b: 5, c: 1 }, { a: 10, b: 5, c: 1 }, { a: 31, b: 5, c: 3 }, 4)
  expect(costs).toEqual({ a: 2.75, b: 0, c: 0.5 })
})

test('a run of no repetitions costs nothing that could be told', () => {
  const { meter, say } = machine(0, 0)
  for (const line of ['@@begin in 0', '@@middle in', '@@end in 00000000']) say(line)
  expect(meter.slopes).toEqual([])
})
