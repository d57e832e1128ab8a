import { describe, expect, test } from 'vitest'
import { idleMachine } from '../../test/idle-machine.ts'
import { pic } from '../pic/part.ts'
import { type KeyboardControllerOptions, keyboardController } from './part.ts'
import { breakCode, keyNames, makeCode, toSet1 } from './scan-codes.ts'

const byteTime = 880_000

/** A controller in a machine, after what an operating system does first. */
async function setUp({ commandByte = 0x47, ...options }: KeyboardControllerOptions & { commandByte?: number } = {}) {
  const part = keyboardController(options)
  const m = await idleMachine([pic(), part])
  const { machine, out, in8, pass } = m
  for (const [port, base, cascade] of [
    [0x20, 0x20, 4],
    [0xa0, 0x28, 2],
  ] as const) {
    out(port, 0x11)
    out(port + 1, base, cascade, 3)
  }
  out(0x64, 0x60)
  out(0x60, commandByte)
  const controller = machine.of(part)
  const status = () => in8(0x64)
  /** Every byte that comes within so many byte times. */
  const bytes = (count = 20) => {
    const got: number[] = []
    for (let i = 0; i < count; i++) {
      if (status() & 1) got.push(in8(0x60))
      else pass(byteTime)
    }
    return got
  }
  const key = (...values: number[]) => (out(0x60, ...values), bytes())
  const mouse = (...values: number[]) => {
    const got: number[] = []
    for (const value of values) {
      out(0x64, 0xd4)
      out(0x60, value)
      got.push(...bytes())
    }
    return got
  }
  return { ...m, controller, status, bytes, key, mouse }
}

describe('controller', () => {
  test('self-test, line tests, command byte and RAM', async () => {
    const { out, in8, status } = await setUp()
    const ask = (command: number) => (out(0x64, command), in8(0x60))
    expect([ask(0xaa), ask(0xab), ask(0xa9), ask(0x20), status() & 0x04]).toEqual([0x55, 0, 0, 0x34, 4])
    out(0x64, 0x6f)
    out(0x60, 0x5a)
    expect([ask(0x2f), ask(0xa4), ask(0xe0), ask(0xc0)]).toEqual([0x5a, 0xf1, 0, 0x80])
    out(0x64, 0xa8)
    out(0x64, 0xae)
    expect(ask(0x20)).toBe(0x04)
    out(0x64, 0xa7)
    out(0x64, 0xad)
    expect(ask(0x20)).toBe(0x34)
  })

  test('status says whose byte it is, and whether a command was last', async () => {
    const { out, in8, status, vectors } = await setUp()
    expect(status()).toBe(0x14)
    out(0x64, 0xd3)
    expect(status()).toBe(0x1c)
    out(0x60, 0x77)
    expect([status(), vectors(), in8(0x60), status()]).toEqual([0x35, [0x2c], 0x77, 0x14])
    out(0x64, 0xd2)
    out(0x60, 0x66)
    expect([status(), vectors(), in8(0x60)]).toEqual([0x15, [0x21], 0x66])
  })

  test('the output port: A20 and reset', async () => {
    const { machine, out, in8, controller } = await setUp()
    expect(controller.a20.enabled).toBe(true)
    const seen: boolean[] = []
    controller.a20.watch((enabled) => seen.push(enabled))
    out(0x64, 0xd1)
    out(0x60, 0xdd)
    out(0x64, 0xd0)
    expect([in8(0x60) & 3, controller.a20.enabled]).toEqual([1, false])
    out(0x64, 0xdf)
    out(0x64, 0xdd)
    out(0x92, 0x02)
    expect([seen, in8(0x92)]).toEqual([[false, true, false, true], 2])
    expect(machine.runSlice().reason).not.toBe('reset')
    out(0x64, 0xfe)
    expect(machine.runSlice().reason).toBe('reset')
    out(0x64, 0xff)
    out(0x92, 0x03)
    expect(machine.runSlice().reason).toBe('reset')
    out(0x64, 0xd1)
    out(0x60, 0x02)
    expect(machine.runSlice().reason).toBe('reset')
  })

  test('a byte takes its time, and each has its interrupt', async () => {
    const { machine, controller, status, in8, pass, vectors } = await setUp()
    controller.press('KeyA')
    controller.release('KeyA')
    machine.runSlice({ instructions: 0 })
    pass(byteTime - 1)
    expect(status() & 1).toBe(0)
    pass(1)
    expect([status() & 1, vectors(), in8(0x60)]).toEqual([1, [0x21], 0x1e])
    pass(2 * byteTime)
    expect([vectors(), in8(0x60)]).toEqual([[0x21], 0x9e])
  })

  test('a disabled line waits; a disabled interrupt is none', async () => {
    const { controller, out, bytes, vectors } = await setUp({ commandByte: 0x46 })
    out(0x64, 0xad)
    controller.press('KeyB')
    controller.release('KeyB')
    expect(bytes()).toEqual([])
    out(0x64, 0xae)
    expect([bytes(), vectors()]).toEqual([[0x30, 0xb0], []])
  })
})

