import { describe, expect, test } from 'vitest'
import { Counters } from './counters.ts'

describe('Counters', () => {
  test('hot code increments a slot, reports read it by name', () => {
    const counters = new Counters()
    const misses = counters.declare('tlb-miss-data', 'Data-side TLB misses')
    const { slots } = counters
    for (let i = 0; i < 3; i++) slots[misses]!++
    counters.count('tlb-miss-data', 10)
    expect(counters.get('tlb-miss-data')).toBe(13)
    expect(JSON.stringify(counters)).toBe('{"tlb-miss-data":13}')
  })

  test('two devices that mean the same share one counter', () => {
    const counters = new Counters()
    const slot = counters.declare('dma-reads', 'DMA reads')
    expect(counters.declare('dma-reads', 'DMA reads')).toBe(slot)
    expect(() => counters.declare('dma-reads', 'Disk reads')).toThrow(
      "counter 'dma-reads' is declared as “DMA reads” and as “Disk reads”: give one of them another name",
    )
  })

  test('since and reset measure a stretch, derived counters too', () => {
    const counters = new Counters()
    const exits = counters.declare('exits', 'Exits')
    const cpu = { retired: 100 }
    counters.derive('instructions', 'Instructions retired', () => cpu.retired)
    const before = counters.snapshot()
    counters.slots[exits] = 5
    cpu.retired = 150
    expect(counters.since(before)).toEqual({ exits: 5, instructions: 50 })
    counters.reset()
    cpu.retired = 160
    expect(counters.snapshot()).toEqual({ exits: 0, instructions: 10 })
  })

  test('restoring gives back what was counted, derived counters go on from there', () => {
    const counters = new Counters()
    counters.declare('exits', 'Exits')
    const cpu = { retired: 7 }
    counters.derive('instructions', 'Instructions retired', () => cpu.retired)
    counters.restore({ exits: 2, instructions: 1000 })
    cpu.retired = 8
    expect(counters.snapshot()).toEqual({ exits: 2, instructions: 1001 })
  })

  test('wrong use says what to do', () => {
    const counters = new Counters({ capacity: 1 })
    expect(() => counters.declare('TLB misses', 'x')).toThrow("use lower-case words joined by '-'")
    expect(() => counters.get('a')).toThrow("there is no counter 'a': declare it, or use one of: (none is declared)")
    counters.declare('a', 'A')
    expect(() => counters.declare('b', 'B')).toThrow("there is no slot left for counter 'b' after 1: make them with")
    expect(() => counters.count('b')).toThrow("there is no counter 'b': declare it, or use one of: a")
    expect(() => counters.derive('a', 'A', () => 0)).toThrow("counter 'a' is declared as “A” and as “A”")
  })
})
