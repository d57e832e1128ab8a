/** What a registry asks for where it refuses (RFC 9110, 11.6.1; the Distribution project's token authentication). */

/** One challenge: its scheme in lower case, and its parameters. */
export interface Challenge {
  readonly scheme: string
  readonly parameters: ReadonlyMap<string, string>
}

const PARAMETER = /^\s*,?\s*([a-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))/i

/** The first challenge of a `WWW-Authenticate`; undefined where there is none. */
export function readChallenge(header: string | null): Challenge | undefined {
  if (header === null || header.length > 4096) return undefined
  const scheme = header.match(/^\s*([a-z]+)(?:\s|$)/i)
  if (scheme === null) return undefined
  const parameters = new Map<string, string>()
  let rest = header.slice(scheme[0].length)
  for (let found = rest.match(PARAMETER); found !== null; found = rest.match(PARAMETER)) {
    parameters.set(found[1]!.toLowerCase(), found[2]?.replace(/\\(.)/g, '$1') ?? found[3]!)
    rest = rest.slice(found[0].length)
  }
  return { scheme: scheme[1]!.toLowerCase(), parameters }
}
