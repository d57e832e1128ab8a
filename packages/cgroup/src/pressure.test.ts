/** Pressure by hand: what a monitor that decides whom to kill would read. */
import { describe, expect, test } from 'vitest'
import { must, spin, treeOf } from '../test/tree.ts'
import { Pressure } from './pressure.ts'

const SECOND = 1e9

describe('pressure', () => {
  test('is nothing where nobody waits', () => {
    const pressure = new Pressure(null, 0)
    pressure.shift('idle', 'running', 0)
    expect(pressure.format('io', 100 * SECOND)).toBe(
      'some avg10=0.00 avg60=0.00 avg300=0.00 total=0\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n',
    )
  })

  test('is some where one waits while another runs, and full where none runs', () => {
    const pressure = new Pressure(null, 0)
    pressure.shift('idle', 'running', 0)
    pressure.shift('idle', 'io', 0)
    pressure.shift('running', 'io', SECOND)
    pressure.shift('io', 'idle', 1.5 * SECOND, 2)
    // In the period of 2 s: 1.5 s and 0.5 s, 75 % and 25 %. After it, avg10 is 1 − e^(−0.2) of that.
    expect(pressure.format('io', 2 * SECOND)).toBe(
      'some avg10=13.59 avg60=2.45 avg300=0.49 total=1500000\nfull avg10=4.53 avg60=0.81 avg300=0.16 total=500000\n',
    )
  })

  test('comes to all of the time, and is forgotten', () => {
    const pressure = new Pressure(null, 0)
    pressure.shift('idle', 'memory', 0)
    expect(pressure.format('memory', 3600 * SECOND)).toContain(
      'some avg10=100.00 avg60=100.00 avg300=99.99 total=3600000000',
    )
    pressure.shift('memory', 'idle', 3600 * SECOND)
    expect(pressure.format('memory', 3610 * SECOND)).toMatch(/^some avg10=36\.78 /)
    expect(pressure.format('memory', 1e6 * SECOND)).toMatch(/^some avg10=0\.00 avg60=0\.00 avg300=0\.00 /)
  })

  test('is the same whenever it is looked at', () => {
    const [often, once] = [new Pressure(null, 0), new Pressure(null, 0)]
    for (const pressure of [often, once]) pressure.shift('idle', 'memory', 0.3 * SECOND)
    for (let time = 0.3; time < 30; time += 0.7) often.format('memory', time * SECOND)
    expect(often.format('memory', 31 * SECOND)).toBe(once.format('memory', 31 * SECOND))
  })
})

test('follows from what the scheduler does, here and above', () => {
  const { tree, kernel, at } = treeOf(['/a/b'])
  spin(tree, 1, at('/a/b'))
  spin(tree, 2, at('/a/b'))
  const pick = tree.scheduler.pick()!
  kernel.time = SECOND
  tree.scheduler.sleep(pick.thread, 'io')
  kernel.time = 1.25 * SECOND
  tree.scheduler.pick()
  expect(tree.read(at('/a'), 'cpu.pressure')).toMatch(/some .* total=1250000\nfull .* total=250000\n/)
  expect(tree.read(tree.root, 'cpu.pressure')).toMatch(/some .* total=1250000\nfull .* total=0\n/)
  expect(tree.read(at('/a/b'), 'io.pressure')).toMatch(/some .* total=250000\nfull .* total=0\n/)
})

test('is not counted while cgroup.pressure is 0', () => {
  const { tree, kernel, at } = treeOf(['/a'])
  must(tree.write(at('/a'), 'cgroup.pressure', '0'))
  tree.scheduler.sleep(must(spin(tree, 1, at('/a'))).threads.get(1)!, 'io')
  kernel.time = SECOND
  must(tree.write(at('/a'), 'cgroup.pressure', '1'))
  kernel.time = 2 * SECOND
  expect(tree.read(at('/a'), 'io.pressure')).toMatch(/some .* total=1000000\n/)
  expect(tree.read(tree.root, 'io.pressure')).toMatch(/some .* total=2000000\n/)
})

test('answers a trigger, which is absent, with EOPNOTSUPP', () => {
  const { tree, at } = treeOf(['/a'])
  expect(tree.write(at('/a'), 'memory.pressure', 'some 150000 1000000')).toBe(-95)
})
