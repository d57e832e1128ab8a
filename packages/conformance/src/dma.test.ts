import { DmaPair } from '@vmexit/chipset'
import { expect, test } from 'vitest'
import { changed, failures } from '../test/failures.ts'
import { type DmaUnderTest, dmaConformance } from './dma.ts'

function ours(change: (dma: DmaUnderTest) => Partial<DmaUnderTest> = () => ({})) {
  return dmaConformance((bench) => {
    const pair = new DmaPair({ memory: bench.master, configured: true })
    const dma: DmaUnderTest = {
      low: pair.low.regions.registers,
      high: pair.high.regions.registers,
      pages: pair.pages,
      channels: { 2: pair.channel(2, 'floppy'), 5: pair.channel(5, 'sound') },
    }
    return { ...dma, ...change(dma) }
  })
}

for (const { name, run } of ours()) test(name, run)

test('what is broken fails', () => {
  const mode = (bits: number) =>
    failures(
      ours(({ low }) => ({
        low: changed(low, { write: (offset, value) => (offset === 0x0b ? value & ~bits : value) }),
      })),
    )
  // No decrement, no start by itself; a page for all; a controller that is never off; words that are bytes.
  expect(mode(0x20)).toEqual(['downwards, and again by itself, if the mode says so'])
  expect(mode(0x10)).toEqual(['downwards, and again by itself, if the mode says so'])
  expect(failures(ours(({ pages }) => ({ pages: changed(pages, { write: () => 0 }) })))).toHaveLength(3)
  const on = ours(({ low }) => ({ low: changed(low, { write: (offset) => (offset === 8 ? 0 : undefined) }) }))
  expect(failures(on)).toEqual(['masked, disabled or behind a closed channel 4 nobody is served'])
  const wrong = ours(({ channels }) => ({ channels: { 2: channels[2], 5: channels[2] } }))
  expect(failures(wrong)).toEqual(['channels 5–7 move words'])
})
