/** Elements of the page by their identifiers. */

/** The element, which the page has; `kind` is its class. */
export function element<Kind extends Element>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id)
  if (found instanceof kind) return found
  throw new Error(`the page has no ${kind.name} '${id}'`)
}
