/** The suite of every chip: whatever a guest does, and wherever it is saved, it behaves (`Device` of `@vmexit/core`). */
import { isVmexitError, type State, type StateValue } from '@vmexit/core'
import { Bench } from './bench.ts'
import { differences } from './equal.ts'
import { type DeviceUnderTest, HostileGuest } from './hostile.ts'
import { fromText, notPlain, toText } from './plain-data.ts'
import { type ConformanceTest, defineSuite, type Expect } from './suite.ts'

/** What a chip's kind allows it. */
export interface DeviceConformanceOptions {
  /** The kind of chip, for the tests' names; `device` unless stated. */
  readonly name?: string
  /**
   * Fields of the state that a reset does not touch: what has a battery, the levels of wires into the device. They are
   * paths, in which a star is any name or number: `channels.*.requested`.
   */
  readonly keptByReset?: readonly string[]
  /** Steps of each hostile guest; 600 unless stated. */
  readonly steps?: number
}

const seeds = [0x5eed, 0xbad, 0xc0ffee]

/**
 * Tests for any {@link DeviceUnderTest | device}. `make` makes a fresh one on a bench: its clock, wires, memory and
 * callbacks are the bench's, so that what comes out of it is seen.
 */
export function deviceConformance(
  make: (bench: Bench) => DeviceUnderTest,
  { name = 'device', keptByReset = [], steps = 600 }: DeviceConformanceOptions = {},
): readonly ConformanceTest[] {
  const fresh = () => {
    const bench = new Bench()
    return new HostileGuest(make(bench), bench)
  }
  const used = (seed: number) => {
    const guest = fresh()
    guest.wander(seed, steps)
    return guest
  }
  return defineSuite<undefined>({
    name,
    manual: 'the contract of Device and Stateful in @vmexit/core',
    make: () => undefined,
    tests: [
      {
        name: 'any access of any width at any offset is answered with a number',
        run() {
          for (const seed of seeds) {
            const guest = fresh()
            guest.sweep(seed)
            guest.wander(seed, steps)
            guest.sweep(seed)
          }
        },
      },
      {
        name: 'the same accesses see the same, whenever and wherever they are made',
        run(_, expect) {
          for (const seed of seeds) expectAlike(used(seed), used(seed), expect, 'two runs of one guest differ')
        },
      },
      {
        name: 'a saved state is plain data with a version',
        run(_, expect) {
          for (const seed of seeds) {
            for (const { device } of [fresh(), used(seed)]) {
              const state = device.save()
              expect(Number.isInteger(state.version), true, 'a snapshot has no version')
              expect(notPlain(state), [], 'a snapshot cannot be written down')
            }
          }
        },
      },
      {
        name: 'a saved state is a copy',
        run(_, expect) {
          for (const seed of seeds) {
            const guest = used(seed)
            const state = guest.device.save()
            const before = structuredClone(state)
            guest.wander(seed + 1, steps)
            expectState(state, before, expect, 'a snapshot changes as the machine runs on')
            guest.device.restore(state)
            guest.wander(seed + 2, steps)
            expectState(state, before, expect, 'a snapshot changes when a machine restored from it runs')
          }
        },
      },
      {
        name: 'what is restored is what was saved',
        run(_, expect) {
          for (const seed of seeds) {
            const guest = used(seed)
            const state = guest.device.save()
            guest.device.restore(state)
            expectState(guest.device.save(), state, expect, 'restoring in place changes the machine')
            const other = fresh()
            other.bench.clock.restore(guest.bench.clock.save())
            other.device.restore(state)
            expectState(other.device.save(), state, expect, 'a restored machine is another one')
          }
        },
      },
      {
        name: 'restored elsewhere, it goes on as it would have here',
        run: (_, expect) => continues(structuredClone, expect),
      },
      {
        name: 'so it does if the state went through text',
        run: (_, expect) => continues((state) => fromText(toText(state)) as State, expect),
      },
      {
        name: 'a reset is as a power-on',
        run(_, expect) {
          for (const seed of seeds) {
            const guest = used(seed)
            guest.device.reset()
            const other = fresh()
            other.bench.clock.restore(guest.bench.clock.save())
            other.device.reset()
            const [found, wanted] = [guest, other].map(({ device }) => comparable(device.save(), keptByReset))
            expectState(found!, wanted!, expect, 'something of the last run is left after a reset')
          }
        },
      },
      {
        name: 'what is no state of it is refused as a state-mismatch, and nothing changes',
        run(_, expect) {
          const { device } = used(seeds[0]!)
          const state = device.save()
          for (const [what, wrong] of wrongStates(state)) {
            let code: unknown
            try {
              device.restore(wrong as State)
            } catch (error) {
              code = isVmexitError(error) ? error.code : `${error}`
            }
            expect(code, 'state-mismatch', `a snapshot ${what} is taken, or breaks the host`)
            expectState(device.save(), state, expect, `a snapshot ${what} is refused half-way`)
          }
        },
      },
    ],
  })

  function continues(send: (state: State) => State, expect: Expect): void {
    for (const seed of seeds) {
      const here = used(seed)
      const there = fresh()
      there.bench.clock.restore(here.bench.clock.save())
      there.bench.memory.set(here.bench.memory)
      there.restore(send(here.device.save()), here)
      for (const guest of [here, there]) {
        guest.seen.length = 0
        guest.bench.events.length = 0
        guest.wander(seed + 7, steps)
      }
      expectAlike(there, here, expect, 'a migrated machine does something else')
    }
  }
}

