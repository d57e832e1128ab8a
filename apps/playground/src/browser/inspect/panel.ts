/** The panel below the console: exits, page walk and TLB, or all counts; one of them is shown. */
import { element } from '../element.ts'

const names = ['exits', 'paging', 'counted'] as const

/** Shows what is chosen, and tells of it. */
export function openPanel(chosen: (name: (typeof names)[number]) => void): void {
  const form = element('inspect', HTMLFormElement)
  const show = () => {
    const name = names.find((each) => each === new FormData(form).get('inspect')) ?? names[0]
    for (const each of names) element(each, HTMLElement).hidden = each !== name
    chosen(name)
  }
  form.addEventListener('change', show)
  show()
}
