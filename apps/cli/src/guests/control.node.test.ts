import { describe, expect, test } from 'vitest'
import { parseDebName, parseDependencies, parseParagraphs, parseRecords } from './control.ts'

test('paragraphs are separated by blank lines, and values go on in indented lines', () => {
  const text = '# a comment\nPackage: a\nDescription: one\n two\n .\n\n \nPackage: b\nnonsense\n'
  expect(parseParagraphs(text)).toEqual([{ Package: 'a', Description: 'one\n two\n .' }, { Package: 'b' }])
})

describe('the kernel behind a metapackage is found', () => {
  test('in the record that apt prints', () => {
    const [record, older] = parseRecords(
      [
        'Package: linux-image-686\nVersion: 6.1.176-1\nArchitecture: i386',
        'Depends: linux-image-6.1.0-50-686 (= 6.1.176-1)\n',
        'Package: linux-image-686\nVersion: 6.1.170-3\nArchitecture: i386',
        'Depends: linux-image-6.1.0-49-686 (= 6.1.170-3)\n\nPackage: half\n',
      ].join('\n'),
    )
    expect(record?.dependencies).toEqual([{ name: 'linux-image-6.1.0-50-686', version: '6.1.176-1' }])
    expect(older?.version).toBe('6.1.170-3')
  })

  test('among alternatives, architectures and relations', () => {
    expect(parseDependencies('libc6:any (>= 2.34), a | b (= 1), gettext-base, (broken)')).toEqual([
      { name: 'libc6', version: undefined },
      { name: 'a', version: undefined },
      { name: 'gettext-base', version: undefined },
    ])
    expect(parseDependencies('')).toEqual([])
  })
})

test('package files are known with the names that apt and that browsers give them', () => {
  expect(parseDebName('busybox-static_1%3a1.35.0-4+b1_i386.deb')).toEqual({
    name: 'busybox-static',
    version: '1:1.35.0-4+b1',
    architecture: 'i386',
  })
  expect(parseDebName('memtest86+_6.10-4_i386.deb')?.name).toBe('memtest86+')
  for (const other of ['x.deb', 'a_1_i386.deb.FAILED', 'guest.json', 'a_b_c_d.deb']) {
    expect(parseDebName(other)).toBeUndefined()
  }
})
