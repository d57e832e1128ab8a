import { expect, test } from 'vitest'
import { parseOptions } from './options.ts'

test('a port, a folder, and what is unless stated', () => {
  expect(parseOptions([])).toEqual({ port: 8686, guests: undefined, build: undefined, help: false })
  expect(parseOptions(['--port', '0', '--guests', '/g'])).toEqual({
    port: 0,
    guests: '/g',
    build: undefined,
    help: false,
  })
  expect(parseOptions(['-h']).help).toBe(true)
})

test('what is not known is refused with what to do', () => {
  expect(() => parseOptions(['--prot', '1'])).toThrow("Unknown option '--prot': see --help")
  for (const port of ['http', '65536', '-1', '80.5'])
    expect(() => parseOptions([`--port=${port}`])).toThrow(/is no port/)
})
