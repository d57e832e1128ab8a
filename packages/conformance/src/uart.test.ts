import { Uart16550 } from '@vmexit/chipset'
import type { RegisterFile } from '@vmexit/core'
import { describe, expect, test } from 'vitest'
import { changed, failures } from '../test/failures.ts'
import { uartConformance } from './uart.ts'

function ours(change: (registers: RegisterFile) => RegisterFile = (registers) => registers, paced = false) {
  return uartConformance((bench) => {
    const uart = new Uart16550({
      clock: bench.clock,
      line: bench.line('irq'),
      onTransmit: bench.callback('sent'),
      onBreak: bench.callback('break'),
      onModemControl: bench.callback('modem'),
      paced,
    })
    return {
      registers: change(uart.regions.registers),
      receive: (bytes) => uart.receive(bytes),
      receiveBreak: () => uart.receiveBreak(),
      setModemLines: (lines) => uart.setModemLines(lines),
    }
  })
}

for (const { name, run } of ours()) test(name, run)

describe('at the speed of the line', () => {
  for (const { name, run } of ours(undefined, true)) test(name, run)
})

const read = (offset: number, to: (value: number) => number) =>
  failures(ours((registers) => changed(registers, { read: (at, value) => (at === offset ? to(value) : value) })))
const write = (offset: number, to: (value: number) => number | null) =>
  failures(ours((registers) => changed(registers, { write: (at, value) => (at === offset ? to(value) : value) })))

test('what is broken fails', () => {
  // An 8250: no FIFO.
  expect(write(2, () => null)).toContain('the FIFO bits tell a 16550A from what came before')
  // No scratch register, no loopback, no OUT2, no break, one trigger level.
  expect(read(7, () => 0xff)).toEqual(['the divisor lies behind DLAB, the scratch register keeps what it is given'])
  expect(write(4, (value) => value & ~0x10)).toContain('loopback: outputs are inputs, and the other side hears nothing')
  expect(write(4, (value) => value | 0x08)).toContain('OUT2 lets the interrupt through')
  expect(write(3, (value) => value & ~0x40)).toEqual(['breaks are told to the other side'])
  expect(write(2, (value) => value & ~0xc0)).toEqual([
    'the FIFO interrupts from the trigger level on',
    'what is below the trigger level is told after four character times',
  ])
  // The line status never tells of errors.
  expect(read(5, (value) => value & 0x61)).toHaveLength(3)
})
