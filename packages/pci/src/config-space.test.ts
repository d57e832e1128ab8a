import { expect, test } from 'vitest'
import { type ConfigRegister, ConfigSpace } from './config-space.ts'

const space = (...registers: ConfigRegister[]) => {
  const config = new ConfigSpace('card')
  for (const register of registers) config.add(register)
  return config
}

test('any width reads and writes the bytes that it covers, across registers', () => {
  const config = space(
    { name: 'a', offset: 0x40, bytes: 2, value: 0x1234, writable: 0x00ff },
    { name: 'b', offset: 0x42, bytes: 1, writable: 0xff },
    { name: 'c', offset: 0x43, bytes: 1, value: 0x7f, clearable: 0x0f },
  )
  expect([config.read(0x40, 4), config.read(0x41, 2), config.read(0x43, 1)]).toEqual([0x7f00_1234, 0x0012, 0x7f])
  config.write(0x40, 4, 0x0356_7890)
  expect(config.read(0x40, 4)).toBe(0x7c56_1290)
  config.write(0x41, 2, 0xffff)
  expect(config.read(0x40, 4)).toBe(0x7cff_1290)
  expect([config.read(0x3c, 4), config.read(0x44, 4)]).toEqual([0, 0])
  config.write(0x44, 4, 0xffff_ffff)
  expect(config.read(0x44, 4)).toBe(0)
})

test('a register hears of each write once, whatever part of it is written', () => {
  const heard: unknown[] = []
  const config = space({
    name: 'a',
    offset: 0x40,
    bytes: 4,
    writable: 0xffff_ffff,
    onWrite: (value, cause) => heard.push([value, cause]),
  })
  config.write(0x42, 2, 0x8000)
  config.write(0x42, 2, 0x8000)
  config.write(0x43, 1, 0)
  config.reset()
  config.write(0x40, 4, 5)
  config.restore({ version: 1, registers: { a: 6 } })
  config.reset()
  expect(heard).toEqual([
    [0x8000_0000, 'write'],
    [0x8000_0000, 'write'],
    [0, 'write'],
    [5, 'write'],
    [6, 'restore'],
    [0, 'reset'],
  ])
})

test('a filter decides what becomes of a write', () => {
  const config = space({
    name: 'lock',
    offset: 0x40,
    bytes: 1,
    writable: 0xff,
    filter: (next, before) => next | before,
  })
  config.write(0x40, 1, 1)
  config.write(0x40, 1, 2)
  expect(config.read(0x40, 1)).toBe(3)
})

test('what is saved has names, and a restore leaves alone what cannot change', () => {
  const config = space(
    { name: 'identity', offset: 0, bytes: 4, value: 0x1111_8086 },
    { name: 'mode', offset: 0x40, bytes: 1, value: 0x80, writable: 0x0f },
  )
  config.write(0x40, 1, 0xff)
  expect(config.save()).toEqual({ version: 1, registers: { mode: 0x8f } })
  config.restore({ version: 1, registers: { mode: 0x03 } })
  expect(config.read(0x40, 1)).toBe(0x83)
  const restoring = (registers: Record<string, never>) => () => config.restore({ version: 1, registers })
  expect(restoring({})).toThrow('the configuration of card (mode is missing)')
  expect(restoring({ mode: 'x' as never })).toThrow('mode is a string')
  expect(restoring({ mode: 1 as never, identity: 1 as never })).toThrow('identity is unknown')
})

test('registers that overlap, share a name or lie outside are refused by name', () => {
  const config = space({ name: 'a', offset: 0x40, bytes: 4 })
  const adding = (register: ConfigRegister) => () => config.add(register)
  expect(adding({ name: 'b', offset: 0x42, bytes: 1 })).toThrow('card has register b at 0x42, beside a at 0x40')
  expect(adding({ name: 'a', offset: 0x80, bytes: 1 })).toThrow('give each a name')
  expect(adding({ name: 'c', offset: 0xfe, bytes: 4 })).toThrow('with its end by 256')
  expect(adding({ name: 'c', offset: -1, bytes: 1 })).toThrow('register c at -1')
})

test('room for capabilities is found between registers', () => {
  const config = space({ name: 'a', offset: 0x48, bytes: 2 })
  expect([config.findFree(0x40, 8), config.findFree(0x40, 12), config.findFree(0x40, 200)]).toEqual([
    0x40,
    0x4c,
    undefined,
  ])
})
