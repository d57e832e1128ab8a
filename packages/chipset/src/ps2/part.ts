/** The keyboard controller of a PC as a part: an i8042 at 0x60 and 0x64 with keyboard and mouse, and port 0x92. */
import { A20Gate, definePart, type Part, type State, VmexitError } from '@vmexit/core'
import { FastA20, type FastA20State } from './fast-a20.ts'
import { I8042, type I8042State } from './i8042.ts'
import { type KeyboardLeds, Ps2Keyboard, type Ps2KeyboardState } from './keyboard.ts'
import { type MouseMotion, Ps2Mouse, type Ps2MouseState } from './mouse.ts'
import { keyNames } from './scan-codes.ts'

/** How the controller is attached. */
export interface KeyboardControllerOptions {
  /** The keyboard's interrupt; 1 unless stated. */
  readonly keyboardIrq?: number
  /** The mouse's interrupt; 12 unless stated. */
  readonly mouseIrq?: number
  /** Nanoseconds that a byte takes from a device to the guest; 880 µs unless stated. */
  readonly byteTime?: number
  /** Whether it is as firmware leaves it, for machines without; false unless stated. */
  readonly configured?: boolean
  /** Called when the guest sets the lights of the keyboard. */
  readonly onLeds?: (leds: KeyboardLeds) => void
}

/** A saved controller with what is plugged in. */
export type KeyboardControllerState = State & {
  readonly version: 1
  readonly controller: I8042State
  readonly keyboard: Ps2KeyboardState
  readonly mouse: Ps2MouseState
  readonly fastA20: FastA20State
}

/** What `machine.of(keyboardController)` is. Keys and motion go through the machine's input gate. */
export interface KeyboardControllerApi {
  readonly a20: A20Gate
  /** Presses a key by its `KeyboardEvent.code`: `KeyA`, `Enter`. Throws a {@link VmexitError} `key-unknown`. */
  press(key: string): void
  /** Releases a key. Throws a {@link VmexitError} `key-unknown`. */
  release(key: string): void
  /** Moves the mouse, or presses its buttons. */
  move(motion: MouseMotion): void
  reset(): void
  save(): KeyboardControllerState
  restore(state: KeyboardControllerState): void
}

type Input =
  | { readonly press: string }
  | { readonly release: string }
  | { readonly dx: number; readonly dy: number; readonly wheel: number; readonly buttons: number | null }

/** Keyboard, mouse, A20 gate and reset line. */
export function keyboardController(options: KeyboardControllerOptions = {}): Part<{
  name: 'keyboard-controller'
  needs: 'ports' | 'interrupts' | 'clock' | 'input' | 'power'
  gives: 'a20'
  api: KeyboardControllerApi
}> {
  const { keyboardIrq = 1, mouseIrq = 12, byteTime, configured, onLeds } = options
  return definePart({
    name: 'keyboard-controller',
    needs: ['ports', 'interrupts', 'clock', 'input', 'power'],
    gives: ['a20'],
    build({ ports, interrupts, clock, input, power }, _, { name }): KeyboardControllerApi {
      const a20 = new A20Gate()
      const onReset = () => power.request('reset')
      const keyboard = new Ps2Keyboard({ clock, onLeds })
      const mouse = new Ps2Mouse({ clock })
      const devices = [keyboard, mouse]
      if (configured) for (const device of devices) device.discard()
      const controller = new I8042({
        clock,
        keyboard,
        mouse,
        keyboardLine: interrupts.line(keyboardIrq),
        mouseLine: interrupts.line(mouseIrq),
        onA20: (enabled) => a20.set('i8042', enabled),
        onReset,
        byteTime,
        configured,
      })
      const fastA20 = new FastA20({ onA20: (enabled) => a20.set('port 0x92', enabled), onReset })
      ports.claim(name, 0x60, controller.regions.data)
      ports.claim(name, 0x64, controller.regions.command)
      ports.claim(name, 0x92, fastA20.regions.registers)
      const gate = input.open<Input>(name, (happened) => {
        if ('press' in happened) keyboard.press(happened.press)
        else if ('release' in happened) keyboard.release(happened.release)
        else {
          const { buttons, ...motion } = happened
          mouse.move(buttons === null ? motion : { ...motion, buttons })
        }
      })
      return {
        a20,
        press: (key) => gate.post({ press: known(key) }),
        release: (key) => gate.post({ release: known(key) }),
        move: ({ dx = 0, dy = 0, wheel = 0, buttons }) => gate.post({ dx, dy, wheel, buttons: buttons ?? null }),
        reset() {
          for (const device of devices) {
            device.reset()
            if (configured) device.discard()
          }
          controller.reset()
          fastA20.reset()
        },
        save: () => ({
          version: 1,
          controller: controller.save(),
          keyboard: keyboard.save(),
          mouse: mouse.save(),
          fastA20: fastA20.save(),
        }),
        restore(state) {
          keyboard.restore(state.keyboard)
          mouse.restore(state.mouse)
          controller.restore(state.controller)
          fastA20.restore(state.fastA20)
        },
      }
    },
  })
}

function known(key: string): string {
  if (keyNames.includes(key)) return key
  throw new VmexitError('key-unknown', {
    problem: `there is no key '${key}' on the keyboard`,
    remedy: `use the code of a KeyboardEvent, such as ${keyNames.slice(0, 3).join(', ')}, KeyA, Enter`,
  })
}
