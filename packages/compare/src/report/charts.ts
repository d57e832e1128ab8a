/** The charts of a report. Each is a table of bars for each workload, under a caption that says what its figures are. */
import { BASELINE, type Cell, type Comparison } from '../comparison.ts'
import { amount, grouped, times, visible, whole } from '../figures.ts'
import { chargeWords } from '../sentences.ts'
import { bar, legend, stacked } from './bars.ts'
import { html, type Markup } from './markup.ts'

/** How cycles came about, in three sentences: they stand beside every chart of them. */
export function costModel({ profile, techniques }: Comparison): string {
  const ghz = profile.ghz === undefined ? '' : ` at ${profile.ghz} GHz`
  const calibrated = techniques.filter(({ basis }) => basis !== undefined).map(({ title }) => title)
  return (
    `Cost model: ${profile.name}${ghz} (confidence ${profile.class}). Counted events of one repetition at published prices, an ` +
    'instruction at one cycle; an exit is leaving, entering, ten VMREADs and the VMM’s own work where that was published. No measurement.' +
    (calibrated.length === 0 ? '' : ` Kernel work under ${calibrated.join(', ')} is charged by calibrated constants.`)
  )
}

const COUNTS = 'Exact counts of one repetition, the same on each run. No prices are in this figure.'

interface Row {
  readonly cell: Cell
  readonly bar: Markup
  readonly figure: string
}

/** A table of bars for one workload. Rows that there is no cell for are left out. */
function workloadChart(
  comparison: Comparison,
  workload: Comparison['workloads'][number],
  rows: readonly Row[],
  heads: readonly [string, string],
): Markup | undefined {
  if (rows.length === 0) return undefined
  const titles = new Map(comparison.techniques.map(({ name, title }) => [name, title]))
  return html`<table class="chart"><caption><strong>${workload.title}</strong> <span class="unit">${workload.name}: ${workload.unit}</span></caption>
<thead><tr><th scope="col">technique</th><th scope="col">${heads[0]}</th><th scope="col">${heads[1]}</th></tr></thead>
<tbody>${rows.map(({ cell, bar: drawn, figure }) => html`<tr><th scope="row">${titles.get(cell.technique)}</th><td>${drawn}</td><td>${figure}</td></tr>\n`)}</tbody></table>\n`
}

const rowOf = ({ cells, techniques }: Comparison, workload: string): readonly Cell[] =>
  techniques.flatMap(({ name }) => cells.filter((cell) => cell.workload === workload && cell.technique === name))

function section(
  id: string,
  title: string,
  about: string,
  caption: string,
  key: Markup | undefined,
  charts: readonly (Markup | undefined)[],
): Markup | undefined {
  const drawn = charts.filter((chart) => chart !== undefined)
  if (drawn.length === 0) return undefined
  return html`<section aria-labelledby="${id}"><h2 id="${id}">${title}</h2><figure><figcaption><p>${about}</p><p>${caption}</p></figcaption>${key}${drawn}</figure></section>\n`
}

/** The decimal logarithm of a positive number to a millionth, with the same bits on every host. */
function decades(value: number): number {
  let left = value
  let whole = 0
  for (; left >= 10; left /= 10) whole++
  for (; left < 1; left *= 10) whole--
  let fraction = 0
  for (let bit = 0.5; bit > 1e-6; bit /= 2) {
    left *= left
    if (left >= 10) {
      left /= 10
      fraction += bit
    }
  }
  return whole + fraction
}

/** Ratios to native, on a logarithmic scale from native to either side. */
export function overheadChart(comparison: Comparison): Markup | undefined {
  const ratios = comparison.cells.flatMap(({ ratio = 0 }) => (ratio > 0 ? [ratio] : []))
  const low = decades(Math.min(0.9, ...ratios))
  const high = decades(Math.max(10, ...ratios))
  const place = (ratio: number) => (decades(ratio) - low) / (high - low)
  const marks = Array.from({ length: Math.floor(high) - Math.ceil(low) + 1 }, (_, n) =>
    place(10 ** (Math.ceil(low) + n)),
  )
  const charts = comparison.workloads.map((workload) => {
    const rows = rowOf(comparison, workload.name).flatMap((cell): Row[] => {
      const { ratio, technique, cycles } = cell
      if (technique === BASELINE) return []
      if (ratio === undefined || ratio <= 0) return [{ cell, bar: bar([], 'no price', marks), figure: 'no price' }]
      const said = `${times(ratio)} native, ${whole(cycles ?? 0)} cycles`
      const [from, to] = ratio < 1 ? [place(ratio), place(1)] : [place(1), place(ratio)]
      const colour = Math.abs(ratio - 1) < 0.005 ? 7 : ratio < 1 ? 2 : 1
      return [{ cell, bar: bar([{ colour, from, to, title: said }], said, marks), figure: `${times(ratio)}` }]
    })
    return workloadChart(comparison, workload, rows, ['ratio to native', 'ratio'])
  })
  if (ratios.length === 0) return undefined
  const about = `Modelled cycles of one repetition, native's being 1. The scale is logarithmic: each line is ten times the one before, and bars begin at native. What costs the same has a grey mark.`
  return section(
    'overhead',
    'Overhead',
    about,
    costModel(comparison),
    legend(['dearer than native', 'cheaper than native'], 1),
    charts,
  )
}

