/**
 * Where packages come from: Debian 12, the last release with kernels for i386, from the mirrors that the system uses
 * for Debian if it names any. Written as deb822 sources (sources.list(5)).
 */
import { type Paragraph, parseParagraphs } from './control.ts'

/** The release whose packages the guests are made of. */
export const suite = 'bookworm'

const main = { suites: [suite, `${suite}-updates`], path: 'debian', uri: 'http://deb.debian.org/debian' }
const security = {
  suites: [`${suite}-security`],
  path: 'debian-security',
  uri: 'http://deb.debian.org/debian-security',
}

/** One configured source: an entry of `sources.list` or a paragraph of a `.sources` file. */
interface Source {
  readonly uris: readonly string[]
  readonly suites: readonly string[]
  readonly trust: Paragraph
}

function oneLine(text: string): Source[] {
  const sources: Source[] = []
  for (const line of text.split(/\r?\n/)) {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)/.exec(line)
    if (match?.[2] === undefined || match[3] === undefined) continue
    const trust: Record<string, string> = {}
    for (const option of (match[1] ?? '').trim().split(/\s+/)) {
      const [key, value] = option.split('=')
      if (key?.toLowerCase() === 'signed-by' && value) trust['Signed-By'] = value
      if (key?.toLowerCase() === 'trusted' && value) trust.Trusted = value
    }
    sources.push({ uris: [match[2]], suites: [match[3]], trust })
  }
  return sources
}

function deb822(text: string): Source[] {
  const words = (value = '') => value.split(/\s+/).filter((word) => word !== '')
  return parseParagraphs(text).flatMap((paragraph) => {
    if (!words(paragraph.Types).includes('deb') || paragraph.Enabled === 'no') return []
    const trust: Record<string, string> = {}
    if (paragraph['Signed-By'] !== undefined) trust['Signed-By'] = paragraph['Signed-By']
    if (paragraph.Trusted !== undefined) trust.Trusted = paragraph.Trusted
    return [{ uris: words(paragraph.URIs), suites: words(paragraph.Suites), trust }]
  })
}

function pick(sources: readonly Source[], { suites, path, uri }: typeof main, keyring: string | undefined): string {
  const fetchable = (candidate: string) => /^(https?|ftp|file|copy):/.test(candidate)
  const ours = (source: Source) =>
    source.suites.some((name) => suites.includes(name.replace(/\/updates$/, '-security')))
  const same = sources.find((source) => ours(source) && source.uris.some(fetchable))
  // A system of another release has its mirror of Debian; all releases lie there.
  const other = sources.find(({ uris }) => uris.some((name) => fetchable(name) && name.endsWith(`/${path}`)))
  const found = same ?? other
  const trust = same !== undefined && Object.keys(same.trust).length > 0 ? same.trust : { 'Signed-By': keyring }
  const lines = [
    'Types: deb',
    `URIs: ${found?.uris.find((name) => fetchable(name) && (same !== undefined || name.endsWith(`/${path}`))) ?? uri}`,
    `Suites: ${suites.join(' ')}`,
    'Components: main',
  ]
  for (const [name, value] of Object.entries(trust)) if (value !== undefined) lines.push(`${name}: ${value}`)
  return `${lines.join('\n')}\n`
}

/**
 * The text of a `.sources` file for {@link suite} with its updates and security updates.
 *
 * `files` are the system's own sources, by file name; `keyring` is the file of Debian's archive keys, for sources that
 * name no keys themselves (without it apt uses the keys that it trusts for everything).
 */
export function debianSources(
  files: readonly { readonly name: string; readonly text: string }[],
  keyring: string | undefined,
): string {
  const trimmed = (source: Source) => ({ ...source, uris: source.uris.map((uri) => uri.replace(/\/+$/, '')) })
  const sources = files.flatMap(({ name, text }) =>
    name.endsWith('.sources') ? deb822(text) : name.endsWith('.list') ? oneLine(text) : [],
  )
  const all = sources.map(trimmed)
  return `${pick(all, main, keyring)}\n${pick(all, security, keyring)}`
}
