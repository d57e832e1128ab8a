import { readCpio } from '@vmexit/boot'
import { expect, test } from 'vitest'
import { programs, readProgram, workloadInitramfs } from './index.ts'

test('it has init, all programs, a console, and room for files', () => {
  const entries = new Map(readCpio(workloadInitramfs()).map((entry) => [entry.path, entry]))
  expect(entries.get('init')).toMatchObject({ kind: 'file', mode: 0o755, bytes: readProgram('init') })
  for (const { name } of programs) expect(entries.get(`bin/${name}`)).toMatchObject({ bytes: readProgram(name) })
  expect(entries.get('dev/console')).toMatchObject({ kind: 'character', major: 5, minor: 1 })
  expect(entries.get('tmp')).toMatchObject({ kind: 'directory', mode: 0o1777 })
})

test('it can have fewer of them, and files of one’s own', () => {
  const own = { kind: 'file', path: 'bin/own', mode: 0o755, bytes: Uint8Array.of(1) } as const
  const paths = readCpio(workloadInitramfs({ programs: ['in'], entries: [own] })).map(({ path }) => path)
  expect(paths).toEqual(['bin', 'bin/in', 'bin/own', 'dev', 'dev/console', 'init', 'tmp'])
})