function expectAlike(found: HostileGuest, wanted: HostileGuest, expect: Expect, guest: string): void {
  expect(found.seen, wanted.seen, `${guest}: registers read otherwise`)
  expect(found.bench.events, wanted.bench.events, `${guest}: its wires and calls are others`)
  expect(found.bench.memory, wanted.bench.memory, `${guest}: it leaves something else in memory`)
  expectState(found.device.save(), wanted.device.save(), expect, guest)
}

function expectState(found: StateValue, wanted: StateValue, expect: Expect, guest: string): void {
  const at = differences(found, wanted)
  const of = (value: unknown) =>
    at.map((path) => [path, path.split('.').reduce((inner, key) => (inner as never)?.[key], value)])
  expect(of(found), of(wanted), guest)
}

/** A state without what two devices may differ in: some paths, and the places of timers among those of one time. */
function comparable(state: State, except: readonly string[]): State {
  const copy = JSON.parse(toText(state), (key, value) => (key === 'sequence' ? 0 : value))
  for (const path of except) forget(copy, path.split('.'))
  return copy
}

function forget(value: unknown, [first, ...rest]: readonly string[]): void {
  if (typeof value !== 'object' || value === null || first === undefined) return
  const fields = value as Record<string, unknown>
  for (const key of first === '*' ? Object.keys(fields) : [first]) {
    if (rest.length === 0) fields[key] = null
    else forget(fields[key], rest)
  }
}

function wrongStates(state: State): (readonly [what: string, wrong: unknown])[] {
  const fields = Object.keys(state).filter((field) => field !== 'version')
  return [
    ['that is nothing', undefined],
    ['that is null', null],
    ['that is a list', []],
    ['without fields', { version: state.version }],
    ['of another version', { ...state, version: state.version + 1 }],
    ['with a field of something else', { ...state, 'of something else': 1 }],
    ...fields.map((field) => {
      const { [field]: _, ...rest } = state
      return [`without ${field}`, rest] as const
    }),
    ...fields
      .filter((field) => state[field] !== null)
      .map((field) => [`whose ${field} is of another kind`, { ...state, [field]: other(state[field]!) }] as const),
  ]
}

function other(value: StateValue): StateValue {
  return typeof value === 'string' ? 7 : 'something else'
}