/** What the time of a repetition consists of, in an order that follows the legend. */
const PARTS: readonly (readonly [name: string, is: (event: string) => boolean])[] = [
  ["the program's and the guest's instructions", (event) => event === 'instructions'],
  ['VM exits', (event) => event.startsWith('vm-exits-')],
  ["the kernel's work, charged", (event) => event === 'kernel-instructions' || event === 'container-instructions'],
  ["the VMM's work behind exits", (event) => event === 'true-faults' || event === 'traced-writes'],
  ['page walks', (event) => event === 'walk-references' || event === 'second-stage-references'],
  ['faults and other exceptions', (event) => event === 'page-faults' || event === 'other-exceptions'],
  ['entries of system calls', (event) => event === 'system-calls'],
  ['ports and the rest', () => true],
]

/** One repetition on an axis of modelled time, for each workload as long as its dearest technique takes. */
export function timelineChart(comparison: Comparison): Markup | undefined {
  const charts = comparison.workloads.map((workload) => {
    const cells = rowOf(comparison, workload.name).filter(({ cycles }) => cycles !== undefined)
    const most = Math.max(1, ...cells.map(({ cycles }) => cycles ?? 0))
    const rows = cells.map((cell): Row => {
      const parts = PARTS.map(() => ({ length: 0, words: [] as string[] }))
      for (const [event, { count, each }] of Object.entries(cell.charges)) {
        const part = parts[PARTS.findIndex(([, is]) => is(event))]!
        part.length += count * each
        part.words.push(`${amount(count)} ${chargeWords(event, count)} at ${amount(each)}`)
      }
      const shown = parts.map(({ length, words }, colour) => ({
        colour,
        length,
        title: `${PARTS[colour]![0]}: ${whole(length)} cycles (${words.join(', ')})`,
      }))
      const said = shown.filter(({ length }) => length > 0).map(({ title }) => title)
      return { cell, bar: bar(stacked(shown, most), said.join('; ')), figure: whole(cell.cycles ?? 0) }
    })
    return workloadChart(comparison, workload, rows, ['modelled time', 'cycles'])
  })
  const about =
    'One repetition from its beginning to its end, by what the time goes to. Parts of a kind stand together; in what order they really come is not shown. Each workload has a scale of its own.'
  return section(
    'timeline',
    'Timeline of a repetition',
    about,
    costModel(comparison),
    legend(PARTS.map(([name]) => name)),
    charts,
  )
}

/** Exits by reason. */
export function exitChart(comparison: Comparison): Markup | undefined {
  const reasonsOf = ({ events }: Cell) =>
    Object.entries(events).flatMap(([event, count]) =>
      event.startsWith('vm-exits-') && visible(count) ? [{ reason: event.slice('vm-exits-'.length), count }] : [],
    )
  const all = [...new Set(comparison.cells.flatMap((cell) => reasonsOf(cell).map(({ reason }) => reason)))].sort()
  // The last colour is for whatever has none of its own.
  const colour = (reason: string) => Math.min(7, all.indexOf(reason))
  const charts = comparison.workloads.map((workload) => {
    const cells = rowOf(comparison, workload.name).filter(({ events }) => visible(events['vm-exits']))
    const most = Math.max(...cells.map(({ events }) => events['vm-exits'] ?? 0))
    const rows = cells.map((cell): Row => {
      const reasons = reasonsOf(cell)
      const shown = reasons.map(({ reason, count }) => ({
        colour: colour(reason),
        length: count,
        title: `${reason}: ${amount(count)}`,
      }))
      const total = amount(cell.events['vm-exits'] ?? 0)
      return { cell, bar: bar(stacked(shown, most), shown.map(({ title }) => title).join(', ')), figure: total }
    })
    return workloadChart(comparison, workload, rows, ['exits by reason', 'exits'])
  })
  const names = all.length > 8 ? [...all.slice(0, 7), all.slice(7).join(', ')] : all
  const about =
    'Where the guest leaves to its VMM. Techniques without an exit are left out, and so are workloads without any. Each workload has a scale of its own.'
  return section('exits', 'Exits by reason', about, COUNTS, legend(names), charts)
}

