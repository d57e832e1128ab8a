/** The figures beside the console: speed, virtual time, and all that the hardware has counted. */
import { element } from './element.ts'
import type { Figures } from './protocol.ts'

/** Reports in the line of speeds: half a minute. */
const length = 120

/** Shows what a machine reports of itself. */
export class FigureBoard {
  #last: Figures | undefined
  #speeds: number[] = []

  /** Forgets the machine before. */
  clear(): void {
    this.#last = undefined
    this.#speeds = []
    for (const id of ['speed', 'instructions', 'seconds', 'idle', 'page-faults']) set(id, '–')
    element('counts', HTMLTableSectionElement).replaceChildren()
    this.#draw()
  }

  show(figures: Figures): void {
    const { seconds, idleSeconds, counts, machine } = figures
    const speed = this.#last === undefined ? undefined : speedBetween(this.#last, figures)
    this.#last = figures
    if (speed !== undefined) {
      this.#speeds = [...this.#speeds, speed].slice(-length)
      set('speed', speed < 10 ? speed.toFixed(1) : speed.toFixed(0))
      this.#draw()
    }
    set('instructions', short(counts['instructions'] ?? 0))
    set('seconds', `${seconds.toFixed(1)} s`)
    set('idle', seconds > 0 ? `${((idleSeconds / seconds) * 100).toFixed(0)} %` : '–')
    const exits = counts['vm-exits']
    set('page-faults-name', exits === undefined ? 'Page faults' : 'VM exits')
    set('page-faults', short(exits ?? counts['page-faults'] ?? 0))
    const table = element('counts', HTMLTableSectionElement)
    if (table.offsetParent === null) return
    const below = machine === undefined ? [] : [heading('The machine below'), ...Object.entries(machine).map(row)]
    table.replaceChildren(...Object.entries(counts).map(row), ...below)
  }

  /** The speed has come to rest: what stands there is not of now. */
  rest(): void {
    if (this.#last !== undefined) set('speed', '0')
  }

  #draw(): void {
    const most = Math.max(...this.#speeds, 1)
    const first = length - this.#speeds.length
    const points = this.#speeds.map((speed, i) => `${first + i + 1},${(31 - (29 * speed) / most).toFixed(1)}`)
    const line = points.length === 0 ? '' : `M${points.join('L')}`
    draw('line', line)
    draw('area', line === '' ? '' : `${line}V32H${first + 1}Z`)
  }
}

/** Million instructions in a second of the host, between two reports. */
export function speedBetween(before: Figures, after: Figures): number {
  const instructions = (after.counts['instructions'] ?? 0) - (before.counts['instructions'] ?? 0)
  const milliseconds = after.at - before.at
  return milliseconds > 0 ? instructions / milliseconds / 1000 : 0
}

/** A count in four figures or fewer: `950`, `12.3 k`, `2.82 G`. */
export function short(count: number): string {
  const unit = [' T', ' G', ' M', ' k'].find((_, i) => count >= 10 ** (12 - 3 * i))
  if (unit === undefined) return String(count)
  const value = count / { ' T': 1e12, ' G': 1e9, ' M': 1e6, ' k': 1e3 }[unit]!
  return `${value >= 100 ? value.toFixed(0) : value.toPrecision(3)}${unit}`
}

function set(id: string, text: string): void {
  element(id, HTMLElement).textContent = text
}

function draw(name: string, path: string): void {
  element('speed-line', SVGSVGElement).querySelector(`.${name}`)?.setAttribute('d', path)
}

function heading(text: string): HTMLTableRowElement {
  const line = document.createElement('tr')
  const head = document.createElement('th')
  head.colSpan = 2
  head.scope = 'rowgroup'
  head.textContent = text
  line.append(head)
  return line
}

function row([name, count]: [string, number]): HTMLTableRowElement {
  const line = document.createElement('tr')
  line.insertCell().textContent = name.replaceAll('-', ' ')
  line.insertCell().textContent = count.toLocaleString('en')
  return line
}
