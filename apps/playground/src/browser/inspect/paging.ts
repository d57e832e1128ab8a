/** The panel of page walks and of the TLB: an address, the references that translate it, and a square for each slot. */
import { element } from '../element.ts'
import { type PagingView, type Reference, slotKinds, type TlbSide } from '../paging-view.ts'

/** Squares in a row, and pixels of a square. */
const across = 128
const square = 3

/** What is shown of translations. `ask` asks for an address, or for that of the guest's instruction. */
export class PagingPanel {
  constructor(ask: (linear: number | undefined) => void) {
    const form = element('look', HTMLFormElement)
    form.addEventListener('submit', (event) => {
      event.preventDefault()
      const text = element('look-address', HTMLInputElement).value.trim()
      ask(text === '' ? undefined : Number.parseInt(text, 16) >>> 0)
    })
  }

  clear(): void {
    element('walk', HTMLElement).hidden = true
  }

  show({ linear, walker, references, outcome, data, code }: PagingView): void {
    element('walk', HTMLElement).hidden = false
    element('walk-of', HTMLElement).textContent = `Linear address ${hex(linear)}. ${walker}.`
    element('walk-steps', HTMLOListElement).replaceChildren(...references.map(step))
    const count = references.length === 1 ? '1 reference' : `${references.length} references`
    element('walk-end', HTMLElement).textContent = `${outcome} A TLB miss costs ${count} to memory.`
    drawSide('tlb-data', data)
    drawSide('tlb-code', code)
  }
}

const hex = (value: number) => value.toString(16).padStart(8, '0')

function step({ stage, address, entry }: Reference): HTMLLIElement {
  const item = document.createElement('li')
  item.className = stage
  item.textContent = `${stage === 'first' ? 'table' : 'second stage'}: at ${hex(address)} stands ${entry}`
  return item
}

function drawSide(id: string, { slots, valid, frame }: TlbSide): void {
  const canvas = element(id, HTMLCanvasElement)
  const context = canvas.getContext('2d')!
  canvas.width = across * square
  canvas.height = Math.ceil(slots.length / across) * square
  const style = getComputedStyle(canvas)
  const colours = slotKinds.map((_, kind) => style.getPropertyValue(`--slot-${kind}`))
  for (const [slot, kind] of slots.entries()) {
    context.fillStyle = colours[kind]!
    context.fillRect((slot % across) * square, Math.floor(slot / across) * square, square - 1, square - 1)
  }
  const found = frame === undefined ? 'misses the address' : `has the address, in frame ${frame.toString(16)}`
  const words = `${valid} of ${slots.length} slots are in use; it ${found}`
  canvas.setAttribute('aria-label', words)
  element(`${id}-words`, HTMLElement).textContent = words
}
