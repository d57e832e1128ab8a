import { expect, test } from 'vitest'
import { idleMachine } from '../../test/idle-machine.ts'
import { debugConsole } from './console-port.ts'
import { exitPort } from './exit-port.ts'
import { postPort } from './post-port.ts'

test('what is written to port 0xe9 is text, and reading tells that somebody listens', async () => {
  let text = ''
  const onText = (bytes: Uint8Array) => void (text += String.fromCharCode(...bytes))
  const { out, in8 } = await idleMachine([debugConsole({ onText }), debugConsole({ port: 0x402, onText })])
  out(0xe9, 0x48, 0x69)
  out(0x402, 0x21)
  expect([text, in8(0xe9), in8(0x402)]).toEqual(['Hi!', 0xe9, 0xe9])
})

test('POST codes are shown, told and read back', async () => {
  const codes: [number, number][] = []
  const post = postPort({ onCode: (code, port) => codes.push([code, port]) })
  const { machine, out, in8 } = await idleMachine([post])
  out(0x80, 0x01, 0x55)
  out(0x84, 0x77)
  expect(codes).toEqual([
    [0x01, 0x80],
    [0x55, 0x80],
    [0x77, 0x84],
  ])
  expect([machine.of(post).code(), machine.of(post).code(0x84), in8(0x80)]).toEqual([0x55, 0x77, 0x55])
  const state = JSON.parse(JSON.stringify(machine.save()))
  machine.reset()
  expect(in8(0x84)).toBe(0)
  machine.restore(state)
  expect(in8(0x84)).toBe(0x77)
})

test('the exit port ends the run with a code', async () => {
  const exits: number[] = []
  const exit = exitPort({ onExit: (code) => exits.push(code) })
  const { machine, out, in8 } = await idleMachine([exit])
  expect(machine.of(exit).code).toBeUndefined()
  out(0xf4, 0x10)
  expect([exits, machine.of(exit).code, machine.runSlice().reason, in8(0xf4)]).toEqual([[0x21], 0x21, 'off', 0])
  machine.get('ports').write(0xf4, 4, 0x1234)
  expect(machine.of(exit).code).toBe(0x2469)
  const state = machine.save()
  machine.reset()
  expect(machine.of(exit).code).toBeUndefined()
  machine.restore(state)
  expect(machine.of(exit).code).toBe(0x2469)
})
