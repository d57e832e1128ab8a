/** The view of comparisons: which rows and columns, how far it is, and the report as `vmexit compare --html` writes it. */
import { lost } from '../connect.ts'
import { element } from '../element.ts'
import { type Problem, problemOf } from '../problem.ts'
import { teaching } from '../teaching.ts'
import type { ComparisonReport, ComparisonRequest, Offered } from './protocol.ts'

/** Rows that are chosen at first: a telling few, which take some seconds. */
const telling = ['syscall', 'cpuid', 'pgfault', 'ptemod', 'fork', 'random']

/** Shows the view; `fail` shows what went wrong. */
export function openComparison(fail: (problem: Problem) => void): void {
  const form = element('comparison', HTMLFormElement)
  const [start, stop] = [element('compare-start', HTMLButtonElement), element('compare-stop', HTMLButtonElement)]
  const bar = element('compare-bar', HTMLProgressElement)
  const frame = element('report', HTMLIFrameElement)
  let worker = newWorker()
  let offered = false

  function newWorker(): Worker {
    const made = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' })
    made.onmessage = ({ data }: MessageEvent<ComparisonReport>) => take(data)
    made.onerror = ({ message }) => end('', lost(message))
    return made
  }

  function running(is: boolean): void {
    start.disabled = is
    stop.disabled = !is
    bar.hidden = !is
    element('compare-choice', HTMLFieldSetElement).disabled = is
  }

  /** A worker is good for one comparison. */
  function end(words: string, problem?: Problem): void {
    worker.terminate()
    worker = newWorker()
    running(false)
    element('compare-status', HTMLOutputElement).value = words
    if (problem !== undefined) fail(problem)
  }

  function take(said: ComparisonReport): void {
    if (said.type === 'offer') {
      if (offered) return
      offered = true
      list('compare-workloads', 'workload', said.workloads, (name) => telling.includes(name))
      list('compare-techniques', 'technique', said.techniques, () => true)
      running(false)
    } else if (said.type === 'progress') {
      const { technique, workload, done, total } = said.progress
      bar.value = done / total
      element('compare-status', HTMLOutputElement).value =
        `${done} of ${total}: ${technique}${workload ? `, ${workload}` : ''}`
    } else if (said.type === 'done') {
      frame.hidden = false
      frame.srcdoc = said.html
      offerFile('report-html', said.html, 'text/html')
      offerFile('report-json', said.json, 'application/json')
      element('report-files', HTMLElement).hidden = false
      end('Done. The figures are the same on every machine.')
    } else end('', said.problem)
  }

  // The report is as high as it is: the page scrolls, not the frame.
  frame.addEventListener('load', () => {
    const inside = frame.contentDocument
    if (inside === null || frame.hidden) return
    const grow = () => {
      frame.style.height = `${inside.documentElement.scrollHeight + 4}px`
    }
    grow()
    new ResizeObserver(grow).observe(inside.body)
  })
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const data = new FormData(form)
    const [workloads, techniques] = ['workload', 'technique'].map((name) => data.getAll(name).map(String))
    if (workloads!.length === 0 || techniques!.length === 0) {
      return fail({ what: 'there is nothing to compare', remedy: 'choose a program and a technique at the least' })
    }
    running(true)
    element('compare-status', HTMLOutputElement).value = 'Begins'
    bar.value = 0
    kernel().then(
      (bytes) =>
        worker.postMessage({
          kernel: bytes,
          workloads: workloads!,
          techniques: techniques!,
        } satisfies ComparisonRequest),
      (error) => end('', problemOf(error)),
    )
  })
  stop.addEventListener('click', () => end('Stopped.'))
}

async function kernel(): Promise<Uint8Array> {
  const files = teaching.files()
  if (!('kernel' in files)) throw new Error('the teaching kernel is no kernel')
  return await files.kernel.read(new AbortController().signal, () => {})
}

function list(id: string, name: string, all: readonly Offered[], isChosen: (name: string) => boolean): void {
  element(id, HTMLElement).replaceChildren(
    ...all.map((each) => {
      const label = document.createElement('label')
      const input = document.createElement('input')
      input.type = 'checkbox'
      input.name = name
      input.value = each.name
      input.checked = isChosen(each.name)
      label.title = each.about
      label.append(input, each.title)
      return label
    }),
  )
}

function offerFile(id: string, text: string, type: string): void {
  const link = element(id, HTMLAnchorElement)
  if (link.href.startsWith('blob:')) URL.revokeObjectURL(link.href)
  link.href = URL.createObjectURL(new Blob([text], { type }))
}
