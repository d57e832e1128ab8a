import { describe, expect, test } from 'vitest'
import { connected, noise, pair, sameBytes, transfer } from '../../test/hosts.ts'

const megabyte = 1024 * 1024

describe('a stream arrives as it was sent', () => {
  test('over a good link, with nothing sent twice', () => {
    const hosts = pair()
    const { client, server } = connected(hosts)
    const sent = noise(4 * megabyte)
    expect(sameBytes(transfer(hosts.clock, client, server, sent), sent)).toBe(true)
    expect(client.info.retransmitted).toBe(0)
  })

  test.each([
    ['loss', { loss: 0.02 }],
    ['reordering', { reorder: 0.1 }],
    ['duplication', { duplicate: 0.1 }],
    ['damage', { corrupt: 0.01 }],
    ['delay and jitter', { delay: 20e6, jitter: 1e6 }],
    ['a slow link with a short queue', { rate: 100e6, queue: 20 }],
    ['all of it', { loss: 0.01, reorder: 0.05, duplicate: 0.05, corrupt: 0.005, delay: 1e6, jitter: 1e5 }],
  ])('through %s', (_, impairment) => {
    const hosts = pair({ seed: 3, ...impairment })
    const { client, server } = connected(hosts)
    const sent = noise(megabyte)
    expect(sameBytes(transfer(hosts.clock, client, server, sent), sent)).toBe(true)
  })

  test('10 MB through loss, reordering and duplication', () => {
    const hosts = pair({ seed: 11, loss: 0.01, reorder: 0.02, duplicate: 0.01, delay: 1e6 })
    const { client, server } = connected(hosts)
    const sent = noise(10 * megabyte)
    expect(sameBytes(transfer(hosts.clock, client, server, sent), sent)).toBe(true)
    expect(client.info.retransmitted).toBeGreaterThan(50)
  })
})
