import { expect, test } from 'vitest'
import { rulesOf } from './reach.ts'

test('servers are rules, by HTTPS unless they say otherwise', () => {
  expect(rulesOf('')).toEqual([])
  expect(rulesOf(' Deb.debian.org, https://*.example.org:8443\nhttp://127.0.0.1:3000/')).toEqual([
    { host: 'deb.debian.org', ports: 80, by: 'https' },
    { host: '*.example.org', ports: 8443, by: 'https' },
    { host: '127.0.0.1', ports: 3000, by: 'http' },
  ])
})

test('what is no server is refused with what to do', () => {
  for (const server of ['ftp://a.example', 'https://a.example/path', 'https://', 'http://me@a.example', 'a b://c'])
    expect(() => rulesOf(server), server).toThrow(/is no server: name one/)
  expect(() => rulesOf('http://localhost:3000')).toThrow(/127\.0\.0\.1/)
})
