import { PicPair } from '@vmexit/chipset'
import { expect, test } from 'vitest'
import { changed, failures } from '../test/failures.ts'
import { type PicPairUnderTest, picConformance } from './pic.ts'

function ours(change: Partial<PicPairUnderTest> | ((pair: PicPair) => Partial<PicPairUnderTest>) = {}) {
  return picConformance((bench) => {
    const int = bench.line('int')
    const pair = new PicPair(int)
    return {
      master: pair.master.regions.registers,
      slave: pair.slave.regions.registers,
      elcr: [pair.master.regions.elcr, pair.slave.regions.elcr],
      line: (input) => pair.line(input),
      get pending() {
        return int.level
      },
      acknowledge: () => pair.acknowledge(),
      ...(typeof change === 'function' ? change(pair) : change),
    }
  })
}

for (const { name, run } of ours()) test(name, run)

/** A pair one of whose writes to the master is another. */
const written = (offset: number, from: number, to: number | null) =>
  failures(
    ours((pair) => ({
      master: changed(pair.master.regions.registers, {
        write: (at, value) => (at === offset && value === from ? to : value),
      }),
    })),
  )

test('what is broken fails', () => {
  expect(failures(ours((pair) => ({ acknowledge: () => pair.acknowledge() ^ 1 })))).toContain(
    'each input has its vector',
  )
  // No rotation, no special mask mode, no poll.
  expect(written(0, 0xa0, 0x20)).toEqual(['rotation: what was served goes last'])
  expect(written(0, 0x68, null)).toEqual(['special mask mode: what is masked in service holds nobody up'])
  expect(written(0, 0x0c, null)).toEqual(['poll: the next read acknowledges'])
  expect(written(0, 0xc4, null)).toEqual(['the lowest priority is set by command'])
  // The mask is not readable.
  const unreadable = ours((pair) => ({
    master: changed(pair.master.regions.registers, { read: (offset) => (offset === 1 ? 0 : undefined) }),
  }))
  expect(failures(unreadable)).toContain('masked inputs wait')
  // Levels where edges should be, and no levels at all.
  expect(failures(ours((pair) => ({ elcr: [pair.slave.regions.elcr, pair.master.regions.elcr] })))).toHaveLength(2)
})

test('a request that goes with its wire is a lost pulse', () => {
  const broken = ours((pair) => ({
    line(input) {
      const line = pair.line(input)
      const set = (level: boolean) => {
        line.set(level)
        if (!level) pair.acknowledge()
      }
      return { set }
    },
  }))
  expect(failures(broken)).toContain('a pulse is an interrupt, though the wire has fallen')
})
