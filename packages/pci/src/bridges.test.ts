import { describe, expect, test } from 'vitest'
import { board } from '../test/board.ts'
import { hostBridge } from './host-bridge.ts'
import { isaBridge } from './isa-bridge.ts'
import { PirqRouter, routableInterrupts } from './pirq-router.ts'

describe('the host bridge', () => {
  const withBridge = (open = false) => {
    const made = board()
    const written: string[] = []
    const shadow = {
      setWritable: (start: number, bytes: number, writable: boolean) =>
        void written.push(`${start.toString(16)}+${bytes.toString(16)} ${writable ? 'rw' : 'ro'}`),
    }
    const fn = made.bus.add(hostBridge({ shadow, open }))
    return { ...made, fn, written }
  }

  test('is an 82441FX that cannot be turned off', () => {
    const { get, put } = withBridge()
    put(0, 4, 0, 2)
    expect([get(0, 0), get(0, 4), get(0, 8), get(0, 0x10)]).toEqual([0x1237_8086, 0x0280_0006, 0x0600_0002, 0])
  })

  test('its attribute map makes the areas from 768 KiB on writable, or not', () => {
    const { put, written } = withBridge()
    put(0, 0x59, 0xff, 1)
    put(0, 0x5a, 0x2, 1)
    put(0, 0x5a, 0x31, 1)
    put(0, 0x5f, 0x20, 1)
    expect(written).toEqual([
      'f0000+10000 rw',
      ...['c0000+4000 rw', 'c4000+4000 ro'],
      ...['c0000+4000 ro', 'c4000+4000 rw'],
      ...['e8000+4000 ro', 'ec000+4000 rw'],
    ])
  })

  test('a write of all registers reaches each area once', () => {
    const { put, get, written } = withBridge()
    put(0, 0x58, 0xffff_ffff)
    put(0, 0x5c, 0xffff_ffff)
    expect([get(0, 0x58), get(0, 0x5c)]).toEqual([0x3333_3000, 0x3333_3333])
    expect(written.map((line) => line.split('+')[0]).toSorted()).toEqual([
      'c0000',
      'c4000',
      'c8000',
      'cc000',
      'd0000',
      'd4000',
      'd8000',
      'dc000',
      'e0000',
      'e4000',
      'e8000',
      'ec000',
      'f0000',
    ])
  })

  test('a reset closes what was open, and a restore leaves memory alone', () => {
    const { put, fn, written } = withBridge()
    put(0, 0x59, 0x30, 1)
    const state = fn.save()
    fn.reset()
    expect(written).toEqual(['f0000+10000 rw', 'f0000+10000 ro'])
    fn.restore(state)
    expect(written.length).toBe(2)
    const open = withBridge(true)
    expect([open.get(0, 0x59, 1), open.get(0, 0x5f, 1), open.written]).toEqual([0x30, 0x33, []])
  })

  test('SMRAM control can be locked until the next reset', () => {
    const { get, put, fn } = withBridge()
    put(0, 0x72, 0xff, 1)
    expect(get(0, 0x72, 1)).toBe(0x3a)
    put(0, 0x72, 0x40, 1)
    expect(get(0, 0x72, 1)).toBe(0x1a)
    fn.reset()
    put(0, 0x72, 0x48, 1)
    expect(get(0, 0x72, 1)).toBe(0x4a)
  })
})

describe('the router', () => {
  const withRouter = () => {
    const asserted = new Set<number>()
    const router = new PirqRouter((interrupt) => ({
      set: (level) => void (level ? asserted.add(interrupt) : asserted.delete(interrupt)),
    }))
    return { router, now: () => [...asserted].toSorted((a, b) => a - b) }
  }

  test('sends each wire where its register says, and moves what is asserted', () => {
    const { router, now } = withRouter()
    router.inputs[0].set(true)
    router.inputs[3].set(true)
    expect(now()).toEqual([])
    router.route(0, 11)
    router.route(3, 11)
    expect(now()).toEqual([11])
    router.inputs[0].set(false)
    expect(now()).toEqual([11])
    router.route(3, 5)
    expect(now()).toEqual([5])
    router.route(3, 0x85)
    expect(now()).toEqual([])
  })

  test('does not reach the interrupts of timer, keyboard, cascade, clock and coprocessor', () => {
    const { router, now } = withRouter()
    router.inputs[1].set(true)
    const reached: number[] = []
    for (let value = 0; value < 256; value++) {
      router.route(1, value)
      reached.push(...now())
    }
    expect(reached).toEqual(routableInterrupts)
  })

  test('is programmed through the ISA bridge, and restored with it', () => {
    const { router, now } = withRouter()
    const { bus, get, put } = board({ interrupts: router.inputs })
    const bridge = bus.add(isaBridge({ router, routes: [10, 11, 10, 11] }))
    const fn = bus.add({ name: 'card', vendorId: 1, deviceId: 2, classCode: 0, interruptPin: 1 })
    expect([get(1, 0), get(1, 0x60), get(1, 4, 2)]).toEqual([0x7000_8086, 0x0b0a_0b0a, 7])
    fn.interrupt.set(true)
    expect(now()).toEqual([10])
    put(1, 0x62, 0xff, 1)
    expect([get(1, 0x62, 1), now()]).toEqual([0x8f, []])
    put(1, 0x62, 9, 1)
    const state = bridge.save()
    bridge.reset()
    expect(now()).toEqual([10])
    bridge.restore(state)
    expect(now()).toEqual([9])
  })
})
