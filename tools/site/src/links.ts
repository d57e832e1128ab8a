/** The links of a site of files, and where they lead. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

/** What is wrong with a link. */
export interface BrokenLink {
  readonly page: string
  readonly target: string
}

/** What a page links to: pages, styles, scripts, pictures. */
function targetsOf(html: string): string[] {
  const found = html.matchAll(/<(?:a|link|script|img)\b[^>]*?\s(?:href|src)="([^"]*)"/g)
  return [...found].map(([, target]) => target!.replaceAll('&amp;', '&'))
}

/** What can be linked to within a page. */
function anchorsOf(html: string): Set<string> {
  return new Set([...html.matchAll(/\s(?:id|name)="([^"]+)"/g)].map(([, anchor]) => anchor!))
}

/** Links to files that are not there, and to anchors that their page has not. Links to elsewhere are left alone. */
export function brokenLinks(folder: string): {
  readonly broken: BrokenLink[]
  readonly pages: number
  readonly links: number
} {
  const pages = globSync('**/*.html', { cwd: folder }).map((name) => name.replaceAll('\\', '/'))
  const html = new Map(pages.map((page) => [page, readFileSync(join(folder, page), 'utf8')]))
  const anchors = new Map<string, Set<string>>()
  const anchorsIn = (page: string) => {
    if (!anchors.has(page)) anchors.set(page, anchorsOf(html.get(page)!))
    return anchors.get(page)!
  }
  const broken: BrokenLink[] = []
  let links = 0
  for (const [page, text] of html) {
    for (const target of new Set(targetsOf(text))) {
      if (/^[a-z]+:/i.test(target) || target === '' || target === '#') continue
      links++
      const [path, anchor] = target.split('#') as [string, string | undefined]
      const to = path === '' ? page : normalize(join(dirname(page), decodeURIComponent(path))).replaceAll('\\', '/')
      const isThere = html.has(to) || existsSync(join(folder, to))
      const isFound = anchor === undefined || !html.has(to) || anchorsIn(to).has(decodeURIComponent(anchor))
      if (!isThere || !isFound) broken.push({ page, target })
    }
  }
  return { broken, pages: pages.length, links }
}
