/** The suite of an i8042 with keyboard and mouse (IBM PS/2 technical reference; Intel UPI-41/42). */
import type { RegisterFile } from '@vmexit/core'
import { Bench } from './bench.ts'
import { type ConformanceTest, defineSuite } from './suite.ts'

/** Something that is done with a mouse: counts to the right and downwards, clicks of the wheel, buttons that are down. */
export interface Motion {
  readonly dx?: number
  readonly dy?: number
  readonly wheel?: number
  readonly buttons?: number
}

/** A controller under test, with what is plugged in. */
export interface KeyboardControllerUnderTest {
  /** Port 0x60. */
  readonly data: RegisterFile
  /** Port 0x64. */
  readonly command: RegisterFile
  /** A key goes down, by its `KeyboardEvent.code`. */
  press(key: string): void
  release(key: string): void
  move(motion: Motion): void
}

interface Subject {
  readonly bench: Bench
  readonly devices: KeyboardControllerUnderTest
  /** Writes to port 0x64. */
  command(value: number): void
  /** Writes to port 0x60. */
  data(value: number): void
  status(): number
  readData(): number
  /** What a command of the controller answers at once. */
  ask(command: number): number
  /** Every byte that comes until nothing has come for 15 ms. */
  bytes(): number[]
  /** Sends bytes to the keyboard; what it answers to each. */
  key(...values: number[]): number[]
  /** Sends bytes to the mouse; what it answers to each. */
  mouse(...values: number[]): number[]
  /** Sets the command byte. */
  configure(commandByte: number): void
  asserted(line: 'keyboard' | 'mouse'): boolean
}

const ms = 1e6

/**
 * Tests for a controller that `make` makes. Its interrupts are `bench.line('keyboard')` and `bench.line('mouse')`; the
 * A20 gate goes to `bench.callback('a20')` as a boolean, its reset line to `bench.callback('reset')`, the lights to
 * `bench.callback('leds')` as `{ scrollLock, numLock, capsLock }`.
 */
export function keyboardControllerConformance(
  make: (bench: Bench) => KeyboardControllerUnderTest,
): readonly ConformanceTest[] {
  return defineSuite<Subject>({
    name: 'i8042',
    manual: 'the IBM PS/2 technical reference',
    make: () => subjectOf(make),
    tests: [...controller, ...keyboard, ...pointing],
  })
}

function subjectOf(make: (bench: Bench) => KeyboardControllerUnderTest): Subject {
  const bench = new Bench()
  const devices = make(bench)
  const command = (value: number) => devices.command.write(0, 1, value)
  const data = (value: number) => devices.data.write(0, 1, value)
  const status = () => devices.command.read(0, 1)
  const readData = () => devices.data.read(0, 1)
  const bytes = () => {
    const got: number[] = []
    for (let idle = 0; idle < 15 && got.length < 200; idle++) {
      if (status() & 1) {
        got.push(readData())
        idle = 0
      } else bench.pass(ms)
    }
    return got
  }
  const send = (values: readonly number[], write: (value: number) => void) =>
    values.flatMap((value) => {
      write(value)
      return bytes()
    })
  const configure = (commandByte: number) => {
    command(0x60)
    data(commandByte)
  }
  bytes()
  configure(0x47)
  bench.events.length = 0
  return {
    bench,
    devices,
    command,
    data,
    status,
    readData,
    ask(value) {
      command(value)
      return readData()
    },
    bytes,
    key: (...values) => send(values, data),
    mouse: (...values) =>
      send(values, (value) => {
        command(0xd4)
        data(value)
      }),
    configure,
    asserted: (line) => bench.told(line).at(-1) === true,
  }
}

type Tests = Parameters<typeof defineSuite<Subject>>[0]['tests']

