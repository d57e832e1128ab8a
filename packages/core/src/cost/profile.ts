/** Cost profiles: what one event of each kind costs on a named piece of hardware. */
import { VmexitError } from '../errors.ts'

/** Prices by the name of the event, which is the name of its counter. */
export type Prices = Readonly<Record<string, number>>

/** The prices of one piece of hardware. */
export interface CostProfile {
  readonly name: string
  /** Its frequency in cycles per nanosecond; undefined if the source does not say. */
  readonly ghz: number | undefined
  /** Where the figures were published. */
  readonly source: string
  /**
   * How well the figures are known: `R` read in the primary source, `R2` in a summary of it, `M-H`, `M-M`, `M-L` from
   * memory with high, middle or low confidence, `D` derived from others.
   */
  readonly class: string
  /** In cycles, as published. */
  readonly cycles: Prices
  /** In cycles, what is left of a published total after the published parts: calibrated, so it cannot validate. */
  readonly derived: Prices
  /** In nanoseconds, where only times were published. */
  readonly ns: Prices
}

/** What {@link defineProfile} takes; what is left out is empty. */
export type ProfileInput = Pick<CostProfile, 'name' | 'source' | 'class'> &
  Partial<Pick<CostProfile, 'cycles' | 'derived' | 'ns'>> & { readonly ghz?: number | undefined }

/** Makes a profile. Throws a {@link VmexitError} `cost-profile` that lists everything wrong with it. */
export function defineProfile(input: ProfileInput): CostProfile {
  const { name, source, ghz, cycles = {}, derived = {}, ns = {} } = input
  const problems = profileProblems(name, { ...input, ghz: ghz ?? null })
  if (problems.length > 0) throw profileError(problems)
  return { name, ghz, source, class: input.class, cycles, derived, ns }
}

/** One profile of several: prices of later ones replace those of earlier ones, the first known frequency holds. */
export function combineProfiles(name: string, profiles: readonly CostProfile[]): CostProfile {
  const merge = (of: (profile: CostProfile) => Prices): Prices => Object.assign({}, ...profiles.map(of))
  return {
    name,
    ghz: profiles.find(({ ghz }) => ghz !== undefined)?.ghz,
    source: [...new Set(profiles.map(({ source }) => source))].join('; '),
    class: [...new Set(profiles.map((profile) => profile.class))].join(', '),
    cycles: merge(({ cycles }) => cycles),
    derived: merge(({ derived }) => derived),
    ns: merge(({ ns }) => ns),
  }
}

/**
 * Reads profiles from JSON: an object of profiles by name, each `{ ghz, source, class, cycles, derived_sw, ns }`, where
 * everything but `class` may be absent and `ghz` may be null. Throws a {@link VmexitError} `cost-profile` that lists
 * everything wrong with them.
 */
export function parseProfiles(json: unknown): Readonly<Record<string, CostProfile>> {
  if (!isRecord(json)) throw profileError(['profiles are not an object of profiles by name'])
  const problems = Object.entries(json).flatMap(([name, profile]) => profileProblems(name, profile))
  if (problems.length > 0) throw profileError(problems)
  const profiles = Object.entries(json as Record<string, JsonProfile>).map(([name, profile]) => {
    const { ghz, source = 'not stated', cycles = {}, derived_sw: derived = {}, ns = {} } = profile
    return [name, { name, ghz: ghz ?? undefined, source, class: profile.class, cycles, derived, ns }]
  })
  return Object.fromEntries(profiles)
}

interface JsonProfile {
  readonly ghz?: number | null
  readonly source?: string
  readonly class: string
  readonly cycles?: Prices
  readonly derived_sw?: Prices
  readonly ns?: Prices
}

const priceTables = ['cycles', 'derived', 'derived_sw', 'ns']
const fields = ['name', 'ghz', 'source', 'class', ...priceTables]

function profileProblems(name: string, profile: unknown): string[] {
  if (!isRecord(profile)) return [`${name} is not an object`]
  const problems: string[] = []
  const { ghz = null, source = '' } = profile
  for (const field of Object.keys(profile)) if (!fields.includes(field)) problems.push(`${name}.${field} is unknown`)
  if (ghz !== null && !isPositive(ghz)) problems.push(`${name}.ghz is ${ghz}, not a positive number`)
  if (typeof source !== 'string') problems.push(`${name}.source is not text`)
  if (typeof profile.class !== 'string') problems.push(`${name}.class is not text`)
  for (const table of priceTables) {
    const prices = profile[table] ?? {}
    if (!isRecord(prices)) problems.push(`${name}.${table} is not an object of prices by event`)
    else {
      for (const [event, value] of Object.entries(prices)) {
        if (!(isPositive(value) || value === 0)) problems.push(`${name}.${table}.${event} is ${value}, not a price`)
      }
    }
  }
  return problems
}

function profileError(problems: readonly string[]): VmexitError {
  return new VmexitError('cost-profile', {
    problem: `cost profiles are wrong (${problems.join('; ')})`,
    remedy: 'give each profile { ghz, source, class, cycles } with prices that are numbers from 0',
  })
}

function isPositive(value: unknown): value is number {
  return typeof value === 'number' && value > 0 && value < Number.POSITIVE_INFINITY
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
