import { expect, test } from 'vitest'
import { changed, failures } from '../test/failures.ts'
import { keyboardController } from '../test/our-chips.ts'
import { type KeyboardControllerUnderTest, keyboardControllerConformance } from './keyboard-controller.ts'

function ours(change: (devices: KeyboardControllerUnderTest) => Partial<KeyboardControllerUnderTest> = () => ({})) {
  return keyboardControllerConformance((bench) => {
    const { controller, keyboard, mouse } = keyboardController(bench)
    const devices: KeyboardControllerUnderTest = {
      ...controller.regions,
      press: (key) => keyboard.press(key),
      release: (key) => keyboard.release(key),
      move: (motion) => mouse.move(motion),
    }
    return { ...devices, ...change(devices) }
  })
}

for (const { name, run } of ours()) test(name, run)

test('what is broken fails', () => {
  const command = (to: (value: number) => number | null) =>
    failures(ours(({ command }) => ({ command: changed(command, { write: (_, value) => to(value) }) })))
  expect(command((value) => (value === 0xfe ? null : value))).toEqual(['the output port: A20 and reset'])
  expect(command((value) => (value === 0xad ? null : value))).toContain(
    'a disabled line waits, a disabled interrupt is none',
  )
  expect(command((value) => (value === 0xd3 ? 0xd2 : value))).toEqual([
    'status says whose byte it is, and each has its interrupt',
  ])
  // No translation.
  const untranslated = ours(({ data }) => ({
    data: changed(data, { write: (_, value) => (value === 0x47 ? 0x07 : value) }),
  }))
  expect(failures(untranslated)).toContain('keys in set 2 and, translated, in set 1')
  // A mouse upside down, and one without a wheel.
  const turned = ours(({ move }) => ({ move: (motion) => move({ ...motion, dy: -(motion.dy ?? 0) }) }))
  expect(failures(turned)).toEqual(['motion and buttons are reported in stream mode'])
  const noWheel = ours(({ data }) => ({ data: changed(data, { write: (_, value) => (value === 200 ? 100 : value) }) }))
  expect(failures(noWheel)).toEqual(['the wheel is found by its knock, then two more buttons'])
})
