/** Trees as the JSON of memfs: paths and texts, `null` for an empty directory. */
import { bufferKind } from './buffers.ts'
import type { SeenLink } from './view.ts'

/** A tree whose values may be trees again. */
export interface NestedJson {
  readonly [path: string]: string | Uint8Array | NestedJson | null
}

/** Files and empty directories at a place and below it, under their paths from `base`, added to `json`. */
export function toJson(at: SeenLink, base: string, asBuffer: boolean, json: Record<string, unknown>): void {
  const waiting = [at]
  for (let link = waiting.pop(); link !== undefined; link = waiting.pop()) {
    const node = link.getNode()
    if (node.isFile()) {
      const bytes = node.getBuffer()
      json[within(base, link.getPath())] = asBuffer ? bytes : bytes.toString()
    } else if (node.isDirectory()) {
      const children = [...link.children.values()]
      const path = within(base, link.getPath())
      if (children.length === 0 && path !== '' && path !== '/') json[path] = null
      waiting.push(...children.reverse())
    }
  }
}

function within(base: string, path: string): string {
  if (base === '') return path
  if (path === base) return ''
  return base === '/' ? path.slice(1) : path.startsWith(`${base}/`) ? path.slice(base.length + 1) : path
}

/** The paths of a nested tree, each with its text or bytes, or `null` for an empty directory. */
export function flatten(nested: NestedJson): [string, string | Uint8Array | null][] {
  const flat: [string, string | Uint8Array | null][] = []
  const add = (prefix: string, tree: NestedJson): void => {
    for (const [name, value] of Object.entries(tree)) {
      const path = prefix === '' ? name : `${prefix}/${name}`
      if (typeof value === 'string' || bufferKind().isBuffer(value)) flat.push([path, value])
      else if (value !== null && Object.keys(value).length > 0) add(path, value as NestedJson)
      else flat.push([path, null])
    }
  }
  add('', nested)
  return flat
}
