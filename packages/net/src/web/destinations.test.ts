import { expect, test } from 'vitest'
import { formatIpv4, parseIpv4 } from '../index.ts'
import { Destinations } from './destinations.ts'

test('names have addresses of their own, bounded: the one longest unused loses its own', () => {
  const destinations = new Destinations([{ host: '*.example' }], false)
  const first = destinations.addressOf('first.example')
  const second = destinations.addressOf('second.example')
  expect([formatIpv4(first), formatIpv4(second)]).toEqual(['198.18.0.1', '198.18.0.2'])
  for (let number = 0; number < 300_000; number++) {
    destinations.addressOf(`n${number}.example`)
    if (number % 500 === 0) destinations.addressOf('first.example')
  }
  expect(destinations.addressOf('FIRST.example.')).toBe(first)
  expect(destinations.destinationOf(first, 80)?.host).toBe('first.example')
  expect(destinations.hostOf(second)).not.toBe('second.example')
  const last = destinations.addressOf('n299999.example')
  expect(formatIpv4(last)).toMatch(/^198\.1[89]\./)
  expect(destinations.destinationOf(last, 80)?.host).toBe('n299999.example')
})

test('a rule of all addresses leads neither to this host nor to what stands for names', () => {
  const destinations = new Destinations([{ host: '0.0.0.0/0' }, { host: '127.0.0.1', ports: 3000, by: 'http' }], true)
  const by = (text: string, port: number) => destinations.destinationOf(parseIpv4(text) ?? 0, port)?.by
  expect([by('93.184.216.34', 80), by('93.184.216.34', 22), by('127.0.0.1', 3000)]).toEqual(['http', 'relay', 'http'])
  for (const text of ['127.0.0.1', '169.254.169.254', '198.18.0.1', '198.19.255.255', '224.0.0.1', '255.255.255.255']) {
    expect(by(text, 80), text).toBeUndefined()
  }
})
