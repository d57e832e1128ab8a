import { readFileSync } from 'node:fs'
import { isVmexitError } from '@vmexit/core'
import { describe, expect, it } from 'vitest'
import { BOOT_PART, KERNEL_PART, MEMORY_PART, PAGE, setting, withPart } from '../docs.ts'
import { asText } from '../tables.ts'
import { judge } from './bars.ts'
import { BOOT_SYSTEMS, type BootSystem } from './names.ts'
import { parseBootOptions } from './options.ts'
import { bootPage } from './page.ts'
import { qemuArguments } from './qemu.ts'
import { lost, lostRowsOf, REASONS } from './reasons.ts'
import { type Booted, summarizeBoots } from './results.ts'
import { bootTable, comparedTable, verdict } from './tables.ts'
import { type BootRecord, Timeline } from './timeline.ts'

/** A guest that says these lines, each of which takes `ms` and a thousand instructions. */
function record(system: string, lines: string, ms: number, mebibytes = 100): BootRecord {
  let said = 0
  const read = () => ({ wall: 2 * said * ms, cpu: said * ms, instructions: said * 1000 })
  const timeline = new Timeline(system, read, '2020-01-01')
  for (const line of lines.split('\n')) {
    said++
    timeline.feed(new TextEncoder().encode(`${line}\r\n`))
  }
  return timeline.finish(mebibytes * 1024)
}

const BOOT =
  'Decompressing\n[    0.000000] Linux version 6.1\nFreeing unused kernel image\n@@INIT uptime\n@@SHELL 6.1\n@@DONE'
const WORK = `${BOOT.replace('@@DONE', '')}@@S sort\n[ 1.0] noise\n3548\n@@E sort 0
@@S sieve\n@@R sieve ops=150 ns=99 x check=0034a490\n@@E sieve 0\n@@DONE`

const round = (system: BootSystem, ms: number, work = WORK, mebibytes = 100): Booted[] => [
  { system, kind: 'whole', record: record(system, BOOT, ms, mebibytes) },
  { system, kind: 'workloads', record: record(system, work, ms, mebibytes) },
]

describe('the timeline', () => {
  it('knows milestones, workloads, what they take and what they say', () => {
    const made = record('a', WORK, 10)
    expect(made.milestoneCpu).toEqual({ kernel: 20, freeing: 30, init: 40, shell: 50, done: 130 })
    expect(made.milestones['kernel']).toBe(40)
    expect(made.workloadCpu).toEqual({ sort: 30, sieve: 20 })
    expect(made.insns).toEqual({ sort: 3000, sieve: 2000 })
    expect(made.output).toEqual({ sort: '3548' })
    expect(made.results).toEqual({ sieve: { ops: 150, guestNs: 99, check: '0034a490' } })
    expect(made.failed).toEqual([])
    expect(made.vmHwmKiB).toBe(102_400)
  })
})

