/** A comparison as comma-separated values (RFC 4180, with a line feed): a line for each cell, a column for each event. */
import type { Comparison } from './comparison.ts'

const quoted = (field: string): string => (/[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)

const NO_RATIO = { ratio: undefined, walkReferencesPerMiss: undefined }

/** All cells, and of each start two lines. What there is no figure for is empty; an event that did not happen is 0 where it is counted. */
export function comparisonCsv({ kernel, profile, cells, starts }: Comparison): string {
  const points = starts.flatMap(({ technique, first, exit, imageBytes, residentBytes }) => {
    const more = { 'image-bytes': imageBytes, 'resident-bytes': residentBytes }
    return [
      { ...first, events: { ...first.events, ...more }, workload: 'start-first', technique },
      { ...exit, workload: 'start-exit', technique },
    ]
  })
  const all = [...cells, ...points.map((point) => ({ ...point, checksum: '', ...NO_RATIO }))]
  const events = [...new Set(all.flatMap((cell) => Object.keys(cell.events)))]
  const head = ['kernel', 'profile', 'workload', 'technique', 'checksum', 'cycles', 'ratio', 'references-per-miss']
  const rows = all.map((cell) => [
    ...[kernel, profile.name, cell.workload, cell.technique, cell.checksum],
    ...[cell.cycles, cell.ratio, cell.walkReferencesPerMiss, ...events.map((event) => cell.events[event])],
    cell.unpriced.join(' '),
  ])
  return [[...head, ...events, 'unpriced'], ...rows]
    .map((row) => `${row.map((field) => quoted(field === undefined ? '' : String(field))).join(',')}\n`)
    .join('')
}
