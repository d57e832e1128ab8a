/** Records of boots as files: `SYSTEM.ROUND.json` with workloads, `SYSTEM-boot.ROUND.json` of the kernel as it is. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { VmexitError } from '@vmexit/core'
import { BOOT_SYSTEMS } from './names.ts'
import type { Booted } from './results.ts'
import type { BootRecord } from './timeline.ts'

export function writeRecord(folder: string, round: number, { system, kind, record }: Booted): void {
  mkdirSync(folder, { recursive: true })
  const name = kind === 'whole' ? `${system}-boot` : system
  writeFileSync(join(folder, `${name}.${round}.json`), `${JSON.stringify(record, undefined, 1)}\n`)
}

/** The records of a folder, by round. */
export interface Recorded {
  readonly booted: readonly Booted[]
  readonly rounds: number
  /** The day of the last one. */
  readonly date: string
}

/**
 * The records that {@link writeRecord} left in `folder`, of all systems that this program knows.
 * @throws VmexitError `bench-records` if there are none, or if a system lacks a round that others have.
 */
export function readRecords(folder: string): Recorded {
  const files = new Set(filesOf(folder))
  const roundOf = (file: string): number => Number(/\.(\d+)\.json$/.exec(file)?.[1] ?? 0)
  const systems = BOOT_SYSTEMS.filter((system) => files.has(`${system}.1.json`))
  const names = systems.flatMap((system) => [
    { system, kind: 'whole' as const, name: `${system}-boot` },
    { system, kind: 'workloads' as const, name: system },
  ])
  const ofKnown = [...files].filter((file) => names.some(({ name }) => file.startsWith(`${name}.`)))
  const rounds = Math.max(0, ...ofKnown.map(roundOf))
  const expected = Array.from({ length: rounds }, (_, index) =>
    names.map((each) => ({ ...each, file: `${each.name}.${index + 1}.json` })),
  ).flat()
  const missing = expected.filter(({ file }) => !files.has(file)).map(({ file }) => file)
  if (expected.length === 0 || missing.length > 0)
    throw new VmexitError('bench-records', {
      problem: `${folder} lacks ${missing.length > 0 ? missing.join(', ') : 'records'}`,
      remedy: 'give a folder that `bench boot --runs` wrote, with the same rounds of each system',
    })
  const booted = expected.map(({ system, kind, file }) => {
    const record = JSON.parse(readFileSync(join(folder, file), 'utf8')) as BootRecord
    return { system, kind, record }
  })
  const dates = booted.map(({ record }) => record.date).toSorted()
  return { booted, rounds, date: dates.at(-1)!.slice(0, 10) }
}

function filesOf(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
