import { Mc146818 } from '@vmexit/chipset'
import type { RegisterFile } from '@vmexit/core'
import { expect, test } from 'vitest'
import { changed, failures } from '../test/failures.ts'
import { rtcConformance } from './rtc.ts'

const ours = (change: (registers: RegisterFile) => RegisterFile = (registers) => registers) =>
  rtcConformance((bench, epoch) => {
    const chip = new Mc146818({ clock: bench.clock, line: bench.line('irq'), epoch })
    return { registers: change(chip.regions.registers) }
  })

for (const { name, run } of ours()) test(name, run)

/** A clock that never has these bits of what is written to, or read from, a register. */
const without = (register: number, bits: number, way: 'read' | 'write') => {
  let index = 0
  return failures(
    ours((registers) =>
      changed(registers, {
        write(offset, value) {
          if (offset === 0) index = value & 0x7f
          return offset === 1 && index === register && way === 'write' ? value & ~bits : value
        },
        read: (_, value) => (index === register && way === 'read' ? value & ~bits : value),
      }),
    ),
  )
}

test('what is broken fails', () => {
  expect(without(0x0b, 0x80, 'write')).toEqual(['SET holds the time, the divider goes on'])
  expect(without(0x0a, 0x80, 'read')).toEqual(['an update in progress is told before the time changes'])
  expect(without(0x0b, 0x40, 'write')).toEqual(['periodic interrupts have the rate of register A'])
  expect(without(0x0b, 0x20, 'write')).toEqual(['an alarm at a time, at any minute, and each second'])
  expect(without(0x0d, 0x80, 'read')).toEqual(['memory keeps what it is given; registers C and D are read only'])
  expect(without(0x0a, 0x70, 'write')).toContain('half a second after the divider starts the first second is over')
})
