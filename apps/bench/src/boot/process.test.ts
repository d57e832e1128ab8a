import { describe, expect, it } from 'vitest'
import {
  ProcessorClock,
  peakIn,
  peakMemory,
  peakMemoryOf,
  processorTime,
  timeInSchedstat,
  timeInStat,
} from './process.ts'

const onLinux = process.platform === 'linux'

describe('what the kernel says of a process', () => {
  it('is read in milliseconds and KiB', () => {
    expect(timeInSchedstat('863347123 1420628 4\n')).toBeCloseTo(863.347123)
    // The program's name may hold what it likes.
    const stat = '42 (qemu) (x 1) S 1 42 42 0 -1 4194304 9 0 0 0 123 45 0 0 20 0 3 0 99 1 2 3'
    expect(timeInStat(stat)).toBe(1680)
    expect(peakIn('Name:\tqemu\nVmPeak:\t  99 kB\nVmHWM:\t  148528 kB\n')).toBe(148_528)
    expect(peakIn('')).toBe(0)
  })

  it.skipIf(!onLinux)('agrees with what this process knows of itself (Linux)', () => {
    const clock = new ProcessorClock(process.pid)
    const began = [clock.read(), processorTime()] as const
    while (processorTime() - began[1] < 100);
    expect(clock.read() - began[0]).toBeGreaterThan(50)
    expect(peakMemoryOf(process.pid)).toBeGreaterThan(process.memoryUsage().rss / 1024 / 2)
    const before = peakMemoryOf(process.pid)
    expect(peakMemory()).toBeGreaterThanOrEqual(before)
  })

  it('is nothing of one that has gone', () => {
    const nobody = 2 ** 31 - 1
    expect(new ProcessorClock(nobody).read()).toBe(0)
    expect(peakMemoryOf(nobody)).toBe(0)
  })
})
