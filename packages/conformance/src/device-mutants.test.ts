import { I8254 } from '@vmexit/chipset'
import type { Device } from '@vmexit/core'
import { expect, test } from 'vitest'
import { changed, failures } from '../test/failures.ts'
import { ourChips } from '../test/our-chips.ts'
import type { Bench } from './bench.ts'
import { deviceConformance } from './device.ts'
import { ConformanceError } from './suite.ts'

const answers = 'any access of any width at any offset is answered with a number'
const alike = 'the same accesses see the same, whenever and wherever they are made'
const plain = 'a saved state is plain data with a version'
const copied = 'a saved state is a copy'
const restored = 'what is restored is what was saved'
const goesOn = 'restored elsewhere, it goes on as it would have here'
const throughText = 'so it does if the state went through text'
const resets = 'a reset is as a power-on'
const refuses = 'what is no state of it is refused as a state-mismatch, and nothing changes'

/** What the suite says of our clock if it is changed. */
function verdict(change: (chip: Device, bench: Bench) => Partial<Device>) {
  const [make, options] = ourChips.MC146818!
  return failures(
    deviceConformance((bench) => {
      const { device } = make(bench)
      const base: Device = {
        regions: device.regions,
        reset: () => device.reset(),
        save: () => device.save(),
        restore: (state) => device.restore(state),
      }
      return { device: { ...base, ...change(device, bench) } }
    }, options),
  )
}

test('a chip that is left as it is passes', () => {
  expect(verdict(() => ({}))).toEqual([])
})

test('a read of nothing, and a throw', () => {
  const bad = (read: (offset: number) => number) =>
    verdict(({ regions }) => ({ regions: { registers: { ...regions.registers!, read } } }))
  expect(bad(() => undefined as never)).toContain(answers)
  expect(
    bad(() => {
      throw new RangeError('no such register')
    }),
  ).toContain(answers)
})

test('a chip that knows how often it was made', () => {
  let made = 0
  const failed = verdict(({ regions }) => {
    const mine = made++
    return { regions: { registers: changed(regions.registers!, { read: (_, value) => value ^ (mine & 1) }) } }
  })
  expect(failed).toContain(alike)
})

test('a state with what JSON cannot say', () => {
  expect(verdict((chip) => ({ save: () => ({ ...chip.save(), base: Number.POSITIVE_INFINITY }) }))).toContain(plain)
  expect(verdict((chip) => ({ save: () => ({ ...chip.save(), timer: undefined as never }) }))).toContain(plain)
  expect(verdict((chip) => ({ save: () => ({ ...chip.save(), version: undefined as never }) }))).toContain(plain)
})

test('a state that is not a copy', () => {
  const failed = verdict((chip) => {
    const cells: number[] = []
    const update = () => void cells.splice(0, cells.length, ...(chip.save().cells as number[]))
    const { registers } = chip.regions
    const write = (offset: number, width: 1 | 2 | 4, value: number) => {
      registers!.write(offset, width, value)
      update()
    }
    return { regions: { registers: { ...registers!, write } }, save: () => (update(), { ...chip.save(), cells }) }
  })
  expect(failed).toEqual([copied])
})

test('a state that forgets something', () => {
  expect(verdict((chip) => ({ save: () => ({ ...chip.save(), index: 0 }) }))).toEqual([goesOn, throughText])
  expect(verdict((chip) => ({ restore: (state) => chip.restore({ ...state, index: 0 }) }))).toEqual([
    restored,
    goesOn,
    throughText,
    refuses,
  ])
})

test('a restored chip that does not set its timers', () => {
  const suite = deviceConformance((bench) => {
    const chip = new I8254({ clock: bench.clock, outputs: [bench.line('out 0')] })
    const restore = (state: ReturnType<I8254['save']>) => chip.restore({ ...state, timers: [null, null, null] })
    const device = { regions: chip.regions, reset: () => chip.reset(), save: () => chip.save(), restore }
    return { device: device as Device }
  })
  expect(failures(suite)).toEqual(expect.arrayContaining([restored, goesOn]))
})

test('a reset that forgets nothing', () => {
  expect(verdict(() => ({ reset() {} }))).toEqual([resets])
})

test('a chip that takes every state', () => {
  const failed = verdict((chip) => ({ restore: (state) => chip.restore({ ...chip.save(), ...state, version: 1 }) }))
  expect(failed).toContain(refuses)
})

test('a failure says what a guest would see, and where it is written', () => {
  const [make, options] = ourChips['8254']!
  const [first] = deviceConformance((bench) => {
    const { device } = make(bench)
    const registers = { ...device.regions.registers!, read: () => Number.NaN }
    return { device: { ...device, regions: { registers } } }
  }, options)
  try {
    first!.run()
    expect.unreachable()
  } catch (error) {
    expect(error).toBeInstanceOf(ConformanceError)
    expect(`${error}`).toMatch(/device: any access .* registers \+ 0 gives NaN.* see the contract of Device/)
  }
})
