/** The page: its views, and in the first of them one machine at a time, from what the form says to what the terminal shows. */

import type { Offer } from '../offer.ts'
import { openComparison } from './comparison/view.ts'
import { type Connection, start } from './connect.ts'
import { type ContainerView, openContainer } from './container/view.ts'
import { element } from './element.ts'
import { FigureBoard } from './figures.ts'
import { sortFiles } from './file-kinds.ts'
import { ExitLog } from './inspect/exits.ts'
import { PagingPanel } from './inspect/paging.ts'
import { openPanel } from './inspect/panel.ts'
import { openParts } from './parts/view.ts'
import { type Problem, problemOf } from './problem.ts'
import type { Report, Request } from './protocol.ts'
import { type Choice, Settings } from './settings.ts'
import { fetchOffer, readAll } from './sources.ts'
import { openTerminal } from './terminal.ts'
import { openViews } from './views.ts'
import { endingOf, mebibytes } from './words.ts'

/** What the machine is doing. One that has halted can still be reset. */
type State = 'off' | 'loading' | 'running' | 'halted'

const settings = new Settings()
const figures = new FigureBoard()
const exits = new ExitLog()
const paging = new PagingPanel((linear) => ask({ type: 'look', linear }))
const terminal = openTerminal(element('terminal', HTMLDivElement), {
  onInput: (text) => ask({ type: 'input', text }),
  onResize: showSize,
})

openPanel((name) => {
  if (name === 'paging' && state === 'running') ask({ type: 'look', linear: undefined })
})

let state: State = 'off'
let connection: Connection | undefined
let loading: AbortController | undefined

function enter(next: State, status: string): void {
  state = next
  document.body.dataset['state'] = next
  element('status', HTMLOutputElement).value = status
  const on = next === 'running' || next === 'halted'
  settings.locked = next !== 'off'
  element('start', HTMLButtonElement).disabled = next !== 'off'
  element('stop', HTMLButtonElement).disabled = next === 'off'
  element('reset', HTMLButtonElement).disabled = !on
  element('look', HTMLFormElement).querySelector('button')!.disabled = !on
  for (const id of ['power', 'tell-size']) element(id, HTMLButtonElement).disabled = next !== 'running'
}

function ask(request: Request): void {
  connection?.send(request)
}

/** Switches the machine off, whatever it is doing. */
function switchOff(status: string): void {
  loading?.abort()
  loading = undefined
  connection?.[Symbol.dispose]()
  connection = undefined
  figures.rest()
  element('running', HTMLElement).textContent = ''
  enter('off', status)
}

function showProblem(problem: Problem): void {
  element('problem', HTMLElement).hidden = false
  element('problem-what', HTMLElement).textContent = sentence(problem.what)
  element('problem-remedy', HTMLElement).textContent = sentence(problem.remedy)
}

