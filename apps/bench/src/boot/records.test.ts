import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { readRecords, writeRecord } from './records.ts'
import type { Booted } from './results.ts'
import { Timeline } from './timeline.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'records-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const boot = (system: Booted['system'], kind: Booted['kind'], date: string): Booted => {
  const read = () => ({ wall: 0, cpu: 0, instructions: 0 })
  return { system, kind, record: new Timeline(system, read, `${date}T12:00:00Z`).finish(1) }
}

it('what was written is read again, round by round', () => {
  const first = [boot('v86', 'whole', '2020-01-01'), boot('v86', 'workloads', '2020-01-01')]
  const second = [boot('v86', 'whole', '2020-01-01'), boot('v86', 'workloads', '2020-01-02')]
  for (const each of first) writeRecord(folder, 1, each)
  for (const each of second) writeRecord(folder, 2, each)
  expect(readRecords(folder)).toEqual({ booted: [...first, ...second], rounds: 2, date: '2020-01-02' })
})

it('a round that a system lacks is named', () => {
  for (const system of ['v86', 'qemu-tcg'] as const) {
    writeRecord(folder, 1, boot(system, 'whole', '2020-01-01'))
    writeRecord(folder, 1, boot(system, 'workloads', '2020-01-01'))
  }
  writeRecord(folder, 2, boot('v86', 'whole', '2020-01-01'))
  expect(() => readRecords(folder)).toThrow('v86.2.json, qemu-tcg-boot.2.json, qemu-tcg.2.json')
  expect(() => readRecords(join(folder, 'nowhere'))).toThrow('lacks records')
})
