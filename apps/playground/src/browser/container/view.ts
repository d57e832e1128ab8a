/** The view of containers: what its files are, its limits, its terminal, and what it takes. */
import type { OfferedImage } from '../../offer.ts'
import { lost } from '../connect.ts'
import { element } from '../element.ts'
import { short } from '../figures.ts'
import { type Problem, problemOf } from '../problem.ts'
import { download } from '../sources.ts'
import { openTerminal } from '../terminal.ts'
import { mebibytes } from '../words.ts'
import type { ContainerReport, ContainerRequest, ContainerSetup, ContainerUsage, ImageSource } from './protocol.ts'

/** The view. */
export interface ContainerView {
  /** Lists images of the server's. */
  offer(images: readonly OfferedImage[]): void
}

/** Opens the view; `fail` shows what went wrong. */
export function openContainer(fail: (problem: Problem) => void): ContainerView {
  const form = element('container', HTMLFormElement)
  const source = element('container-image', HTMLSelectElement)
  const fileInput = element('container-file', HTMLInputElement)
  const [start, stop] = [element('container-start', HTMLButtonElement), element('container-stop', HTMLButtonElement)]
  const terminal = openTerminal(element('container-terminal', HTMLDivElement), {
    onInput: (text) => worker?.postMessage({ type: 'input', text } satisfies ContainerRequest),
    onResize: (columns, rows) => worker?.postMessage({ type: 'resize', columns, rows } satisfies ContainerRequest),
  })
  let worker: Worker | undefined
  let images: readonly OfferedImage[] = []
  let own: File | undefined

  const status = (words: string) => {
    element('container-status', HTMLOutputElement).value = words
  }
  function running(is: boolean): void {
    start.disabled = is
    stop.disabled = !is
    element('container-choice', HTMLFieldSetElement).disabled = is
  }
  function end(words: string, problem?: Problem): void {
    worker?.terminate()
    worker = undefined
    running(false)
    status(words)
    if (problem !== undefined) fail(problem)
  }

  async function imageSource(): Promise<ImageSource> {
    if (source.value === 'programs') return { kind: 'programs' }
    const offered = images.find(({ name }) => name === source.value)
    if (offered !== undefined) {
      const bytes = await download(offered.file).read(new AbortController().signal, (read) =>
        status(`${offered.name}: ${mebibytes(read)}`),
      )
      return { kind: 'file', name: offered.file.name, bytes }
    }
    if (own === undefined) throw new Error('no file')
    return { kind: 'file', name: own.name, bytes: new Uint8Array(await own.arrayBuffer()) }
  }

  async function run(): Promise<void> {
    // (What is locked is no longer in the form's data.)
    const data = new FormData(form)
    running(true)
    status('Begins')
    terminal.clear()
    const setup: ContainerSetup = {
      image: await imageSource(),
      command: String(data.get('command')).split(/\s+/).filter(Boolean),
      memory: String(data.get('memory')),
      pids: Number(data.get('pids')),
      servers: String(data.get('servers')),
      terminal: { rows: terminal.rows, columns: terminal.columns },
    }
    const made = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' })
    made.onmessage = ({ data }: MessageEvent<ContainerReport>) => take(data)
    made.onerror = ({ message }) => end('', lost(message))
    made.postMessage({ type: 'start', setup } satisfies ContainerRequest)
    worker = made
  }

  function take(said: ContainerReport): void {
    if (said.type === 'running') {
      status('Running')
      terminal.focus()
    } else if (said.type === 'output') terminal.print(said.bytes, () => {})
    else if (said.type === 'usage') showUsage(said.usage)
    else if (said.type === 'ended')
      end(said.signal === undefined ? `Ended, exit code ${said.exitCode}` : `Ended by ${said.signal}`)
    else end('', said.problem)
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault()
    if (source.value === 'file' && own === undefined) {
      return fail({ what: 'there is no file to run', remedy: 'choose one, or take the programs that are here already' })
    }
    run().catch((error) => end('', problemOf(error)))
  })
  stop.addEventListener('click', () => end('Killed'))
  source.addEventListener('change', () => {
    element('container-file-row', HTMLLabelElement).hidden = source.value !== 'file'
  })
  fileInput.addEventListener('change', () => {
    own = fileInput.files?.[0]
    element('container-file-name', HTMLSpanElement).textContent = own?.name ?? 'choose a file'
  })
  running(false)
  return {
    offer(found) {
      images = found
      for (const { name, title } of found) source.add(new Option(title, name), source.options.length - 1)
    },
  }
}

function showUsage({ memory, memoryPeak, processes, instructions, systemCalls, calls }: ContainerUsage): void {
  const set = (id: string, text: string) => {
    element(id, HTMLElement).textContent = text
  }
  set('container-memory', mebibytes(memory))
  set('container-peak', mebibytes(memoryPeak))
  set('container-processes', String(processes))
  set('container-instructions', short(instructions))
  set('container-calls', short(systemCalls))
  element('container-call-names', HTMLTableSectionElement).replaceChildren(
    ...calls.map(([name, count]) => {
      const row = document.createElement('tr')
      row.insertCell().textContent = name
      row.insertCell().textContent = count.toLocaleString('en')
      return row
    }),
  )
}