/** A clause as a sentence. File names and the like keep their first letter. */
function sentence(clause: string): string {
  const capital = /^[a-z]+[ ,']/.test(clause) ? clause[0]!.toUpperCase() + clause.slice(1) : clause
  return /[.!?]$/.test(capital) ? capital : `${capital}.`
}

function hideProblem(): void {
  element('problem', HTMLElement).hidden = true
}

function fail(error: unknown): void {
  console.error(error)
  switchOff('Off')
  showProblem(problemOf(error))
}

/** Loads what is chosen, and starts a machine with it. */
async function boot(choice: Choice): Promise<void> {
  hideProblem()
  figures.clear()
  paging.clear()
  exits.clear(whyNoExits(choice.way.name))
  clearScreen()
  enter('loading', 'Loading')
  const control = new AbortController()
  loading = control
  const files = await readAll(choice.files, control.signal, (source, bytes) => {
    const { name, bytes: all } = source
    element('loading-what', HTMLElement).textContent = `${name}: ${mebibytes(bytes)} of ${mebibytes(all)}`
    element('loading-bar', HTMLProgressElement).value = all > 0 ? bytes / all : 0
  })
  const { append, memory, engine, thread, way } = choice
  const setup = { files, append, memory, engine: engine.name, way: way.pc, slice: engine.slice }
  const machine = await start(thread, setup, report)
  if (control.signal.aborted) return machine[Symbol.dispose]()
  connection = machine
  const where = thread === 'worker' ? 'a worker' : 'the page’s thread'
  element('running', HTMLElement).textContent = `${choice.title} · ${memory} · ${engine.name} in ${where}`
}

/** How more guests come to the page, where a server has few. */
function showHint({ guests, folder, remedy }: Offer): void {
  const hint = element('offer-hint', HTMLElement)
  hint.hidden = guests.length > 0 || remedy === ''
  hint.textContent = `There are no more guests in ${folder}: \`${remedy}\` fetches Debian’s kernel; then reload this page.`
}

/** Boots the teaching kernel under a technique, in the place of whatever runs. */
function bootTeaching(way: string): void {
  if (state !== 'off') switchOff('Off')
  settings.chooseTeaching(way)
  document.location.hash = '#machine'
  startChosen()
}

function whyNoExits(way: string): string {
  if (way === 'native') return 'The guest owns the machine: there is nobody to exit to. Choose VT-x under Technique.'
  if (way === 'software-emulation')
    return 'The VMM does every instruction itself: nothing of the guest runs on the CPU that could exit.'
  return 'No exits yet.'
}

function report(said: Report): void {
  switch (said.type) {
    case 'running':
      enter('running', 'Running')
      terminal.focus()
      break
    case 'output':
      document.body.dataset['printed'] = ''
      terminal.print(said.bytes, () => ask({ type: 'shown', bytes: said.bytes.length }))
      break
    case 'figures':
      figures.show(said.figures)
      exits.show(said.figures)
      break
    case 'paging':
      paging.show(said.view)
      break
    case 'ended': {
      const { status, problem } = endingOf(said)
      if (said.reason === 'off') switchOff(status)
      else enter('halted', status)
      figures.rest()
      if (problem !== undefined) showProblem(problem)
      break
    }
    case 'problem':
      switchOff('Off')
      showProblem(said.problem)
  }
}

function clearScreen(): void {
  terminal.clear()
  delete document.body.dataset['printed']
}

function showSize(columns: number, rows: number): void {
  element('size', HTMLElement).textContent = `${columns} × ${rows}`
}

function onClick(id: string, action: () => void): void {
  element(id, HTMLButtonElement).addEventListener('click', action)
}

settings.form.addEventListener('submit', (event) => {
  event.preventDefault()
  startChosen()
})

function startChosen(): void {
  try {
    boot(settings.choice).catch((error) => {
      if (!(error instanceof DOMException && error.name === 'AbortError')) fail(error)
    })
  } catch (error) {
    fail(error)
  }
}

onClick('stop', () => switchOff('Off'))
onClick('reset', () => {
  hideProblem()
  clearScreen()
  ask({ type: 'reset' })
})
onClick('power', () => {
  ask({ type: 'press-power-button' })
  terminal.focus()
})
onClick('tell-size', () => {
  ask({ type: 'input', text: `stty cols ${terminal.columns} rows ${terminal.rows}\r` })
  terminal.focus()
})
onClick('problem-close', hideProblem)

document.addEventListener('dragover', (event) => {
  event.preventDefault()
  document.body.classList.toggle('dropping', state === 'off')
})
document.addEventListener('dragleave', () => document.body.classList.remove('dropping'))
document.addEventListener('drop', (event) => {
  event.preventDefault()
  document.body.classList.remove('dropping')
  if (state !== 'off') return
  hideProblem()
  sortFiles(event.dataTransfer?.files ?? []).then((files) => settings.take(files), fail)
})

/** Views that are opened when they are first shown. */
let container: ContainerView | undefined
let images: Offer['images'] = []
const opened = new Set<string>()
openViews((name) => {
  if (opened.has(name)) return
  opened.add(name)
  if (name === 'parts') openParts(bootTeaching).catch((error) => showProblem(problemOf(error)))
  if (name === 'container') {
    container = openContainer(showProblem)
    container.offer(images)
  }
  if (name === 'comparison') openComparison(showProblem)
})

enter('off', 'Off')
showSize(terminal.columns, terminal.rows)
try {
  const offer = await fetchOffer()
  settings.offer(offer)
  showHint(offer)
  images = offer.images
  container?.offer(images)
} catch (error) {
  fail(error)
}
