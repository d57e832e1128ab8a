import { I8254 } from '@vmexit/chipset'
import { expect, test } from 'vitest'
import { changed, failures } from '../test/failures.ts'
import { type TimerUnderTest, timerConformance } from './pit.ts'

function ours(change: (timer: I8254) => Partial<TimerUnderTest> = () => ({})) {
  return timerConformance((bench) => {
    const timer = new I8254({ clock: bench.clock, outputs: [bench.line('out 0')] })
    return {
      registers: timer.regions.registers,
      out: (counter) => timer.out(counter),
      setGate: (counter, level) => timer.setGate(counter, level),
      ...change(timer),
    }
  })
}

for (const { name, run } of ours()) test(name, run)

/** A timer in which one mode is taken for another. */
const mistaken = (from: number, to: number) =>
  failures(
    ours((timer) => ({
      registers: changed(timer.regions.registers, {
        write: (offset, value) =>
          offset === 3 && (value & 0xfe) === (0x10 | (from << 1)) ? value ^ ((from ^ to) << 1) : value,
      }),
    })),
  )

test('what is broken fails', () => {
  expect(mistaken(2, 3).some((name) => name.startsWith('mode 2'))).toBe(true)
  expect(mistaken(3, 2).some((name) => name.startsWith('mode 3'))).toBe(true)
  expect(mistaken(0, 4).some((name) => name.startsWith('mode 0'))).toBe(true)
  // Gates that do nothing.
  const gates = failures(ours(() => ({ setGate() {} })))
  expect(gates.filter((name) => name.startsWith('mode'))).toHaveLength(4)
  // No latch.
  const latch = ours((timer) => ({
    registers: changed(timer.regions.registers, {
      write: (offset, value) => (offset === 3 && value < 0x10 ? null : value),
    }),
  }))
  expect(failures(latch)).toEqual(['the latch holds a count while it is read, and is not disturbed'])
  // Binary where BCD is asked for.
  const bcd = ours((timer) => ({
    registers: changed(timer.regions.registers, { write: (offset, value) => (offset === 3 ? value & 0xfe : value) }),
  }))
  expect(failures(bcd)).toEqual(['0 is the greatest count: 65,536, or 10,000 in BCD', 'a BCD count is read in BCD'])
})
