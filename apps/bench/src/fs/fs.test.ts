import { describe, expect, it } from 'vitest'
import { parseFsOptions } from './options.ts'
import { barTable, type FsRow, fsTable, judgeFs } from './results.ts'
import { FS_SYSTEMS } from './systems.ts'
import { type FsSample, measureFs, OPERATIONS } from './work.ts'

const sample = (micros: number, bytesPerFile = 300): FsSample => ({
  micros: Object.fromEntries(OPERATIONS.map((each) => [each, micros])) as FsSample['micros'],
  bytesPerFile,
})

describe('bench fs', () => {
  it.each(FS_SYSTEMS)('does all its work on $name', (system) => {
    const { micros, bytesPerFile } = measureFs(system, 50)
    for (const each of OPERATIONS) expect(micros[each]).toBeGreaterThan(0)
    expect(bytesPerFile).toBeTypeOf('number')
  })

  it('judges medians, and only what was measured', () => {
    const rows: FsRow[] = [
      { name: 'memfs', samples: [sample(9), sample(10), sample(100)] },
      { name: 'tmpfs', samples: [sample(3)] },
      { name: 'overlay-tmpfs', samples: [sample(5)] },
    ]
    const bars = judgeFs(rows)
    expect(bars.map(({ title, holds }) => [title, holds])).toEqual([
      ['create, overlay on tmpfs / tmpfs', true],
      ['lookup, overlay on tmpfs / tmpfs', false],
      ['read, overlay on tmpfs / tmpfs', false],
      ['create, tmpfs / memfs', true],
      ['bytes of heap per empty file, tmpfs', true],
    ])
    expect(fsTable(rows)[1]).toEqual(['memfs', ...OPERATIONS.map(() => '10.00'), '300'])
    expect(barTable(bars)[2]!.at(-1)).toBe('missed')
    expect(judgeFs(rows.slice(0, 1))).toEqual([])
  })

  it('names what it does not know', () => {
    expect(() => parseFsOptions(['--systems', 'ext4'])).toThrow("there is no file system 'ext4'")
    expect(() => parseFsOptions(['--files', 'many'])).toThrow("'many' files")
  })
})
