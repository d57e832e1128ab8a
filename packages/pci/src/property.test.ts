/**
 * A guest that writes anything anywhere. What would break for a user: an exception out of a guest's write, a device whose
 * identity a guest can change, memory of a card that is lost on the way, RAM that a window overwrites, a saved machine
 * that goes on differently.
 */
import type { Width } from '@vmexit/core'
import { describe, expect, test } from 'vitest'
import { type Board, board, generator } from '../test/board.ts'
import { enumerate } from '../test/enumerate.ts'
import type { CardMemory } from './card-memory.ts'
import type { PciFunction } from './function.ts'
import { hostBridge } from './host-bridge.ts'
import { isaBridge } from './isa-bridge.ts'
import { PirqRouter } from './pirq-router.ts'

const VRAM = 0x4000

interface Subject extends Board {
  readonly functions: readonly PciFunction[]
  readonly vram: CardMemory
  /** Every saved state, as it would go into a file. */
  save(): string
  restore(state: string): void
}

function subject(): Subject {
  const router = new PirqRouter(() => ({ set() {} }))
  const made = board({ interrupts: router.inputs })
  const { bus, memory } = made
  const setWritable = (start: number, bytes: number, writable: boolean) => {
    if (start === 0xf_0000) memory.setReadOnly(start, bytes, !writable)
  }
  const identity = { vendorId: 0x1234, classCode: 0x03_0000 }
  const vram = bus.createMemory('vram', VRAM)
  const store = new Uint8Array(64)
  const registers = {
    size: 64,
    widest: 1,
    split: true,
    read: (offset: number) => store[offset]!,
    write: (offset: number, _: Width, value: number) => void (store[offset] = value),
  } as const
  const functions = [
    bus.add(hostBridge({ shadow: { setWritable } })),
    bus.add(isaBridge({ router })),
    bus.add({
      ...identity,
      name: 'vga',
      deviceId: 1,
      interruptPin: 1,
      bars: [
        { index: 0, space: 'memory', memory: vram, prefetchable: true },
        { index: 2, space: 'io', registers },
      ],
      rom: Uint8Array.of(0x55, 0xaa, 1),
    }),
    bus.add({
      ...identity,
      name: 'nic',
      deviceId: 2,
      at: { device: 3, function: 5 },
      interruptPin: 3,
      msi: { messages: 8, maskable: true },
      bars: [
        { index: 0, space: 'memory', wide: true, registers },
        { index: 4, space: 'memory', registers },
      ],
    }),
  ]
  const state = () => ({
    functions: functions.map((fn) => fn.save()),
    mechanism: made.mechanism.save(),
    store: [...store],
  })
  return {
    ...made,
    functions,
    vram,
    save: () => JSON.stringify(state()),
    restore(text) {
      const saved: ReturnType<typeof state> = JSON.parse(text)
      made.mechanism.restore(saved.mechanism)
      for (const [i, fn] of functions.entries()) fn.restore(saved.functions[i]!)
      store.set(saved.store)
    },
  }
}

/** Addresses at which windows do harm, if any do. */
const places = [
  0, 0x3000, 0xf_0000, 0xff_f000, 0xe000_0000, 0xe000_2000, 0xfee0_0000, 0xffff_ffff, 0xcf0, 0xcfc, 0xff80,
]

/** One thing that a guest or a device does. */
function act({ ports, memory, functions, vram, put }: Subject, below: (n: number) => number): unknown {
  const width = ([1, 2, 4] as const)[below(3)]!
  const value = below(3) > 0 ? places[below(places.length)]! : below(2 ** 32)
  const place = [0, 1, 3, 3 + 5 / 8][below(4)]! * 8
  const offset = place === 29 ? 0x500 + below(256) : below(256)
  const device = Math.floor(place / 8)
  switch (below(10)) {
    case 0:
      return ports.write(0xcf8, 4, value)
    case 1:
      return ports.write(0xcf8 + below(12) - 2, width, value)
    case 2:
      return ports.read(0xcf8 + below(12) - 2, width)
    case 3:
    case 4:
      return put(device, offset & ~3, value)
    case 5:
      return put(device, (offset & 0x700) + [4, 0x10, 0x14, 0x18, 0x30, 0x42, 0x50][below(7)]!, value, below(2) ? 4 : 2)
    case 6:
      return memory.read32(places[below(places.length)]! + below(64))
    case 7:
      return functions[below(4)]!.interrupt.set(below(2) === 1)
    case 8:
      return functions[below(4)]!.signal(below(64) - 1)
    default:
      return vram.read(below(VRAM - 3), width)
  }
}

describe.each([1, 2, 3, 4, 5, 6])('seed %i', (seed) => {
  test('whatever a guest writes, the bus stays a bus', () => {
    const made = subject()
    const before = enumerate(made.ports).map(({ at, id, classCode, pin }) => [at, id, classCode, pin])
    const fill = Uint8Array.from({ length: VRAM }, (_, i) => i * 7 + seed)
    made.vram.writeBytes(0, fill)
    made.memory.writeBytes(0x3000, fill)
    const below = generator(seed)
    for (let step = 0; step < 3000; step++) {
      const result = act(made, below)
      if (typeof result !== 'number') continue
      expect(Number.isInteger(result) && result >= 0 && result < 2 ** 32).toBe(true)
    }
    expect(enumerate(made.ports).map(({ at, id, classCode, pin }) => [at, id, classCode, pin])).toEqual(before)
    const bytes = new Uint8Array(VRAM)
    made.vram.readBytes(0, bytes)
    expect(bytes).toEqual(fill)
    made.memory.readBytes(0x3000, bytes)
    expect(bytes).toEqual(fill)
  })

  test('saved anywhere, it goes on as it would have', () => {
    const made = subject()
    const below = generator(seed * 77)
    for (let step = 0; step < 500; step++) act(made, below)
    const state = made.save()
    const other = subject()
    for (let step = 0; step < 500; step++) act(other, generator(seed + step))
    other.restore(state)
    expect([other.save(), other.wires(), other.vram.mappedAt]).toEqual([state, made.wires(), made.vram.mappedAt])
    made.messages()
    other.messages()
    const [a, b] = [generator(seed + 9), generator(seed + 9)]
    for (let step = 0; step < 1000; step++) {
      const [wanted, got] = [act(made, a), act(other, b)]
      if (wanted !== got) expect([step, got]).toEqual([step, wanted])
    }
    expect([other.save(), other.wires(), other.messages()]).toEqual([made.save(), made.wires(), made.messages()])
  })
})
