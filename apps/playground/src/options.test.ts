import { expect, test } from 'vitest'
import { parseOptions } from './options.ts'

test('a port, a folder, and what is unless stated', () => {
  expect(parseOptions([])).toEqual({ port: 8686, guests: undefined, build: undefined, connect: [], help: false })
  expect(parseOptions(['--port', '0', '--guests', '/g', '--connect', 'a.example', '--connect', 'http://b:1'])).toEqual({
    port: 0,
    guests: '/g',
    build: undefined,
    connect: ['https://a.example', 'http://b:1'],
    help: false,
  })
  expect(parseOptions(['-h']).help).toBe(true)
})

test('what is not known is refused with what to do', () => {
  expect(() => parseOptions(['--prot', '1'])).toThrow("Unknown option '--prot': see --help")
  for (const port of ['http', '65536', '-1', '80.5'])
    expect(() => parseOptions([`--port=${port}`])).toThrow(/is no port/)
  for (const server of ['https://a.example/path', "a; script-src 'unsafe-eval'", 'ftp://a', ''])
    expect(() => parseOptions([`--connect=${server}`])).toThrow(/is no server/)
})
