/**
 * A comparison as one file of HTML that fetches nothing and runs no script: charts are tables with inline SVG. Whatever is in a comparison
 * is text in it, so that the file of a stranger may be shown.
 */
import { type Comparison, missingCells } from '../comparison.ts'
import { amount, times } from '../figures.ts'
import { heldAgainst } from '../held.ts'
import { chargeWords, whereTimeGoes } from '../sentences.ts'
import { instructionsOf } from '../start/start.ts'
import { costModel, exact, exitChart, overheadChart, startChart, timelineChart, walkChart } from './charts.ts'
import { html, Markup } from './markup.ts'
import { style } from './style.ts'

/** A table of one's own below the others: of what is no count and no modelled cycle. */
export interface ReportTable {
  readonly id: string
  readonly title: string
  /** What its figures are. */
  readonly about: string
  readonly head: readonly string[]
  /** The first field of each is the head of its row. */
  readonly rows: readonly (readonly string[])[]
}

/** What else is in a report. */
export interface ReportOptions {
  readonly tables?: readonly ReportTable[]
}

/** The document, from its doctype on. */
export function comparisonHtml(comparison: Comparison, { tables = [] }: ReportOptions = {}): string {
  const { kernel, profile, partial, techniques } = comparison
  const charts: readonly (readonly [id: string, title: string, chart: Markup | undefined])[] = [
    ['overhead', 'Overhead', overheadChart(comparison)],
    ['timeline', 'Timeline', timelineChart(comparison)],
    ['exits', 'Exits', exitChart(comparison)],
    ['walks', 'Page walks', walkChart(comparison)],
    ['starts', 'Starts', startChart(comparison)],
  ]
  const sections = [
    ...charts.filter(([, , chart]) => chart !== undefined),
    ['figures', 'All figures', figures(comparison)] as const,
    ...moreTables(comparison).map((table) => [table.id, table.title, tableSection(table)] as const),
    ['prices', 'Prices', prices(comparison)] as const,
    ...tables.map((table) => [table.id, table.title, tableSection(table)] as const),
    ['techniques', 'Techniques', techniqueList(comparison)] as const,
  ]
  const document = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>vmexit compare: ${techniques.length} techniques on the kernel ${kernel}</title><style>${new Markup(style)}</style></head>
<body><header><h1>The same programs under ${techniques.length} techniques</h1>
<dl><dt>kernel</dt><dd>${kernel}</dd><dt>cost model</dt><dd>${profile.name}</dd><dt>published in</dt><dd>${profile.source}</dd></dl>
${partialWarning(comparison, partial)}
<div class="lead">${whereTimeGoes(comparison).map((sentence) => html`<p>${sentence}</p>`)}</div></header>
<nav aria-label="Sections"><ul>${sections.map(([id, title]) => html`<li><a href="#${id}">${title}</a></li>`)}</ul></nav>
<main>
${sections.map(([, , section]) => section)}</main>
<footer><p>Counts are exact and the same on each run. Cycles are modelled: counts at the prices of one profile. Written by vmexit compare.</p></footer>
</body></html>
`
  return document.text
}

function partialWarning(comparison: Comparison, partial: string | undefined): Markup | undefined {
  if (partial === undefined) return undefined
  const missing = missingCells(comparison).length
  return html`<p class="warn"><strong>Partial (${partial}).</strong> ${missing} of ${comparison.workloads.length * comparison.techniques.length} cells were not measured.</p>`
}

/** A table that scrolls within itself, by keyboard too. */
function wide(label: string, head: readonly string[], rows: readonly (readonly string[])[]): Markup {
  return html`<div class="wide" role="region" tabindex="0" aria-label="${label}"><table><thead><tr>${head.map((each) => html`<th scope="col">${each}</th>`)}</tr></thead>
<tbody>${rows.map(([first, ...others]) => html`<tr><th scope="row">${first}</th>${others.map((field) => html`<td>${field}</td>`)}</tr>\n`)}</tbody></table></div>`
}

function figures(comparison: Comparison): Markup {
  const titles = new Map(comparison.techniques.map(({ name, title }) => [name, title]))
  const tables = comparison.workloads.map(({ name, title }) => {
    const cells = comparison.cells.filter(({ workload }) => workload === name)
    const events = [...new Set(cells.flatMap((cell) => Object.keys(cell.events)))].filter((event) =>
      cells.some((cell) => (cell.events[event] ?? 0) !== 0),
    )
    const rows = events.map((event) => [event, ...cells.map((cell) => exact(cell.events[event]))])
    const head = ['event', ...cells.map(({ technique }) => titles.get(technique) ?? technique)]
    const cycles = [
      'cycles (modelled)',
      ...cells.map((cell) => (cell.cycles === undefined ? 'no price' : exact(cell.cycles))),
    ]
    return html`<details><summary>${title}</summary>${wide(`Events of ${title}`, head, [...rows, cycles])}</details>\n`
  })
  return html`<section aria-labelledby="figures"><h2 id="figures">All figures</h2><p class="small">Exact counts of one repetition, by the names of the counters; · is none. The last line has modelled cycles. ${costModel(comparison)}</p>${tables}</section>\n`
}

/** Starts to the digit, and our containers held against a guest's. */
function moreTables(comparison: Comparison): readonly ReportTable[] {
  const { starts, techniques } = comparison
  const held = heldAgainst(comparison)
  const title = (name: string) => techniques.find((technique) => technique.name === name)?.title ?? name
  const cycles = (value: number | undefined) => (value === undefined ? 'no price' : exact(Math.round(value)))
  const started: ReportTable = {
    id: 'start-figures',
    title: 'Starts to the digit',
    about: `Instructions are exact counts; those of a process and a container are charged. Cycles are modelled. RAM is in use when the first program runs: of a guest whatever is not zero, of a process its frames, of a container what its control group is charged. ${costModel(comparison)}`,
    head: [
      '',
      'instructions to the first',
      'cycles',
      'exits',
      'to the end of true',
      'cycles',
      'exits',
      'image, bytes',
      'RAM, bytes',
      'in a GiB',
    ],
    rows: starts.map(({ technique, first, exit, imageBytes, residentBytes }) => [
      title(technique),
      ...[first, exit].flatMap((point) => [
        exact(instructionsOf(point)),
        cycles(point.cycles),
        exact(point.events['vm-exits']),
      ]),
      ...[
        exact(imageBytes),
        exact(residentBytes),
        residentBytes === 0 ? '·' : exact(Math.floor(2 ** 30 / residentBytes)),
      ],
    ]),
  }
  const contained: ReportTable = {
    id: 'held',
    title: 'Containers of ours and of the guest’s',
    about:
      'Instructions of a repetition in a container of ours, charged, and in one that the guest’s own kernel makes, counted. Where a constant of the charge comes from the row itself, they agree by construction.',
    head: ['', 'charged', 'counted', 'ratio', 'a constant comes from it'],
    rows: held.map(({ workload, charged, counted, byConstruction }) => [
      ...[workload, exact(charged), exact(counted), times(charged / counted), byConstruction ? 'yes' : 'no'],
    ]),
  }
  return [...(starts.length > 0 ? [started] : []), ...(held.length > 0 ? [contained] : [])]
}

function prices(comparison: Comparison): Markup {
  const found = new Map<string, number>()
  for (const { charges } of comparison.cells)
    for (const [event, { each }] of Object.entries(charges)) found.set(event, each)
  const without = [...new Set(comparison.cells.flatMap(({ unpriced }) => unpriced))]
  const rows = [...found]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([event, each]) => [chargeWords(event, 1), amount(each)])
  return html`<section aria-labelledby="prices"><h2 id="prices">Prices</h2><p class="small">${costModel(comparison)}</p>
${wide('Prices', ['one of', 'cycles'], [...rows, ...without.map((event) => [chargeWords(event, 1), 'no price'])])}</section>\n`
}

function tableSection({ id, title, about, head, rows }: ReportTable): Markup {
  return html`<section aria-labelledby="${id}"><h2 id="${id}">${title}</h2><p class="small">${about}</p>${wide(title, head, rows)}</section>\n`
}

function techniqueList(comparison: Comparison): Markup {
  const entries = comparison.techniques.map(({ name, title, about, basis }) => {
    const ratios = comparison.cells.flatMap(({ technique, ratio }) =>
      technique === name && ratio !== undefined ? [ratio] : [],
    )
    const range =
      ratios.length === 0
        ? undefined
        : html` <span class="small">${times(Math.min(...ratios))} to ${times(Math.max(...ratios))} native.</span>`
    return html`<dt>${title}</dt><dd>${about}${range}${basis === undefined ? undefined : html`<br><span class="small">Rests on: ${basis}.</span>`}</dd>\n`
  })
  return html`<section aria-labelledby="techniques"><h2 id="techniques">Techniques</h2><dl>${entries}</dl></section>\n`
}
