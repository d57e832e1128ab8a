/** The page: one machine at a time, from what the form says to what the terminal shows. */
import { type Connection, start } from './connect.ts'
import { element } from './element.ts'
import { FigureBoard } from './figures.ts'
import { sortFiles } from './file-kinds.ts'
import { type Problem, problemOf } from './problem.ts'
import type { Report, Request } from './protocol.ts'
import { type Choice, Settings } from './settings.ts'
import { fetchOffer, readAll } from './sources.ts'
import { openTerminal } from './terminal.ts'
import { endingOf, mebibytes } from './words.ts'

/** What the machine is doing. One that has halted can still be reset. */
type State = 'off' | 'loading' | 'running' | 'halted'

const settings = new Settings()
const figures = new FigureBoard()
const terminal = openTerminal(element('terminal', HTMLDivElement), {
  onInput: (text) => ask({ type: 'input', text }),
  onResize: showSize,
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
  clearScreen()
  enter('loading', 'Loading')
  const control = new AbortController()
  loading = control
  const files = await readAll(choice.files, control.signal, (source, bytes) => {
    const { name, bytes: all } = source
    element('loading-what', HTMLElement).textContent = `${name}: ${mebibytes(bytes)} of ${mebibytes(all)}`
    element('loading-bar', HTMLProgressElement).value = all > 0 ? bytes / all : 0
  })
  const { append, memory, engine, thread } = choice
  const setup = { files, append, memory, engine: engine.name, slice: engine.slice }
  const machine = await start(thread, setup, report)
  if (control.signal.aborted) return machine[Symbol.dispose]()
  connection = machine
  const where = thread === 'worker' ? 'a worker' : 'the page’s thread'
  element('running', HTMLElement).textContent = `${choice.title} · ${memory} · ${engine.name} in ${where}`
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
  try {
    boot(settings.choice).catch((error) => {
      if (!(error instanceof DOMException && error.name === 'AbortError')) fail(error)
    })
  } catch (error) {
    fail(error)
  }
})
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

enter('off', 'Off')
showSize(terminal.columns, terminal.rows)
try {
  const offer = await fetchOffer()
  settings.offer(offer)
  if (offer.guests.length === 0) {
    showProblem({
      what: `the server has no guests: there are none in ${offer.folder}`,
      remedy: `fetch them with \`${offer.remedy}\` and reload this page, or boot files of your own`,
    })
  }
} catch (error) {
  fail(error)
}
