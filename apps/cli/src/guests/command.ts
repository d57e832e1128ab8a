/** `vmexit guests`: fetches guests into the cache of this machine. */
import { join, resolve } from 'node:path'
import { Command } from 'commander'
import { defaultDirectory, readGuest } from './cache.ts'
import { type FetchedGuest, type FetchOptions, fetchGuests } from './fetch.ts'
import { recipes, withNeeds } from './recipes.ts'

/** Where the command writes, and what it fetches with; a test gives its own. */
export interface GuestsCommandHost {
  readonly out: (text: string) => void
  readonly error: (text: string) => void
  /** Whether progress is shown. */
  readonly terminal: boolean
  readonly fetch?: (options: FetchOptions) => Promise<FetchedGuest[]>
}

interface Flags {
  readonly list?: boolean
  readonly json?: boolean
  readonly refresh?: boolean
  readonly directory: string
}

const onProcess: GuestsCommandHost = {
  out: (text) => process.stdout.write(text),
  error: (text) => process.stderr.write(text),
  terminal: process.stderr.isTTY === true,
}

/**
 * The subcommand, to be added to the program. It throws what goes wrong. Ctrl-C ends it with `process.exitCode` 130 and
 * leaves nothing half-made.
 */
export function guestsCommand(host: GuestsCommandHost = onProcess): Command {
  return new Command('guests')
    .summary("fetch Debian's kernels and other guests")
    .description(
      "Fetches Debian's packages for 32-bit PCs through apt, without root, and builds guests of them in a cache.\n" +
        'Guests that are there are left as they are, without any network.',
    )
    .argument('[name...]', 'guests to fetch (all, unless named)')
    .option('--list', 'show the guests, and fetch none')
    .option('--json', 'print what there is as JSON, with versions, sizes and SHA-256')
    .option('--directory <folder>', 'the cache', defaultDirectory())
    .option('--refresh', 'ask for newer packages, and build anew')
    .action(async (names: string[], flags: Flags) => {
      if (flags.list === true) list(host, names, flags)
      else await fetchAndPrint(host, names, flags)
    })
}

function list({ out }: GuestsCommandHost, names: readonly string[], { directory, json }: Flags): void {
  const rows = withNeeds(names).map((name) => ({
    name,
    summary: recipes[name].summary,
    present: readGuest(directory, name) !== undefined,
  }))
  if (json === true) out(`${JSON.stringify(rows, undefined, 2)}\n`)
  else {
    for (const { name, summary, present } of rows) out(`${present ? '*' : ' '} ${name.padEnd(13)}  ${summary}\n`)
    out(`\n* is in ${resolve(directory)}\n`)
  }
}

async function fetchAndPrint(host: GuestsCommandHost, names: readonly string[], flags: Flags): Promise<void> {
  const abort = new AbortController()
  const stop = (signal: NodeJS.Signals) => {
    process.exitCode = signal === 'SIGTERM' ? 143 : 130
    abort.abort()
  }
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  try {
    const guests = await (host.fetch ?? fetchGuests)({
      names,
      directory: flags.directory,
      refresh: flags.refresh === true,
      signal: abort.signal,
      ...(host.terminal && { progress: (line: string) => host.error(`${line} …\n`) }),
      warn: (line) => host.error(`vmexit guests: ${line}\n`),
    })
    host.out(
      flags.json === true ? `${JSON.stringify(guests.map(described), undefined, 2)}\n` : guests.map(lines).join(''),
    )
  } catch (error) {
    // Whatever was under way when the user stopped us may fail in its own words.
    if (!abort.signal.aborted) throw error
  } finally {
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
  }
}

const described = ({ name, directory, built, packages, files }: FetchedGuest) => ({
  name,
  built,
  packages,
  files: files.map((file) => ({ ...file, path: join(directory, file.name) })),
})

const lines = ({ name, directory, files }: FetchedGuest) =>
  `${name}\n${files.map((file) => `  ${join(directory, file.name)}\n`).join('')}`
