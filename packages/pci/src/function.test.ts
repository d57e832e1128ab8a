import { describe, expect, test } from 'vitest'
import { board, filled } from '../test/board.ts'
import type { PciFunctionOptions } from './function.ts'

const card: PciFunctionOptions = { name: 'card', vendorId: 0x1234, deviceId: 1, classCode: 0xff_0000 }
const status = 6

describe('an interrupt pin', () => {
  test('goes to the wire of its device, which others share', () => {
    const { bus, wires } = board()
    const [a, b, c] = [
      bus.add({ ...card, at: { device: 1 }, interruptPin: 4 }),
      bus.add({ ...card, at: { device: 4 }, interruptPin: 1 }),
      bus.add({ ...card, at: { device: 2 }, interruptPin: 1 }),
    ]
    a.interrupt.set(true)
    expect(wires()).toBe('0001')
    b.interrupt.set(true)
    b.interrupt.set(true)
    a.interrupt.set(false)
    c.interrupt.set(true)
    expect(wires()).toBe('0101')
    b.interrupt.set(false)
    c.interrupt.set(false)
    expect(wires()).toBe('0000')
  })

  test('is silenced by Interrupt Disable, and the status register tells of it all the same', () => {
    const { bus, wires, get, put } = board()
    const fn = bus.add({ ...card, interruptPin: 2 })
    put(3, 4, 0x400, 2)
    fn.interrupt.set(true)
    expect([wires(), get(3, status, 2)]).toEqual(['0000', 0x208])
    put(3, 4, 0, 2)
    expect(wires()).toBe('0001')
    fn.interrupt.set(false)
    expect([wires(), get(3, status, 2)]).toEqual(['0000', 0x200])
  })

  test('without one nothing happens', () => {
    const { bus, wires, get } = board()
    const fn = bus.add(card)
    fn.interrupt.set(true)
    expect([wires(), get(3, status, 2), get(3, 0x3d, 1), fn.signal(0)]).toEqual(['0000', 0x200, 0, false])
  })
})

describe('messages', () => {
  const [control, address, upper, data, mask, pending] = [0x42, 0x44, 0x48, 0x4c, 0x50, 0x54]

  const withMessages = (msi: PciFunctionOptions['msi'], command = 4) => {
    const made = board()
    const fn = made.bus.add({ ...card, interruptPin: 1, msi: msi! })
    made.put(3, 4, command, 2)
    made.put(3, address, 0xfee0_1003)
    return { ...made, fn }
  }

  test('take the place of the pin once they are on', () => {
    const { fn, put, wires, messages } = withMessages({ messages: 1 })
    put(3, data, 0x4041, 2)
    fn.interrupt.set(true)
    expect([fn.messagesEnabled, wires(), messages()]).toEqual([false, '0010', []])
    put(3, control, 1, 2)
    expect([fn.messagesEnabled, wires(), messages()]).toEqual([true, '0000', []])
    fn.interrupt.set(false)
    fn.interrupt.set(true)
    expect(messages()).toEqual(['fee01000:4041'])
    put(3, control, 0, 2)
    expect(wires()).toBe('0010')
  })

  test('have numbers, as many as the system allows', () => {
    const { fn, get, put, messages } = withMessages({ messages: 8 })
    expect(get(3, control, 2)).toBe(0x86)
    put(3, data, 0x47, 2)
    put(3, control, 0x0021, 2)
    for (const n of [0, 1, 3, 6]) expect(fn.signal(n)).toBe(true)
    expect(messages().map((message) => message.slice(-2))).toEqual(['44', '45', '47', '46'])
    put(3, control, 0x0071, 2)
    fn.signal(5)
    expect(messages()).toEqual(['fee01000:45'])
    put(3, control, 0x0070, 2)
    expect(fn.signal(0)).toBe(false)
  })

  test('go to 64-bit addresses, or have 32 bits only', () => {
    const wide = withMessages({ messages: 1 })
    wide.put(3, upper, 0x12)
    wide.put(3, control, 1, 2)
    wide.fn.signal(0)
    expect(wide.messages()).toEqual(['12fee01000:0'])
    const narrow = withMessages({ messages: 1, wide: false })
    expect(narrow.get(3, control, 2)).toBe(0)
    narrow.put(3, 0x48, 0xffff_abcd)
    narrow.put(3, control, 1, 2)
    narrow.fn.signal(0)
    expect([narrow.messages(), narrow.get(3, 0x48)]).toEqual([['fee01000:abcd'], 0xabcd])
  })

  test('wait while they are masked, each one once', () => {
    const { fn, get, put, messages } = withMessages({ messages: 4, maskable: true })
    expect(get(3, control, 2)).toBe(0x184)
    put(3, control, 0x21, 2)
    put(3, mask, 0xffff_ffff)
    expect(get(3, mask)).toBe(0xf)
    for (const n of [2, 2, 1]) expect(fn.signal(n)).toBe(true)
    expect([messages(), get(3, pending)]).toEqual([[], 6])
    put(3, pending, 0xffff_ffff)
    put(3, mask, 2)
    expect([messages(), get(3, pending)]).toEqual([['fee01000:2'], 2])
    put(3, mask, 0)
    expect([messages(), get(3, pending)]).toEqual([['fee01000:1'], 0])
  })

  test('need the bus, as every write to memory does', () => {
    const { fn, put, messages } = withMessages({ messages: 1 }, 0)
    put(3, control, 1, 2)
    expect([fn.signal(0), messages()]).toEqual([false, []])
  })
})

