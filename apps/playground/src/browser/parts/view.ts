/** The view of parts: what can be chosen, what does not fit and why, and the program that it is. */
import { element } from '../element.ts'
import type { Composition, PartChoice } from './choices.ts'

/** Fills the view when it is first shown. `boot` boots a PC of that technique. */
export async function openParts(boot: (way: string) => void): Promise<void> {
  const [{ machineChoices, vmChoices }, { judge }] = await Promise.all([import('./choices.ts'), import('./judge.ts')])
  const form = element('parts', HTMLFormElement)
  const bootButton = element('parts-boot', HTMLButtonElement)
  fill('machine-memory', machineChoices.memory)
  fill('machine-cpu', machineChoices.cpu)
  fill('vm-memory', vmChoices.memory)
  fill('vm-execution', vmChoices.execution)
  fill('vm-mmu', vmChoices.mmu)
  element('machine-devices', HTMLElement).append(...machineChoices.devices.map(({ words }) => checkbox(words)))

  let turn = 0
  let way: string | undefined
  const look = async () => {
    const mine = ++turn
    const composition = read(form)
    element('vm-slots', HTMLFieldSetElement).disabled = composition.vm === undefined
    const verdict = await judge(composition)
    if (mine !== turn) return
    way = verdict.way
    element('parts-program', HTMLElement).textContent = verdict.program
    const fits = verdict.problems.length === 0
    element('parts-verdict', HTMLElement).textContent = fits ? '✓ These parts fit.' : 'These parts do not fit:'
    element('parts-verdict', HTMLElement).dataset['fits'] = String(fits)
    element('parts-problems', HTMLUListElement).replaceChildren(...verdict.problems.map(problem))
    bootButton.disabled = way === undefined
  }
  form.addEventListener('change', () => void look())
  bootButton.addEventListener('click', () => {
    if (way !== undefined) boot(way)
  })
  await look()
}

/** The first one is chosen. */
function fill(id: string, choices: readonly PartChoice[]): void {
  const options = choices.map(({ words }) => new Option(words, words))
  element(id, HTMLSelectElement).replaceChildren(new Option('nothing', ''), ...options)
  element(id, HTMLSelectElement).selectedIndex = 1
}

function checkbox(words: string): HTMLLabelElement {
  const label = document.createElement('label')
  const input = document.createElement('input')
  input.type = 'checkbox'
  input.name = 'machine-devices'
  input.value = words
  label.append(input, words)
  return label
}

/** `✗ what: remedy`, with the remedy set off. */
function problem(text: string): HTMLLIElement {
  const item = document.createElement('li')
  const at = text.indexOf(': ')
  const remedy = document.createElement('strong')
  remedy.textContent = at < 0 ? '' : text.slice(at + 2)
  item.append(at < 0 ? text : text.slice(0, at + 2), remedy)
  return item
}

function read(form: HTMLFormElement): Composition {
  const data = new FormData(form)
  const words = (name: string) => data.getAll(name).map(String).filter(Boolean)
  return {
    machine: { memory: words('machine-memory'), cpu: words('machine-cpu'), devices: words('machine-devices') },
    vm: data.has('vm')
      ? { memory: words('vm-memory'), execution: words('vm-execution'), mmu: words('vm-mmu') }
      : undefined,
  }
}