const controller: Tests = [
  {
    name: 'self-test and line tests pass, the command byte can be read back',
    section: 'commands 0xaa, 0xab, 0xa9, 0x20, 0x60',
    run({ ask, status, command, configure }, expect) {
      expect([ask(0xaa), ask(0xab), ask(0xa9)], [0x55, 0, 0], 'the BIOS finds the keyboard controller broken')
      expect(status() & 0x04, 4, 'the system flag is not set after the self-test')
      configure(0x47)
      expect(ask(0x20), 0x47, 'the command byte is not what was written')
      command(0xa7)
      command(0xad)
      expect(ask(0x20), 0x77, 'disabling keyboard and mouse is not seen in the command byte')
      command(0xa8)
      command(0xae)
      expect(ask(0x20), 0x47, 'enabling keyboard and mouse is not seen in the command byte')
    },
  },
  {
    name: 'status says whose byte it is, and each has its interrupt',
    section: 'status register; commands 0xd2 and 0xd3',
    run({ command, data, status, readData, asserted }, expect) {
      expect(status() & 0x21, 0, 'a byte is there before any was sent')
      command(0xd3)
      expect(status() & 0x08, 8, 'the last write was to 0x64, and status does not say so')
      data(0x77)
      expect(
        [status() & 0x29, asserted('mouse'), asserted('keyboard')],
        [0x21, true, false],
        'a byte of the mouse is the keyboard’s',
      )
      expect([readData(), status() & 1, asserted('mouse')], [0x77, 0, false], 'reading does not take the byte')
      command(0xd2)
      data(0x66)
      expect(
        [status() & 0x21, asserted('keyboard'), readData()],
        [0x01, true, 0x66],
        'a byte of the keyboard is the mouse’s',
      )
    },
  },
  {
    name: 'the output port: A20 and reset',
    section: 'commands 0xd0, 0xd1, 0xdd, 0xdf, 0xf0–0xff',
    run({ bench, ask, command, data }, expect) {
      command(0xd1)
      data(0xdf)
      bench.events.length = 0
      command(0xd1)
      data(0xdd)
      expect([bench.told('a20').at(-1), ask(0xd0) & 3], [false, 1], 'A20 is not closed')
      command(0xdf)
      expect(bench.told('a20').at(-1), true, 'command 0xdf does not open A20')
      command(0xdd)
      expect(bench.told('a20').at(-1), false, 'command 0xdd does not close A20')
      command(0xff)
      expect(bench.told('reset').length, 0, 'a pulse of no line resets')
      command(0xfe)
      expect(bench.told('reset').length, 1, 'command 0xfe does not reset: “reboot” hangs')
    },
  },
  {
    name: 'a disabled line waits, a disabled interrupt is none',
    section: 'command byte',
    run({ devices, command, bytes, asserted, configure, bench }, expect) {
      configure(0x46)
      command(0xad)
      devices.press('KeyB')
      devices.release('KeyB')
      expect(bytes(), [], 'a disabled keyboard sends')
      command(0xae)
      expect(bytes(), [0x30, 0xb0], 'what was typed while the keyboard was disabled is lost')
      expect([asserted('keyboard'), bench.told('keyboard').length], [false, 0], 'a disabled interrupt comes')
    },
  },
]

const keyboard: Tests = [
  {
    name: 'keys in set 2 and, translated, in set 1',
    section: 'keyboard: scan codes; translation',
    run({ devices, bytes, configure }, expect) {
      for (const [commandByte, a, arrow] of [
        [0x47, [0x1e, 0x9e], [0xe0, 0x48, 0xe0, 0xc8]],
        [0x07, [0x1c, 0xf0, 0x1c], [0xe0, 0x75, 0xe0, 0xf0, 0x75]],
      ] as const) {
        configure(commandByte)
        for (const [name, codes] of [
          ['KeyA', a],
          ['ArrowUp', arrow],
        ] as const) {
          devices.press(name)
          devices.release(name)
          expect(bytes(), codes, `${name} is another key`)
        }
      }
    },
  },
  {
    name: 'each byte is an interrupt',
    section: 'command byte',
    run({ devices, bytes, bench }, expect) {
      devices.press('KeyA')
      devices.release('KeyA')
      bytes()
      expect(bench.told('keyboard'), [true, false, true, false], 'a byte comes without its interrupt')
    },
  },
  {
    name: 'reset, identity, echo, lights',
    section: 'keyboard: commands',
    run({ key, configure, bench }, expect) {
      configure(0x07)
      expect(key(0xff), [0xfa, 0xaa], 'the keyboard does not say that it is well')
      expect(key(0xf2), [0xfa, 0xab, 0x83], 'the keyboard is something else')
      expect(key(0xee), [0xee], 'echo is not echoed')
      expect(key(0xed, 0x05), [0xfa, 0xfa], 'the lights are not acknowledged')
      const lights = { scrollLock: true, numLock: false, capsLock: true }
      expect(bench.told('leds').at(-1), lights, 'the wrong lights are on')
      configure(0x47)
      expect(key(0xf2), [0xfa, 0xab, 0x41], 'the translated identity is not what PCs know')
    },
  },
  {
    name: 'scan code set 1, no scanning, and commands that are none',
    section: 'keyboard: commands 0xf0, 0xf4, 0xf5',
    run({ key, devices, bytes, configure }, expect) {
      configure(0x07)
      expect(key(0xf0, 0x00), [0xfa, 0xfa, 0x02], 'the scan code set is not told')
      key(0xf0, 0x01)
      devices.press('KeyA')
      devices.release('KeyA')
      expect(bytes(), [0x1e, 0x9e], 'scan code set 1 is not used')
      key(0xf5)
      devices.press('KeyA')
      expect(bytes(), [], 'the keyboard scans though it was told not to')
      key(0xf4)
      devices.release('KeyA')
      expect(bytes(), [0xf0, 0x1c], 'scanning does not begin again with the defaults')
      expect(key(0x12), [0xfe], 'what is no command is acknowledged')
    },
  },
  {
    name: 'a key that is held repeats as typematic says',
    section: 'keyboard: command 0xf3',
    run({ key, devices, bench, status, readData, bytes }, expect) {
      key(0xf3, 0x20) // 500 ms, 30 a second
      devices.press('KeyX')
      let codes = 0
      for (let time = 0; time < 480; time++) {
        bench.pass(ms)
        if (status() & 1) codes += readData() === 0x2d ? 1 : 100
      }
      expect(codes, 1, 'a key that is held repeats too soon')
      for (let time = 0; time < 1020; time++) {
        bench.pass(ms)
        if (status() & 1) codes += readData() === 0x2d ? 1 : 100
      }
      expect(codes >= 29 && codes <= 33, true, 'a key does not repeat 30 times a second')
      devices.release('KeyX')
      expect(bytes().at(-1), 0xad, 'a key goes on after it was released')
    },
  },
]

