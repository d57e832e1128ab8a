import { describe, expect, test } from 'vitest'
import { Clock } from './clock.ts'

describe('Clock', () => {
  test('timers are called at their own time, in order of time and then of setting', () => {
    const clock = new Clock()
    const calls: string[] = []
    const note = (name: string) => (now: number) => calls.push(`${name}@${now}`)
    clock.at(20, note('b'))
    clock.at(10, note('a'))
    clock.at(20, note('c'))
    clock.at(31, note('late'))
    clock.advanceTo(30)
    expect(calls).toEqual(['a@10', 'b@20', 'c@20'])
    expect([clock.now, clock.deadline]).toEqual([30, 31])
  })

  test('a timer may set the next one, which is called in the same advance when it is due', () => {
    const clock = new Clock()
    const ticks: number[] = []
    const tick = (now: number) => {
      ticks.push(now)
      clock.at(now + 7, tick)
    }
    clock.after(7, tick)
    clock.advanceTo(30)
    expect([ticks, clock.deadline]).toEqual([[7, 14, 21, 28], 35])
  })

  test('a disposed timer is not called', () => {
    const clock = new Clock()
    const timer = clock.at(5, () => expect.unreachable())
    expect(timer.pending).toBe(true)
    timer[Symbol.dispose]()
    clock.advanceTo(10)
    expect([timer.pending, clock.deadline]).toEqual([false, Number.POSITIVE_INFINITY])
  })

  test('fractions of a tick are rounded up, what is past is called at once', () => {
    const clock = new Clock()
    clock.advanceTo(100)
    const calls: number[] = []
    clock.at(100.2, (now) => calls.push(now))
    clock.at(3, (now) => calls.push(now))
    clock.advanceTo(100)
    clock.advanceTo(101)
    expect(calls).toEqual([100, 101])
  })

  test('while a CPU runs, the time is what it has retired', () => {
    const clock = new Clock()
    const cpu = { retired: 1000 }
    clock.advanceTo(50)
    clock.follow(cpu)
    cpu.retired = 1007
    expect(clock.now).toBe(57)
    expect(() => clock.advanceTo(60)).toThrow('the clock is advanced while a CPU runs: do it between two runs')
    clock.settle()
    cpu.retired = 2000
    expect(clock.now).toBe(57)
  })

  test('who runs a CPU hears of an earlier deadline, and only of that', () => {
    const clock = new Clock()
    const heard: number[] = []
    using _ = clock.onSooner((deadline) => heard.push(deadline))
    clock.at(100, () => {})
    clock.at(200, () => {})
    clock.at(100, () => {})
    clock.at(40, () => {})
    expect(heard).toEqual([100, 40])
  })

  test('a restored machine calls timers of one time in the order they had', () => {
    const before = new Clock()
    before.at(10, () => {})
    const first = before.at(50, () => {})
    const second = before.at(50, () => {})
    before.advanceTo(20)
    const [saved, a, b] = [before.save(), first.save(), second.save()]

    const after = new Clock()
    after.at(30, () => expect.unreachable())
    after.restore(saved)
    const calls: string[] = []
    after.resume(b, () => calls.push('second'))
    after.resume(a, () => calls.push('first'))
    after.at(50, () => calls.push('new'))
    after.advanceTo(60)
    expect(calls).toEqual(['first', 'second', 'new'])
  })

  test('wrong use says what to do', () => {
    const clock = new Clock()
    clock.advanceTo(5)
    expect(() => clock.advanceTo(4)).toThrow('the clock is at 5 and cannot go to 4')
    expect(() => clock.at(Number.NaN, () => {})).toThrow('a frequency of 0 has no period')
    expect(() => new Clock({ frequency: 0 })).toThrow('a clock cannot have 0 ticks a second')
    expect(() => clock.restore(new Clock({ frequency: 1e8 }).save())).toThrow('compose the machine with { frequency: 1')
  })

  test('nanoseconds and ticks', () => {
    const clock = new Clock({ frequency: 250_000_000 })
    expect([clock.ticks(1), clock.ticks(8), clock.nanoseconds(3)]).toEqual([1, 2, 12])
  })

  test('many timers, set and cancelled at random, are called in order', () => {
    let seed = 1
    const random = (below: number) => (seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff) % below
    const clock = new Clock()
    const expected: [number, number][] = []
    const calls: [number, number][] = []
    for (let i = 0; i < 3000; i++) {
      const time = random(500)
      const timer = clock.at(time, (now) => calls.push([now, i]))
      if (random(3) === 0) timer[Symbol.dispose]()
      else expected.push([time, i])
    }
    clock.advanceTo(500)
    expect(calls).toEqual(expected.sort((a, b) => a[0] - b[0] || a[1] - b[1]))
  })
})
