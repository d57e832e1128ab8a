/** Debian's control paragraphs (Debian Policy Manual 5.1) as `apt-cache show` prints them. */

/** One paragraph: field names as written, values with their continuation lines. */
export type Paragraph = Readonly<Record<string, string>>

/** The paragraphs of a control text: blank lines separate them, lines that start with `#` are comments. */
export function parseParagraphs(text: string): Paragraph[] {
  const paragraphs: Paragraph[] = []
  let current: Record<string, string> | undefined
  let field = ''
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith('#')) continue
    if (line.trim() === '') {
      current = undefined
      continue
    }
    if (current === undefined) {
      current = {}
      paragraphs.push(current)
      field = ''
    }
    if (/^\s/.test(line)) {
      if (field !== '') current[field] = `${current[field]}\n${line}`
      continue
    }
    const colon = line.indexOf(':')
    if (colon <= 0) continue
    field = line.slice(0, colon)
    current[field] = line.slice(colon + 1).trim()
  }
  return paragraphs
}

/** One package of a `Depends` field (Policy 7.1): the first of its alternatives. */
export interface Dependency {
  readonly name: string
  /** The exact version asked for with `(= version)`, if one is. */
  readonly version: string | undefined
}

/** What a `Depends` field asks for: of `a | b` the first, without architecture qualifiers. */
export function parseDependencies(field: string): Dependency[] {
  const found: Dependency[] = []
  for (const clause of field.split(',')) {
    const match = /^\s*([a-z0-9][a-z0-9+.-]*)(?::[a-z0-9-]+)?\s*(?:\(\s*(<<|<=|=|>=|>>)\s*([^\s)]+)\s*\))?/.exec(clause)
    if (match?.[1] === undefined) continue
    found.push({ name: match[1], version: match[2] === '=' ? match[3] : undefined })
  }
  return found
}

/** The groups of alternatives that relation fields (Policy 7.1) ask for: names alone, one of each group. */
function parseGroups(...fields: readonly (string | undefined)[]): string[][] {
  return fields
    .flatMap((field) => field?.split(',') ?? [])
    .map((clause) => clause.split('|').flatMap((alternative) => /[a-z0-9][a-z0-9+.-]*/.exec(alternative)?.[0] ?? []))
    .filter((group) => group.length > 0)
}

/** A version of a package in the indices. */
export interface PackageRecord {
  readonly name: string
  readonly version: string
  /** `i386`, `amd64`, … or `all`. */
  readonly architecture: string
  readonly dependencies: readonly Dependency[]
  /** What must be there for it to work, each by one of some packages. */
  readonly needs: readonly (readonly string[])[]
  /** Other names that it goes by. */
  readonly provides: readonly string[]
}

/** The records of `apt-cache show`, newest first as it prints them. Paragraphs without name or version are left out. */
export function parseRecords(text: string): PackageRecord[] {
  return parseParagraphs(text).flatMap(
    ({ Package, Version, Architecture, Depends, Provides, 'Pre-Depends': before }) =>
      Package === undefined || Version === undefined || Architecture === undefined
        ? []
        : [
            {
              name: Package,
              version: Version,
              architecture: Architecture,
              dependencies: parseDependencies(Depends ?? ''),
              needs: parseGroups(before, Depends),
              provides: parseGroups(Provides).flat(),
            },
          ],
  )
}

/** A package file: what its name says, `name_version_architecture.deb`, with `%3a` for the colon of an epoch. */
export interface DebName {
  readonly name: string
  readonly version: string
  readonly architecture: string
}

/** The parts of a package file's name, or undefined if it is not one. */
export function parseDebName(file: string): DebName | undefined {
  const match = /^([a-z0-9][a-z0-9+.-]*)_([^_]+)_([a-z0-9-]+)\.deb$/.exec(file)
  if (match?.[1] === undefined || match[2] === undefined || match[3] === undefined) return undefined
  return { name: match[1], version: match[2].replaceAll(/%3a/gi, ':'), architecture: match[3] }
}
