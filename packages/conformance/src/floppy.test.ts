import type { RegisterFile } from '@vmexit/core'
import { expect, test } from 'vitest'
import { changed, failures } from '../test/failures.ts'
import { floppyController } from '../test/our-chips.ts'
import { floppyConformance } from './floppy.ts'

function ours(change: (registers: RegisterFile) => RegisterFile = (registers) => registers) {
  return floppyConformance((bench, disk) => {
    const { dma, controller } = floppyController(bench, [disk])
    return { registers: change(controller.regions.registers), dma: dma.low.regions.registers }
  })
}

for (const { name, run } of ours()) test(name, run)

/** A controller that is given another command byte. */
const command = (from: number, to: number) =>
  failures(ours((registers) => changed(registers, { write: (at, value) => (at === 5 && value === from ? to : value) })))
const read = (offset: number, to: (value: number) => number) =>
  failures(ours((registers) => changed(registers, { read: (at, value) => (at === offset ? to(value) : value) })))

test('what is broken fails', () => {
  // No multi-track, no relative seeks, an 8272A, no disk change line, a gate that is always open.
  expect(command(0xe6, 0x66)).toEqual(['READ DATA brings sectors of both heads to memory'])
  expect(command(0xcf, 0x8f)).toEqual(['relative seeks go in and out'])
  expect(command(0x10, 0x1f)).toEqual(['VERSION, CONFIGURE, LOCK and DUMPREG tell an enhanced controller'])
  expect(read(7, () => 0)).toEqual(['the disk change line falls when the heads step'])
  const open = ours((registers) => changed(registers, { write: (at, value) => (at === 2 ? value | 0x08 : value) }))
  expect(failures(open)).toEqual(['the DMA gate of the digital output register lets the interrupt through'])
  // A controller that is never busy, and one that reads at any data rate.
  expect(read(4, (value) => value & ~0x0f)).toContain('SEEK and RECALIBRATE take their time and are told of')
  const anyRate = ours((registers) => changed(registers, { write: (at) => (at === 7 ? 0 : undefined) }))
  expect(failures(anyRate)).toEqual(['what is not there is an error'])
})
