import { describe, expect, test } from 'vitest'
import { parseParagraphs } from './control.ts'
import { debianSources } from './sources.ts'

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'
const from = (name: string, text: string) => parseParagraphs(debianSources([{ name, text }], keyring))

test('a system that names no mirror gets packages from those of Debian, with its keys', () => {
  expect(parseParagraphs(debianSources([], keyring))).toEqual([
    {
      Types: 'deb',
      URIs: 'http://deb.debian.org/debian',
      Suites: 'bookworm bookworm-updates',
      Components: 'main',
      'Signed-By': keyring,
    },
    {
      Types: 'deb',
      URIs: 'http://deb.debian.org/debian-security',
      Suites: 'bookworm-security',
      Components: 'main',
      'Signed-By': keyring,
    },
  ])
})

describe('the mirror of the system is used', () => {
  test('of a sources.list, and what it is trusted by', () => {
    const [main, security] = from(
      '/etc/apt/sources.list',
      [
        '# deb http://commented.example/debian bookworm main',
        'deb-src http://sources.example/debian bookworm main',
        'deb [arch=amd64 signed-by=/etc/keys/ours.gpg] https://mirror.example/debian-copy/ bookworm main contrib',
        'deb https://download.docker.com/linux/debian bookworm-stable stable',
      ].join('\n'),
    )
    expect(main).toMatchObject({ URIs: 'https://mirror.example/debian-copy', 'Signed-By': '/etc/keys/ours.gpg' })
    expect(security?.URIs).toBe('http://deb.debian.org/debian-security')
  })

  test('of a .sources file, its embedded keys too', () => {
    const [main] = from(
      '/etc/apt/sources.list.d/debian.sources',
      [
        'Types: deb\nEnabled: no\nURIs: http://off.example/debian\nSuites: bookworm\n',
        'Types: deb deb-src\nURIs: mirror+file:/etc/mirrors http://on.example/debian/\nSuites: bookworm bookworm-updates',
        'Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQINBGPL',
      ].join('\n'),
    )
    expect(main?.URIs).toBe('http://on.example/debian')
    expect(main?.['Signed-By']).toContain('mQINBGPL')
  })

  test('when the system is of another release of Debian', () => {
    const [main, security] = from(
      '/etc/apt/sources.list',
      'deb http://near.example/debian trixie main\ndeb http://near.example/debian-security trixie-security main',
    )
    expect(main).toMatchObject({ URIs: 'http://near.example/debian', 'Signed-By': keyring })
    expect(security?.URIs).toBe('http://near.example/debian-security')
  })
})

test('the mirror of Ubuntu is left alone: it has no kernels for i386', () => {
  const [main] = from('/etc/apt/sources.list', 'deb http://archive.ubuntu.com/ubuntu noble main universe')
  expect(main?.URIs).toBe('http://deb.debian.org/debian')
})