describe('the figures', () => {
  it("are vmexit's over those of each other, row by row", () => {
    const results = summarizeBoots([
      ...round('vmexit-interpreter', 10),
      ...round('v86', 40, WORK, 400),
      ...round('qemu-tcg', 5),
      ...round('v86-nojit', 100),
    ])
    expect(results.judged).toBe('vmexit-interpreter')
    expect(results.comparisons.map(({ theirs }) => theirs)).toEqual(['v86', 'qemu-tcg', 'v86-nojit'])
    const [v86, qemu] = results.comparisons
    expect(Object.entries(v86!.ratios).map(([row, { median }]) => [row, median])).toEqual([
      ['boot to /init', 0.25],
      ['… decompressing the kernel', 0.25],
      ['kernel to /init, notests', 0.25],
      ['sort', 0.25],
      ['sieve', 0.25],
      ['peak MiB, boot', 0.25],
      ['peak MiB, workloads', 0.25],
    ])
    expect(v86!.mean).toBeCloseTo(0.25)
    expect(asText(bootTable(results))).toMatch(/^sort +0 +30 +120 +300 +15 +0$/m)
    expect(asText(comparedTable(v86!))).toMatch(/^sort +0\.250 +≤ 1\.10 +yes$/m)
    expect(asText(comparedTable(qemu!))).toMatch(/^sort +2\.000 +lost$/m)
    expect(asText(comparedTable(qemu!))).toMatch(/^peak MiB, boot +1\.000 +won$/m)
  })

  it('are medians over rounds, from least to most, of ratios in the same round', () => {
    const rounds = [10, 20, 40].flatMap((ms) => [...round('vmexit-interpreter', ms), ...round('v86', 100)])
    const results = summarizeBoots(rounds)
    expect(results.comparisons[0]!.ratios['sort']).toEqual({ median: 0.2, least: 0.1, most: 0.4 })
    expect(asText(bootTable(results))).toMatch(/^sort +0 +60 \(30–120\) +300 +0$/m)
    expect(asText(comparedTable(results.comparisons[0]!))).toContain('0.200 (0.100–0.400)')
  })

  it('stand without vmexit, but compare nothing', () => {
    const results = summarizeBoots([...round('v86', 40), ...round('qemu-tcg', 5)])
    expect(results.comparisons).toEqual([])
    expect(verdict(results)).toBe('')
    expect(asText(bootTable(results))).toMatch(/^sort +120 +15$/m)
  })

  it('are refused where workloads fail, are missing, or say something else', () => {
    const refused = (theirs: string) => () =>
      summarizeBoots([...round('vmexit-interpreter', 10), ...round('v86', 50, theirs)])
    expect(refused(WORK.replace('3548', '3549'))).toThrow('sort: vmexit-interpreter printed 3548, v86 3549')
    expect(refused(WORK.replace('@@E sort 0', '@@E sort 1'))).toThrow('sort failed under v86')
    expect(refused(WORK.replace('@@E sieve 0', ''))).toThrow('sieve did not end under v86')
  })

  it('are refused where vmexit retires another number of instructions the second time', () => {
    const longer = WORK.replace('3548', '\n3548')
    expect(() => summarizeBoots([...round('vmexit-interpreter', 10), ...round('v86', 1, longer)])).not.toThrow()
    expect(() =>
      summarizeBoots([...round('vmexit-interpreter', 10), ...round('vmexit-interpreter', 10, longer)]),
    ).toThrow('vmexit-interpreter retired')
  })
})

describe('the bars', () => {
  it('are those of the row, or the one for any row', () => {
    const work = WORK.replaceAll('sort', 'forkexec')
    const results = summarizeBoots([...round('vmexit-interpreter', 60, work, 69), ...round('v86', 100, work, 100)])
    expect(judge(results)).toEqual([
      { row: 'boot to /init', ratio: 0.6, bar: 0.75, holds: true },
      { row: '… decompressing the kernel', ratio: 0.6, bar: 1.1, holds: true },
      { row: 'kernel to /init, notests', ratio: 0.6, bar: 0.75, holds: true },
      { row: 'forkexec', ratio: 0.6, bar: 0.5, holds: false },
      { row: 'sieve', ratio: 0.6, bar: 1.1, holds: true },
      { row: 'peak MiB, boot', ratio: 0.69, bar: 0.7, holds: true },
      { row: 'peak MiB, workloads', ratio: 0.69, bar: 0.7, holds: true },
      { row: 'geometric mean of workloads', ratio: expect.closeTo(0.6), bar: 0.75, holds: true },
    ])
    expect(verdict(results)).toBe('7 of 8 bars hold; those of these rows do not: forkexec.')
    expect(asText(comparedTable(results.comparisons[0]!))).toMatch(/^forkexec +0\.600 +≤ 0\.50 +NO$/m)
  })
})

