/** Medians over rounds, and the bars that they are held against. */
import { FS_SYSTEMS } from './systems.ts'
import { type FsSample, OPERATIONS, type Operation } from './work.ts'

/** The samples of one file system, a round each. */
export interface FsRow {
  readonly name: string
  readonly samples: readonly FsSample[]
}

/** A bar: what is held against what, and whether it holds. */
export interface FsBar {
  readonly title: string
  readonly value: number
  readonly bar: number
  readonly holds: boolean
}

/** The median over rounds, of what `of` takes from a sample. */
function medianOf({ samples }: FsRow, of: (sample: FsSample) => number): number {
  const values = samples.map(of).toSorted((a, b) => a - b)
  return values[Math.floor(values.length / 2)]!
}

const micros = (row: FsRow, operation: Operation): number => medianOf(row, (sample) => sample.micros[operation])

/** The bars that the measured rows allow to be judged. */
export function judgeFs(rows: readonly FsRow[]): FsBar[] {
  const bars: FsBar[] = []
  const row = (name: string): FsRow | undefined => rows.find((each) => each.name === name)
  const atMost = (title: string, value: number, bar: number): void => {
    bars.push({ title, value, bar, holds: value <= bar })
  }
  const compare = (name: string, operation: Operation, bar: number): void => {
    const [one, bare] = [row(name), row('tmpfs')]
    const title = FS_SYSTEMS.find((each) => each.name === name)!.title
    if (one && bare) atMost(`${operation}, ${title} / tmpfs`, micros(one, operation) / micros(bare, operation), bar)
  }
  compare('overlay-tmpfs', 'create', 2)
  for (const name of ['overlay-tmpfs', 'overlay-tmpfs-lower'])
    for (const operation of ['lookup', 'read'] as const) compare(name, operation, 1.3)
  const [tmpfs, memfs] = [row('tmpfs'), row('memfs')]
  if (tmpfs && memfs) atMost('create, tmpfs / memfs', micros(tmpfs, 'create') / micros(memfs, 'create'), 1 / 3)
  if (tmpfs)
    atMost(
      'bytes of heap per empty file, tmpfs',
      medianOf(tmpfs, ({ bytesPerFile }) => bytesPerFile),
      512,
    )
  return bars
}

/** Microseconds of each operation, a row per file system. */
export function fsTable(rows: readonly FsRow[]): string[][] {
  const body = rows.map((row) => {
    const system = FS_SYSTEMS.find(({ name }) => name === row.name)!
    const figure = (operation: Operation): string =>
      operation === 'create' && system.isBelow ? '–' : micros(row, operation).toFixed(2)
    const bytes = system.isBelow ? '–' : medianOf(row, ({ bytesPerFile }) => bytesPerFile).toFixed(0)
    return [system.title, ...OPERATIONS.map(figure), bytes]
  })
  return [['µs per call', ...OPERATIONS, 'bytes per empty file'], ...body]
}

/** The bars, a row each. */
export function barTable(bars: readonly FsBar[]): string[][] {
  const figure = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toFixed(2))
  const body = bars.map(({ title, value, bar, holds }) => [
    title,
    figure(value),
    figure(bar),
    holds ? 'holds' : 'missed',
  ])
  return [['bar', 'measured', 'at most', ''], ...body]
}
