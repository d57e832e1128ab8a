/**
 * apt with a configuration of its own: indices, cache and sources lie in a folder of ours, so that neither root nor
 * `dpkg --add-architecture` is needed and the system stays as it is. Proxies and the like of the system's
 * configuration hold (apt.conf(5)).
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { VmexitError } from '@vmexit/core'
import { type PackageRecord, parseDebName, parseRecords } from './control.ts'
import { unpackDeb } from './deb.ts'
import { lastLines, type Outcome, type Run } from './run.ts'
import { debianSources, suite } from './sources.ts'

const systemKeyring = '/usr/share/keyrings/debian-archive-keyring.gpg'

/** Pauses between attempts at the indices, in milliseconds. */
const pauses = [2_000, 5_000, 15_000, 30_000]

/** Attempts after which indices that hold all that is wanted are taken, though others are missing. */
const patience = 2

/** What apt is set up with. */
export interface AptOptions {
  /** A folder of its own, with an absolute path; made if it is not there. */
  readonly directory: string
  /** The architecture of the host in Debian's words: `amd64`. */
  readonly host: string
  readonly run: Run
  /** Told what is going on, a line at a time. */
  readonly progress: (line: string) => void
  /** Told what did not go well, and does not stop us. */
  readonly warn: (line: string) => void
  /** Waits so many milliseconds. */
  readonly pause: (milliseconds: number) => Promise<void>
  /** The folder of the system's configuration; /etc/apt. */
  readonly configuration?: string
  readonly signal?: AbortSignal
}

/** apt, as far as guests need it. */
export interface Apt {
  /**
   * Fetches the indices. A mirror may be out of step with itself for a while (above all the security suite's): it is
   * asked again after pauses, and then what is there is taken if `enough` says that it will do. A second time only if it will not.
   */
  update(enough: () => Promise<boolean>): Promise<void>
  /** For each package the versions that the indices have, newest first. Packages for `all` architectures are the host's. */
  records(wanted: readonly { readonly name: string; readonly architecture: string }[]): Promise<PackageRecord[][]>
  /** Fetches packages into `folder`: all of them, or none and apt's words. */
  download(records: readonly PackageRecord[], folder: string): Promise<string | undefined>
}

/** Whether this system has apt. */
export async function hasApt(run: Run): Promise<boolean> {
  return (await run('apt-get', ['--version'])).code === 0
}

/** Sets up apt in its folder. Throws `guests-keyring` if Debian's keys are neither here nor to be had. */
export async function createApt(options: AptOptions): Promise<Apt> {
  const { directory, host, run, progress, warn, pause, signal } = options
  const running = signal === undefined ? {} : { signal }
  for (const folder of ['lists/partial', 'archives/partial', 'sources']) {
    mkdirSync(join(directory, folder), { recursive: true })
  }
  const conf = join(directory, 'apt.conf')
  writeFileSync(join(directory, 'status'), '')
  writeFileSync(conf, configuration(directory, host))
  writeFileSync(
    join(directory, 'sources', 'debian.sources'),
    debianSources(systemSources(options.configuration ?? '/etc/apt'), await keyring(options)),
  )

  const records: Apt['records'] = async (wanted) => {
    if (wanted.length === 0) return []
    const names = wanted.map(({ name, architecture }) => `${name}:${architecture}`)
    const { stdout } = await run('apt-cache', ['-c', conf, 'show', '--all-versions', ...names], running)
    const found = parseRecords(stdout)
    return wanted.map(({ name, architecture }) =>
      found.filter((record) => record.name === name && [architecture, 'all'].includes(record.architecture)),
    )
  }

  let isFetched = false
  return {
    records,

    async update(enough) {
      if (isFetched && (await enough())) return
      isFetched = true
      for (let attempt = 0; ; attempt++) {
        progress(`fetching the package indices${attempt === 0 ? '' : `, attempt ${attempt + 1}`}`)
        const outcome = await run('apt-get', ['-c', conf, 'update'], running)
        const said = reason(outcome)
        // Of a network that fails apt only warns; that it had to leave something out it says in either case.
        if (outcome.code === 0 && !/^W: .*(Failed to fetch|index files failed)/m.test(outcome.stderr)) return
        const last = attempt >= pauses.length
        if ((attempt >= patience || last) && (await enough())) {
          warn(`not all package indices could be fetched; those that are there are used (${said})`)
          return
        }
        if (last) {
          throw new VmexitError('guests-indices', {
            problem: `the package indices of Debian ${suite} could not be fetched (${said})`,
            remedy: 'check the network and the mirrors in /etc/apt, and try again',
          })
        }
        const wait = pauses[attempt] ?? 0
        progress(`the mirror is not ready; trying again in ${wait / 1000} s`)
        await pause(wait)
      }
    },

    async download(wanted, folder) {
      if (wanted.length === 0) return undefined
      const partial = mkdtempSync(join(folder, '.partial-'))
      try {
        const names = wanted.map(({ name, version, architecture }) =>
          architecture === 'all' ? `${name}=${version}` : `${name}:${architecture}=${version}`,
        )
        const listed = wanted.map(({ name }) => name).join(', ')
        progress(`fetching ${wanted.length > 3 ? `${wanted.length} packages` : listed}`)
        const outcome = await run('apt-get', ['-c', conf, 'download', ...names], { cwd: partial, ...running })
        if (outcome.code !== 0) return reason(outcome)
        for (const file of readdirSync(partial)) renameSync(join(partial, file), join(folder, file))
        return undefined
      } finally {
        rmSync(partial, { recursive: true, force: true })
      }
    },
  }
}

