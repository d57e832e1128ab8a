/** The exits of a VM: how many by reason, and the latest of them one by one. */
import type { VmExit } from '@vmexit/vmexit'
import { element } from '../element.ts'
import type { Figures } from '../protocol.ts'

/** Lines of the log. */
const lines = 200

const hex = (value: number) => value.toString(16).padStart(8, '0')
const words = (name: string) => name.replaceAll('-', ' ')

/** What is shown of exits. */
export class ExitLog {
  #latest: VmExit[] = []

  /** Forgets the machine before; `why` says why there may be none. */
  clear(why: string): void {
    this.#latest = []
    element('exits-none', HTMLElement).textContent = why
    element('exit-reasons', HTMLTableSectionElement).replaceChildren()
    element('exit-log', HTMLTableSectionElement).replaceChildren()
    element('exits', HTMLElement).dataset['empty'] = ''
  }

  show({ counts, exits }: Figures): void {
    const reasons = Object.entries(counts)
      .filter(([name, count]) => name.startsWith('vm-exits-') && count > 0)
      .sort(([, a], [, b]) => b - a)
    if (reasons.length === 0) return
    const panel = element('exits', HTMLElement)
    delete panel.dataset['empty']
    if (panel.hidden) return
    const most = reasons[0]![1]
    element('exit-reasons', HTMLTableSectionElement).replaceChildren(
      ...reasons.map(([name, count]) => reasonRow(words(name.slice('vm-exits-'.length)), count, count / most)),
    )
    if (element('exits-hold', HTMLInputElement).checked) return
    this.#latest = [...this.#latest, ...exits].slice(-lines)
    element('exit-log', HTMLTableSectionElement).replaceChildren(...this.#latest.toReversed().map(logRow))
  }
}

function reasonRow(name: string, count: number, share: number): HTMLTableRowElement {
  const row = document.createElement('tr')
  const head = document.createElement('th')
  head.scope = 'row'
  head.textContent = name
  row.append(head)
  const bar = row.insertCell()
  bar.className = 'bar-cell'
  bar.style.setProperty('--share', String(share))
  row.insertCell().textContent = count.toLocaleString('en')
  return row
}

function logRow({ reason, ip, qualification, instructions }: VmExit): HTMLTableRowElement {
  const row = document.createElement('tr')
  for (const text of [instructions.toLocaleString('en'), words(reason), hex(ip), qualification.toString(16)])
    row.insertCell().textContent = text
  return row
}
