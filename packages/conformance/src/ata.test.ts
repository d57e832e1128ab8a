import { AtaDisk, IdeChannel } from '@vmexit/chipset'
import type { RegisterFile } from '@vmexit/core'
import { expect, test } from 'vitest'
import { changed, failures } from '../test/failures.ts'
import { type AtaChannelUnderTest, ataConformance } from './ata.ts'

/** Registers whose accesses are done a byte at a time. */
function bytes(
  size: number,
  read: (offset: number) => number,
  write: (offset: number, value: number) => void,
): RegisterFile {
  return {
    size,
    read: (offset, width) =>
      Array.from({ length: width }, (_, i) => read(offset + i) * 2 ** (8 * i)).reduce((a, b) => a + b),
    write(offset, width, value) {
      for (let i = 0; i < width; i++) write(offset + i, (value >>> (8 * i)) & 0xff)
    },
  }
}

function ours(change: (channel: AtaChannelUnderTest) => Partial<AtaChannelUnderTest> = () => ({})) {
  return ataConformance((bench, disk) => {
    const master = new AtaDisk({ disk, serial: '1', model: 'disk' })
    const channel = new IdeChannel({
      master,
      slave: undefined,
      line: bench.line('irq'),
      clock: bench.clock,
      memory: bench.master,
    })
    const { busMaster } = channel
    const subject: AtaChannelUnderTest = {
      ...channel.regions,
      busMaster: bytes(
        8,
        (offset) => busMaster.read(offset),
        (offset, value) => busMaster.write(offset, value),
      ),
    }
    return { ...subject, ...change(subject) }
  })
}

for (const { name, run } of ours()) test(name, run)

test('what is broken fails', () => {
  const written = (register: number, from: number, to: number | null) =>
    failures(
      ours(({ command }) => ({
        command: changed(command, { write: (at, value) => (at === register && value === from ? to : value) }),
      })),
    )
  // No DMA, no blocks, no flush, an interrupt that cannot be turned off, no reset.
  expect(written(7, 0xc8, 0x00)).toEqual(['READ DMA scatters two sectors into memory'])
  expect(written(7, 0xc4, 0x20)).toEqual(['READ MULTIPLE: an interrupt for each block'])
  expect(written(7, 0xe7, 0xff)).toEqual(['FLUSH CACHE completes'])
  const control = (to: (value: number) => number) =>
    failures(ours(({ control }) => ({ control: changed(control, { write: (_, value) => to(value) }) })))
  expect(control((value) => value & ~2)).toEqual(['nIEN keeps the interrupt back'])
  expect(control((value) => value & ~4)).toEqual(['a software reset leaves the signature of a disk'])
  // A disk that is both devices.
  expect(written(6, 0xf0, 0xe0)).toEqual(['a device that is not there does not answer'])
  // A data register that turns bytes around.
  const turned = ours(({ command }) => ({
    command: changed(command, {
      read: (at, value, width) => (at === 0 && width === 2 ? (value >> 8) | ((value & 0xff) << 8) : value),
    }),
  }))
  expect(failures(turned)).toContain('READ SECTOR(S): an interrupt for each sector')
})