describe('keyboard', () => {
  test('every key has codes of its own', () => {
    const codes = keyNames.map((key) => toSet1(makeCode(key)!).join())
    expect(new Set(codes).size).toBe(keyNames.length)
    for (const key of keyNames) {
      if (key === 'Pause' || key === 'PrintScreen') continue
      const made = toSet1(makeCode(key)!)
      expect(toSet1(breakCode(key))).toEqual([...made.slice(0, -1), made.at(-1)! | 0x80])
    }
    expect(toSet1(makeCode('Pause')!)).toEqual([0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5])
    expect(toSet1(breakCode('PrintScreen'))).toEqual([0xe0, 0xb7, 0xe0, 0xaa])
  })

  test('a key that is held repeats as typematic says', async () => {
    const { machine, controller, in8, pass, key, status } = await setUp()
    key(0xf3)
    key(0x20) // 500 ms, 30 a second
    controller.press('KeyX')
    machine.runSlice({ instructions: 0 })
    const times: number[] = []
    const start = machine.get('clock').now
    for (let ms = 0; ms < 700; ms++) {
      pass(1e6)
      if (status() & 1) times.push(Math.round((machine.get('clock').now - start) / 1e6)), in8(0x60)
    }
    expect(times.slice(0, 3)).toEqual([1, 501, 535])
    controller.release('KeyX')
    pass(2 * byteTime)
    expect(in8(0x60)).toBe(0xad)
    pass(1e9)
    expect(status() & 1).toBe(0)
  })

  test('a key that does not exist is refused by name', async () => {
    const { controller } = await setUp()
    expect(() => controller.press('AnyKey')).toThrow("there is no key 'AnyKey'")
  })
})

describe('mouse', () => {
  test('at most a report in a sampling period; far motion is several', async () => {
    const { mouse, controller, bytes } = await setUp()
    mouse(0xf4)
    controller.move({ dx: 300 })
    controller.move({ dx: 10 })
    expect(bytes(40)).toEqual([0x08, 255, 0, 0x08, 55, 0])
  })

  test('scaling makes slow motion slower and fast motion faster', async () => {
    const { mouse, controller, bytes, pass } = await setUp()
    mouse(0xe7, 0xf4)
    for (const [dx, scaled] of [
      [2, 1],
      [4, 6],
      [10, 20],
      [-3, 0xfd],
    ] as const) {
      pass(1e7)
      controller.move({ dx })
      expect(bytes()[1]).toBe(scaled)
    }
  })
})

test('saved while keys and motion wait, it goes on elsewhere', async () => {
  const here = await setUp()
  here.mouse(0xf4)
  for (const key of ['KeyV', 'KeyM', 'F7']) here.controller.press(key)
  here.controller.move({ dx: 9, buttons: 1 })
  here.pass(1.5 * byteTime)
  const state = JSON.parse(JSON.stringify(here.machine.save()))
  const there = await setUp()
  there.machine.restore(state)
  expect(there.bytes(30)).toEqual(here.bytes(30))
  here.pass(2e9)
  there.pass(2e9)
  expect(there.machine.save()).toEqual(here.machine.save())
})

test('reset: devices say that they are there', async () => {
  const { machine, out, bytes, controller } = await setUp()
  out(0x64, 0xdd)
  machine.reset()
  expect(controller.a20.enabled).toBe(true)
  out(0x64, 0xae)
  out(0x64, 0xa8)
  expect(bytes()).toEqual([0xaa, 0xaa, 0x00])
})

test('configured, it is ready as firmware leaves it, also after a reset', async () => {
  const keyboard = keyboardController({ configured: true })
  const { machine, in8 } = await idleMachine([pic(), keyboard])
  const press = async () => {
    machine.of(keyboard).press('KeyA')
    machine.runSlice({ until: machine.get('clock').now + 10_000_000 })
    return in8(0x60)
  }
  expect(await press()).toBe(0x1e)
  machine.reset()
  expect(await press()).toBe(0x1e)
})
