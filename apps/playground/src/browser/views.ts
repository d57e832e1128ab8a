/** The views of the page: one is shown, the one that the address names behind its #. */

/** Shows the view that the address names, now and whenever that changes, and tells `shown`. */
export function openViews(shown: (name: string) => void): void {
  const views = [...document.querySelectorAll<HTMLElement>('[data-view]')]
  const links = [...document.querySelectorAll<HTMLAnchorElement>('nav a')]
  const show = () => {
    const asked = document.location.hash.slice(1)
    const { view } = (views.find(({ dataset }) => dataset['view'] === asked) ?? views[0]!).dataset
    for (const each of views) each.hidden = each.dataset['view'] !== view
    for (const link of links) {
      if (link.hash === `#${view}`) link.setAttribute('aria-current', 'page')
      else link.removeAttribute('aria-current')
    }
    shown(view!)
  }
  addEventListener('hashchange', show)
  show()
}
