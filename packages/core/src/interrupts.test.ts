import { expect, test } from 'vitest'
import { openLine, pulse, sharedLine } from './interrupts.ts'

const recorder = () => {
  const levels: boolean[] = []
  return { levels, set: (level: boolean) => void levels.push(level) }
}

test('a shared line is high while any device drives it high', () => {
  const wire = recorder()
  const input = sharedLine(wire)
  const [nic, disk] = [input(), input()]
  nic.set(true)
  nic.set(true)
  disk.set(true)
  nic.set(false)
  expect(wire.levels).toEqual([true])
  disk.set(false)
  disk.set(false)
  expect(wire.levels).toEqual([true, false])
})

test('a pulse is one rising edge', () => {
  const wire = recorder()
  pulse(wire)
  expect(wire.levels).toEqual([true, false])
  pulse(openLine)
})