/** Why apt failed: its first error or warning, without the address and hashes behind it. */
function reason({ stdout, stderr }: Outcome): string {
  const lines = stderr.split('\n')
  const first = lines.find((line) => line.startsWith('E:')) ?? lines.find((line) => line.startsWith('W:'))
  return first?.replace(/^[EW]:|\s*\[IP:.*$/g, '').trim() ?? lastLines(stderr || stdout)
}

function configuration(directory: string, host: string): string {
  const quoted = (path: string) => `"${path}"`
  const architectures = [...new Set([host, 'i386'])].map((name) => `"${name}";`).join(' ')
  return [
    '#clear APT::Architectures;',
    '#clear APT::Update::Pre-Invoke;',
    '#clear APT::Update::Post-Invoke;',
    '#clear APT::Update::Post-Invoke-Success;',
    '#clear Acquire::IndexTargets::deb::DEP-11;',
    `APT::Architecture "${host}";`,
    `APT::Architectures { ${architectures} };`,
    'APT::Sandbox::User "";',
    'APT::Default-Release "";',
    'Acquire::Languages "none";',
    `Dir::State ${quoted(directory)};`,
    `Dir::State::lists ${quoted(join(directory, 'lists'))};`,
    `Dir::State::status ${quoted(join(directory, 'status'))};`,
    `Dir::Cache ${quoted(directory)};`,
    `Dir::Cache::archives ${quoted(join(directory, 'archives'))};`,
    'Dir::Etc::sourcelist "/dev/null";',
    `Dir::Etc::sourceparts ${quoted(join(directory, 'sources'))};`,
    'Dir::Etc::preferences "/dev/null";',
    'Dir::Etc::preferencesparts "/dev/null";',
    '',
  ].join('\n')
}

function systemSources(etc: string): { name: string; text: string }[] {
  const parts = join(etc, 'sources.list.d')
  const files = [join(etc, 'sources.list')]
  if (existsSync(parts)) for (const name of readdirSync(parts).sort()) files.push(join(parts, name))
  return files.flatMap((name) => {
    try {
      return [{ name, text: readFileSync(name, 'utf8') }]
    } catch {
      return [] // Not there, or not for us to read: Debian's own mirrors will do.
    }
  })
}

/** Debian's archive keys: the system's on Debian; elsewhere those of the package that the system's own apt vouches for. */
async function keyring({ directory, run, progress, signal }: AptOptions): Promise<string> {
  if (existsSync(systemKeyring)) return systemKeyring
  const ours = join(directory, 'keyring')
  const file = join(ours, systemKeyring)
  if (existsSync(file)) return file
  progress('fetching the keys of the Debian archive')
  mkdirSync(ours, { recursive: true })
  const { code, stderr } = await run('apt-get', ['download', 'debian-archive-keyring'], {
    cwd: ours,
    ...(signal === undefined ? {} : { signal }),
  })
  const deb = readdirSync(ours).find((name) => parseDebName(name)?.name === 'debian-archive-keyring')
  if (code === 0 && deb !== undefined) await unpackDeb(run, join(ours, deb), ours, signal)
  if (existsSync(file)) return file
  throw new VmexitError('guests-keyring', {
    problem: `there are no keys of the Debian archive in ${systemKeyring} (${lastLines(stderr) || 'and no package has them'})`,
    remedy: 'apt-get install debian-archive-keyring',
  })
}
