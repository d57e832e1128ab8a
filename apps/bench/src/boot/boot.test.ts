import { isVmexitError } from '@vmexit/core'
import { describe, expect, it } from 'vitest'
import { BOOT_PART, KERNEL_PART, withPart } from '../docs.ts'
import { asText } from '../tables.ts'
import { parseBootOptions } from './options.ts'
import { type Booted, summarizeBoots } from './results.ts'
import { bootTable } from './tables.ts'
import { type BootRecord, Timeline } from './timeline.ts'

/** A guest that says these lines, each of which takes `ms` and a thousand instructions. */
function booted(system: string, lines: string, ms: number): BootRecord {
  let said = 0
  const read = () => ({ wall: 2 * said * ms, cpu: said * ms, instructions: said * 1000 })
  const timeline = new Timeline(system, read, '2020-01-01')
  for (const line of lines.split('\n')) {
    said++
    timeline.feed(new TextEncoder().encode(`${line}\r\n`))
  }
  return timeline.record
}

const BOOT =
  'Decompressing\n[    0.000000] Linux version 6.1\nFreeing unused kernel image\n@@INIT uptime\n@@SHELL 6.1\n@@DONE'
const WORK = `${BOOT.replace('@@DONE', '')}@@S sort\n[ 1.0] noise\n3548\n@@E sort 0
@@S sieve\n@@R sieve ops=150 ns=99 x check=0034a490\n@@E sieve 0\n@@DONE`

describe('the timeline', () => {
  it('knows milestones, workloads, what they take and what they say', () => {
    const record = booted('a', WORK, 10)
    expect(record.milestoneCpu).toEqual({ kernel: 20, freeing: 30, init: 40, shell: 50, done: 130 })
    expect(record.milestones['kernel']).toBe(40)
    expect(record.workloadCpu).toEqual({ sort: 30, sieve: 20 })
    expect(record.insns).toEqual({ sort: 3000, sieve: 2000 })
    expect(record.output).toEqual({ sort: '3548' })
    expect(record.results).toEqual({ sieve: { ops: 150, guestNs: 99, check: '0034a490' } })
    expect(record.failed).toEqual([])
  })
})

describe('the figures', () => {
  const rounds = (theirs: string): Booted[] => [
    { system: 'interpreter', kind: 'whole', record: booted('a', BOOT, 10) },
    { system: 'v86', kind: 'whole', record: booted('b', BOOT, 40) },
    { system: 'interpreter', kind: 'workloads', record: booted('a', WORK, 10) },
    { system: 'v86', kind: 'workloads', record: booted('b', theirs, 50) },
  ]

  it("are vmexit's time over v86's, row by row", () => {
    const results = summarizeBoots(rounds(WORK))
    expect(results.boots.map(({ ratio }) => ratio.median)).toEqual([0.25, 0.25, 0.2])
    expect(results.mean).toBeCloseTo(0.2)
    expect(asText(bootTable(results))).toMatch(/^sort +0 +30 +150 +0 +0\.200$/m)
  })

  it('are refused where workloads fail or say something else', () => {
    expect(() => summarizeBoots(rounds(WORK.replace('3548', '3549')))).toThrow(
      'sort: interpreter printed 3548, v86 3549',
    )
    expect(() => summarizeBoots(rounds(WORK.replace('@@E sort 0', '@@E sort 1')))).toThrow('sort failed under v86')
  })
})

describe('the page', () => {
  it('keeps the part that the other command wrote', () => {
    const kernels = `${KERNEL_PART}\n\nold`
    const both = withPart(kernels, BOOT_PART, `${BOOT_PART}\n\nboots`)
    expect(both).toBe(`${KERNEL_PART}\n\nold\n\n${BOOT_PART}\n\nboots\n`)
    expect(withPart(both, KERNEL_PART, `${KERNEL_PART}\n\nnew`)).toBe(both.replace('old', 'new'))
    expect(withPart(both, BOOT_PART, `${BOOT_PART}\n\nagain`)).toBe(both.replace('boots', 'again'))
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
    expect(fails('--system', 'bochs')).toBe("there is no system 'bochs': say interpreter, v86, v86-jit")
    expect(fails('a', 'b')).toBe("'b' comes after the folder: name one folder")
    expect(fails('--rounds', '0')).toBe("'0' rounds: give a number from 1 to 999")
    expect(parseBootOptions(['there', '--kernel', 'k'])).toMatchObject({
      kernel: 'k',
      initrd: 'there/initramfs.cpio.gz',
    })
  })
})