describe('the page', () => {
  it('keeps the parts that other commands wrote, in order', () => {
    const kernels = `${KERNEL_PART}\n\nold`
    const both = withPart(kernels, BOOT_PART, `${BOOT_PART}\n\nboots`)
    expect(both).toBe(`${KERNEL_PART}\n\nold\n\n${BOOT_PART}\n\nboots\n`)
    const all = withPart(both, MEMORY_PART, `${MEMORY_PART}\n\nlong`)
    expect(all).toBe(`${both}\n${MEMORY_PART}\n\nlong\n`)
    expect(withPart(all, KERNEL_PART, `${KERNEL_PART}\n\nnew`)).toBe(all.replace('old', 'new'))
    expect(withPart(all, BOOT_PART, `${BOOT_PART}\n\nagain`)).toBe(all.replace('boots', 'again'))
    expect(withPart(withPart(kernels, MEMORY_PART, `${MEMORY_PART}\n\nlong`), BOOT_PART, `${BOOT_PART}\n\nboots`)).toBe(
      all,
    )
  })

  const where = { ...setting(1), qemu: '7.2' }
  const page = (lines: string) =>
    bootPage(summarizeBoots([...round('vmexit-interpreter', 10, lines), ...round('qemu-tcg', 5, lines)]), where)

  it('says of each row that is lost to QEMU why, and what would close it', () => {
    const text = page(WORK)
    expect(lostRowsOf(text)).toEqual([
      'boot to /init',
      '… decompressing the kernel',
      'kernel to /init, notests',
      'sort',
      'sieve',
    ])
    expect(text).toMatch(/^- \*\*sort\*\*, 2\.00: .+ What would close it: .+\.$/m)
  })

  it('is refused with a row that is lost and nobody has said why', () => {
    expect(() => page(WORK.replaceAll('sort', 'juggling'))).toThrow('lost to QEMU without a reason: juggling')
  })

  it('has, as it is in the docs, a reason for each row that is lost', () => {
    const text = readFileSync(PAGE, 'utf8')
    for (const row of lostRowsOf(text)) {
      expect(REASONS).toHaveProperty([row])
      expect(text).toContain(`\n- **${row}**, `)
    }
  })

  it('needs no reason for what is won', () => {
    const results = summarizeBoots([...round('vmexit-interpreter', 5), ...round('qemu-tcg', 10)])
    expect(lost(results)).toEqual([])
  })
})

describe('QEMU', () => {
  it('boots what the others boot', () => {
    const args = qemuArguments({ kernel: 'k', initrd: 'i', append: 'a b' }).join(' ')
    expect(args).toContain('-m 128')
    expect(args).toMatch(/-serial stdio -kernel k -initrd i -append a b$/)
  })
})

describe('the command line', () => {
  it('says what is wrong with it', () => {
    const fails = (...args: string[]) => {
      try {
        parseBootOptions(args)
      } catch (error) {
        if (isVmexitError(error, 'bench-option')) return error.message
      }
      return undefined
    }
    const known = `there is no system 'bochs': say ${BOOT_SYSTEMS.join(', ')}`
    expect(fails('--system', 'bochs')).toBe(known)
    expect(fails('--systems', 'v86,bochs')).toBe(known)
    expect(fails('a', 'b')).toBe("'b' comes after the folder: name one folder")
    expect(fails('--rounds', '0')).toBe("'0' rounds: give a number from 1 to 999")
    expect(fails('--load')).toBe('--load without a system: name it with --system')
    expect(fails('--from', 'a', '--runs', 'b')).toMatch(/^--from and --runs/)
    expect(fails('--write-docs', '--workloads', 'sort')).toMatch(/^the docs show all workloads/)
    expect(parseBootOptions(['there', '--kernel', 'k'])).toMatchObject({
      kernel: 'k',
      initrd: 'there/initramfs.cpio.gz',
      systems: undefined,
    })
    expect(parseBootOptions(['--systems', 'qemu-tcg,v86']).systems).toEqual(['v86', 'qemu-tcg'])
  })
})
