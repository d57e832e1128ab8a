import { expect, test } from 'vitest'
import { canonicalName, familiarName, parseReference } from './reference.ts'

const sha = `sha256:${'0123456789abcdef'.repeat(4)}`

test.each([
  ['debian', 'docker.io/library/debian:latest', 'debian:latest'],
  ['debian:12', 'docker.io/library/debian:12', 'debian:12'],
  ['i386/debian:bookworm-slim', 'docker.io/i386/debian:bookworm-slim', 'i386/debian:bookworm-slim'],
  ['docker.io/debian', 'docker.io/library/debian:latest', 'debian:latest'],
  ['index.docker.io/debian', 'docker.io/library/debian:latest', 'debian:latest'],
  ['docker.io/library/debian', 'docker.io/library/debian:latest', 'debian:latest'],
  ['localhost/app', 'localhost/app:latest', 'localhost/app:latest'],
  ['localhost:5000/app:1', 'localhost:5000/app:1', 'localhost:5000/app:1'],
  ['ghcr.io/a/b/c:v1.2_3-4', 'ghcr.io/a/b/c:v1.2_3-4', 'ghcr.io/a/b/c:v1.2_3-4'],
  ['[::1]:5000/app', '[::1]:5000/app:latest', '[::1]:5000/app:latest'],
  ['Registry/app', 'Registry/app:latest', 'Registry/app:latest'],
  [`debian@${sha}`, `docker.io/library/debian@${sha}`, `debian@${sha}`],
  [`debian:12@${sha}`, `docker.io/library/debian:12@${sha}`, `debian:12@${sha}`],
  ['a--b/c__d.e:_x', 'docker.io/a--b/c__d.e:_x', 'a--b/c__d.e:_x'],
])('%s is %s', (text, canonical, familiar) => {
  const reference = parseReference(text)
  expect(canonicalName(reference)).toBe(canonical)
  expect(familiarName(reference)).toBe(familiar)
  expect(parseReference(canonical)).toEqual(reference)
})

test.each([
  ['', /empty/],
  ['Debian', /say 'debian'/],
  ['a/Debian:1', /lower case/],
  ['debian:', /no tag/],
  ['debian:a b', /no tag/],
  [`debian:${'t'.repeat(129)}`, /no tag/],
  ['debian@sha256:12', /no digest/],
  ['a..b', /no part/],
  ['a___b', /no part/],
  ['-a', /no part/],
  ['a/', /no part/],
  ['/a', /no part/],
  ['a//b', /no part/],
  ['../../etc/passwd', /no registry/],
  ['exa mple.com/a', /no registry/],
  ['-x.com/a', /no registry/],
  ['x.com:port/a', /no registry/],
  ['a'.repeat(300), /more than 255/],
  ['a'.repeat(5000), /too long/],
  [sha.slice(7), /are an ID/],
  ['a\n\u001b[2J', /\\u000a\\u001b/],
])('%j is no name', (text, why) => {
  expect(() => parseReference(text)).toThrow(why)
})