test('memory is reached while the command register lets the function be master', () => {
  const { bus, put, memory } = board()
  const heard: number[] = []
  const fn = bus.add({ ...card, at: { device: 6, function: 3 }, onCommand: (command) => void heard.push(command) })
  expect([fn.master.requesterId, fn.master.write32(0x1000, 1)]).toEqual([0x33, false])
  put(6, 0x304, 0xffff, 2)
  expect([fn.master.write32(0x1000, 7), memory.read32(0x1000), fn.command]).toEqual([true, 7, 0x547])
  put(6, 0x304, 0, 2)
  expect([fn.master.read32(0x1000), heard]).toEqual([0xffff_ffff, [0x547, 0]])
})

describe('state', () => {
  const full = () => {
    const made = board()
    const fn = made.bus.add({
      ...card,
      interruptPin: 1,
      msi: { messages: 2, maskable: true },
      bars: [{ index: 0, space: 'io', registers: filled(16, 7) }],
      config: [{ name: 'mine', offset: 0x80, bytes: 4, writable: 0xffff_ffff, value: 5 }],
    })
    return { ...made, fn }
  }

  test('goes to another machine, with its windows, its wire and what waits', () => {
    const from = full()
    from.put(3, 0x10, 0xc000)
    from.put(3, 4, 5, 2)
    from.put(3, 0x80, 0x1234_5678)
    from.put(3, 0x50, 1)
    from.put(3, 0x42, 1, 2)
    from.fn.interrupt.set(true)
    const state = JSON.parse(JSON.stringify(from.fn.save()))
    const to = full()
    to.fn.restore(state)
    expect(to.fn.save()).toEqual(state)
    expect([to.wires(), to.ports.read(0xc000, 1), to.get(3, 0x80), to.get(3, 0x54)]).toEqual([
      '0000',
      7,
      0x1234_5678,
      1,
    ])
    expect(to.messages()).toEqual([])
    to.put(3, 0x42, 0, 2)
    expect(to.wires()).toBe('0010')
    to.put(3, 0x42, 1, 2)
    to.put(3, 0x50, 0)
    expect(to.messages()).toEqual(['0:0'])
  })

  test('after a reset is that after power-on', () => {
    const { fn, get, put, ports } = full()
    const fresh = fn.save()
    for (let offset = 0; offset < 0x100; offset += 4) put(3, offset, 0xc0c0_c0c5)
    put(3, 0x50, 1)
    fn.signal(0)
    fn.reset()
    expect(fn.save()).toEqual(fresh)
    expect([ports.read(0xc0c0, 1), get(3, 0x80), fn.master.enabled]).toEqual([0xff, 5, false])
  })

  test('of another function is refused', () => {
    const { fn, bus } = full()
    const other = bus.add({ ...card, name: 'other' })
    expect(() => other.restore(fn.save())).toThrow('this is not a saved state of the configuration of other')
  })
})