/** References of page walks, both stages apart. */
export function walkChart(comparison: Comparison): Markup | undefined {
  const charts = comparison.workloads.map((workload) => {
    const cells = rowOf(comparison, workload.name).filter(({ events }) => visible(events['tlb-misses']))
    const references = ({ events }: Cell) => (events['walk-references'] ?? 0) + (events['second-stage-references'] ?? 0)
    const most = Math.max(...cells.map(references))
    const rows = cells.map((cell): Row => {
      const { events, walkReferencesPerMiss = 0 } = cell
      const parts = [
        {
          colour: 0,
          length: events['walk-references'] ?? 0,
          title: `${amount(events['walk-references'] ?? 0)} in the guest's tables`,
        },
        {
          colour: 1,
          length: events['second-stage-references'] ?? 0,
          title: `${amount(events['second-stage-references'] ?? 0)} in the second stage`,
        },
      ]
      const said = `${parts.map(({ title }) => title).join(', ')}; ${amount(events['tlb-misses'] ?? 0)} misses`
      return {
        cell,
        bar: bar(stacked(parts, most), said),
        figure: `${amount(references(cell))}, ${amount(walkReferencesPerMiss)} a miss`,
      }
    })
    return workloadChart(comparison, workload, rows, ['references of walks', 'references'])
  })
  const about =
    'Memory references of page walks after misses of the TLB. Techniques and workloads that miss nothing are left out. Each workload has a scale of its own.'
  return section(
    'walks',
    'Page walks',
    about,
    COUNTS,
    legend(["the guest's tables (of the only stage, where there is one)", 'the second stage']),
    charts,
  )
}

/** What starts take, on a logarithmic scale, to the first instruction and to the end of a program. */
export function startChart({ starts, techniques, profile, ...comparison }: Comparison): Markup | undefined {
  const all = starts.flatMap(({ first, exit }) => [first.cycles ?? 0, exit.cycles ?? 0]).filter((cycles) => cycles > 0)
  if (starts.length === 0) return undefined
  const [low, high] = [decades(Math.min(1e4, ...all)), decades(Math.max(1e5, ...all))]
  const place = (cycles: number) => (decades(cycles) - low) / (high - low)
  const marks = Array.from({ length: Math.floor(high) - Math.ceil(low) + 1 }, (_, n) =>
    place(10 ** (Math.ceil(low) + n)),
  )
  const ms = (cycles: number) => {
    if (profile.ghz === undefined) return `${whole(cycles)} cycles`
    const value = cycles / profile.ghz / 1e6
    return `${value < 100 ? value.toFixed(2) : whole(value)} ms`
  }
  const rows = starts.map(({ technique, first, exit }) => {
    const title = techniques.find(({ name }) => name === technique)?.title
    const [begin = 0, end = 0] = [first.cycles, exit.cycles]
    if (begin <= 0 || end <= 0)
      return html`<tr><th scope="row">${title}</th><td>${bar([], 'no price', marks)}</td><td>no price</td></tr>\n`
    const said = `${whole(begin)} cycles to the first instruction, ${whole(end)} to the end of true`
    const segments = [
      { colour: 0, from: 0, to: place(begin), title: `to the first instruction: ${whole(begin)} cycles` },
      { colour: 1, from: place(begin), to: place(end), title: `to the end of true: ${whole(end)} cycles` },
    ]
    return html`<tr><th scope="row">${title}</th><td>${bar(segments, said, marks)}</td><td>${ms(begin)}</td></tr>\n`
  })
  const chart = html`<table class="chart"><caption><strong>Start of an instance</strong> <span class="unit">modelled time to the first instruction of a program</span></caption>
<thead><tr><th scope="col">technique</th><th scope="col">modelled time</th><th scope="col">to the first instruction</th></tr></thead>
<tbody>${rows}</tbody></table>\n`
  const about =
    'What it takes until the first instruction of the first program, and until a program that does nothing has ended: of a guest from the entry of its kernel, of a process and a container on a kernel that runs. Ports that a boot asks are exits of a VM; on the bare machine nothing counts them. The scale is logarithmic: each line is ten times the one before.'
  return section(
    'starts',
    'Starts',
    about,
    costModel({ starts, techniques, profile, ...comparison }),
    legend(['to the first instruction', 'from there to the end of true']),
    [chart],
  )
}

/** Digits of a count as they are: for tables that are read to the digit. */
export const exact = (value: number | undefined): string => {
  if (value === undefined || value === 0) return '·'
  const rounded = Math.round(value * 1e6) / 1e6
  const [digits, fraction] = String(rounded).split('.')
  return fraction === undefined ? grouped(digits!) : `${grouped(digits!)}.${fraction}`
}