const pointing: Tests = [
  {
    name: 'reset, identity, status, defaults',
    section: 'mouse: commands',
    run({ mouse }, expect) {
      expect(mouse(0xff), [0xfa, 0xaa, 0x00], 'there is no mouse')
      expect(mouse(0xf2), [0xfa, 0x00], 'the mouse is something else')
      expect(mouse(0xe9), [0xfa, 0x00, 0x02, 100], 'the mouse has other defaults')
      mouse(0xe8, 0x03, 0xe7, 0xf3, 40, 0xf4)
      expect(mouse(0xe9), [0xfa, 0x30, 0x03, 40], 'status does not show what was set')
      expect(mouse(0xf6, 0xe9), [0xfa, 0xfa, 0x00, 0x02, 100], 'the defaults do not come back')
      expect(mouse(0x55), [0xfe], 'what is no command is acknowledged')
    },
  },
  {
    name: 'motion and buttons are reported in stream mode',
    section: 'mouse: data report',
    run({ mouse, devices, bytes, bench }, expect) {
      devices.move({ dx: 5 })
      expect(bytes(), [], 'a mouse reports that was not told to')
      mouse(0xf4)
      bench.events.length = 0
      devices.move({ dx: 3, dy: 4 })
      expect(bytes(), [0x28, 3, 0xfc], 'the pointer goes somewhere else')
      expect(bench.told('mouse').length, 6, 'a byte comes without its interrupt')
      devices.move({ dx: -1, buttons: 5 })
      expect(bytes(), [0x1d, 0xff, 0], 'the wrong buttons are down')
      devices.move({ buttons: 0 })
      expect(bytes(), [0x08, 0, 0], 'a button stays down')
      devices.move({ dx: 300 })
      expect(bytes(), [0x08, 255, 0, 0x08, 45, 0], 'far motion is cut short')
    },
  },
  {
    name: 'the wheel is found by its knock, then two more buttons',
    section: 'IntelliMouse: sampling rates 200, 100, 80; 200, 200, 80',
    run({ mouse, devices, bytes }, expect) {
      mouse(0xf3, 200, 0xf3, 100, 0xf3, 80)
      expect(mouse(0xf2), [0xfa, 3], 'no driver finds the wheel')
      mouse(0xf4)
      devices.move({ wheel: -1 })
      expect(bytes(), [0x08, 0, 0, 0xff], 'the wheel turns the other way, or not at all')
      mouse(0xf3, 200, 0xf3, 200, 0xf3, 80)
      expect(mouse(0xf2), [0xfa, 4], 'no driver finds the fourth button')
      devices.move({ wheel: 1, buttons: 0x18 })
      expect(bytes(), [0x08, 0, 0, 0x31], 'the fourth and fifth buttons are not reported')
    },
  },
  {
    name: 'remote mode reports when asked, wrap mode echoes',
    section: 'mouse: commands 0xf0, 0xeb, 0xee, 0xec',
    run({ mouse, devices, bytes }, expect) {
      mouse(0xf0, 0xf4)
      devices.move({ dx: 7 })
      expect(bytes(), [], 'a mouse in remote mode reports unasked')
      expect(mouse(0xeb), [0xfa, 0x08, 7, 0], 'a mouse in remote mode does not report when asked')
      expect(
        mouse(0xee, 0x42, 0xf2, 0xec, 0xf2),
        [0xfa, 0x42, 0xf2, 0xfa, 0xfa, 0x00],
        'wrap mode does not echo, or not end',
      )
    },
  },
]
