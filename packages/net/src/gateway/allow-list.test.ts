import { describe, expect, test } from 'vitest'
import { parseIpv4 } from '../index.ts'
import { AllowList, type AllowRule } from './allow-list.ts'

const allows = (rules: AllowRule[], protocol: 'tcp' | 'udp', address: string, port: number) =>
  new AllowList(rules).allows(protocol, parseIpv4(address) as number, port)

describe('rules of addresses', () => {
  test('nothing is allowed that no rule allows', () => {
    expect(allows([], 'tcp', '93.184.216.34', 443)).toBe(false)
  })

  test.each([
    [{ host: '93.184.216.34' }, true],
    [{ host: '93.184.216.0/24' }, true],
    [{ host: '93.184.217.0/24' }, false],
    [{ host: '0.0.0.0/0' }, true],
    [{ host: '0.0.0.0/0', protocol: 'udp' }, false],
    [{ host: '0.0.0.0/0', ports: 443 }, true],
    [{ host: '0.0.0.0/0', ports: 80 }, false],
    [{ host: '0.0.0.0/0', ports: [400, 500] }, true],
    [{ host: '0.0.0.0/0', ports: [444, 500] }, false],
  ] as [AllowRule, boolean][])('%o', (rule, expected) => {
    expect(allows([rule], 'tcp', '93.184.216.34', 443)).toBe(expected)
  })

  test.each(['127.0.0.1', '169.254.169.254', '0.0.0.1'])(
    '%s is not of the world: only its own rule allows it',
    (address) => {
      expect(allows([{ host: '0.0.0.0/0' }], 'tcp', address, 80)).toBe(false)
      expect(allows([{ host: address }], 'tcp', address, 80)).toBe(true)
    },
  )

  test('groups, broadcasts and port 0 are never allowed', () => {
    for (const address of ['224.0.0.1', '255.255.255.255']) {
      expect(allows([{ host: '0.0.0.0/0' }], 'udp', address, 80)).toBe(false)
    }
    expect(allows([{ host: '1.2.3.4' }], 'udp', '1.2.3.4', 0)).toBe(false)
  })
})

describe('rules of names', () => {
  const list = new AllowList([{ host: 'deb.debian.org', ports: 80 }, { host: '*.example.com' }])

  test('may be asked for: the name itself, or below the asterisk', () => {
    for (const name of ['deb.debian.org', 'DEB.debian.org.', 'a.example.com', 'a.b.example.com']) {
      expect(list.allowsName(name), name).toBe(true)
    }
    for (const name of ['debian.org', 'example.com', 'evilexample.com', 'deb.debian.org.evil.com']) {
      expect(list.allowsName(name), name).toBe(false)
    }
  })

  test('allow the addresses that were answered, but for private ones', () => {
    const address = parseIpv4('151.101.2.132') as number
    expect(list.allows('tcp', address, 80)).toBe(false)
    list.resolved('deb.debian.org', [address])
    expect([list.allows('tcp', address, 80), list.allows('tcp', address, 22)]).toEqual([true, false])
    for (const text of ['127.0.0.1', '192.168.1.1', '10.1.1.1', '169.254.169.254', '172.20.0.1']) {
      list.resolved('a.example.com', [parseIpv4(text) as number])
      expect(list.allows('tcp', parseIpv4(text) as number, 80), text).toBe(false)
    }
  })

  test('addresses remembered are bounded', () => {
    for (let number = 0; number < 10_000; number++) list.resolved('a.example.com', [0x0800_0000 + number])
    expect(list.allows('tcp', 0x0800_0000, 80)).toBe(false)
    expect(list.allows('tcp', 0x0800_0000 + 9999, 80)).toBe(true)
  })
})
