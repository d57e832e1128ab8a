/**
 * Networks that there are: a file each in `networks` of the state directory, written once and as a whole. Whether somebody is on one is
 * asked at its switch, which listens beside it while it is used.
 */
import { randomBytes } from 'node:crypto'
import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { VmexitError } from '@vmexit/core'
import { formatIpv4, isWithin, parseCidr } from '@vmexit/net'
import { defaultStateDirectory, longestSocketPath } from '../hosted/state-directory.ts'

/** A network. */
export interface NetworkRecord {
  readonly version: 1
  /** 12 hexadecimal digits. */
  readonly id: string
  readonly name: string
  /** `10.89.0.0/24`. */
  readonly subnet: string
  /** ISO 8601. */
  readonly created: string
}

/** Names that mean something else. */
const RESERVED: ReadonlySet<string> = new Set(['none', 'loopback', 'bridge', 'host', 'default', 'container'])
/** Subnets that are chosen: 10.89.N.0/24. */
const CHOSEN = 0x0a59_0000

/** The networks of a state directory. */
export class Networks {
  readonly #folder: string

  constructor(state: string = defaultStateDirectory()) {
    this.#folder = join(state, 'networks')
  }

  /** Where the switch of one listens. */
  socket({ id }: NetworkRecord): string {
    const path = join(this.#folder, `${id}.sock`)
    if (process.platform === 'win32') return `\\\\.\\pipe\\vmexit-network-${id}`
    if (Buffer.byteLength(path) <= longestSocketPath) return path
    throw new VmexitError('state-directory', {
      problem: `${path} is too long for the name of a socket, which has ${longestSocketPath} bytes at most`,
      remedy: 'set XDG_STATE_HOME to a folder with a shorter path',
    })
  }

  /** All of them, by name. */
  list(): readonly NetworkRecord[] {
    let names: readonly string[] = []
    try {
      names = readdirSync(this.#folder)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
    return names
      .filter((file) => file.endsWith('.json'))
      .flatMap((file) => this.#read(file.slice(0, -5)) ?? [])
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** @throws VmexitError `network-unknown`. */
  find(name: string): NetworkRecord {
    const found = isName(name) ? this.#read(name) : undefined
    if (found !== undefined) return found
    throw new VmexitError('network-unknown', {
      problem: `there is no network '${name}'`,
      remedy: `make it: vmexit network create ${isName(name) ? name : 'NAME'}; or take one of \`vmexit network ls\``,
    })
  }

  /** Makes one. @throws VmexitError `network-name`, `network-subnet`. */
  create(name: string, wanted?: string): NetworkRecord {
    if (!isName(name) || RESERVED.has(name))
      throw new VmexitError('network-name', {
        problem: `'${name}' cannot be the name of a network`,
        remedy: `begin with a letter or digit, and go on with letters, digits, _, . and -: 40 at most, and none of ${[...RESERVED].join(', ')}`,
      })
    const others = this.list()
    const subnet = wanted ?? chosen(others)
    checkSubnet(subnet, others)
    const record: NetworkRecord = {
      ...{ version: 1, id: randomBytes(6).toString('hex'), name, subnet, created: new Date().toISOString() },
    }
    this.socket(record)
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
    const path = this.#path(name)
    const whole = `${path}.${record.id}`
    writeFileSync(whole, `${JSON.stringify(record, undefined, 2)}\n`, { mode: 0o600 })
    try {
      // Of two at once one has the name.
      linkSync(whole, path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      throw new VmexitError('network-name', {
        problem: `there is a network ${name} already`,
        remedy: `use it, or take another name; or remove that one: vmexit network rm ${name}`,
      })
    } finally {
      rmSync(whole, { force: true })
    }
    return record
  }

  remove({ name }: NetworkRecord): void {
    rmSync(this.#path(name), { force: true })
  }

  #path(name: string): string {
    return join(this.#folder, `${name}.json`)
  }

  #read(name: string): NetworkRecord | undefined {
    let text: string
    try {
      text = readFileSync(this.#path(name), 'utf8')
    } catch {
      return undefined
    }
    try {
      const record = JSON.parse(text)
      if (record.version === 1) return record
    } catch {
      // Told below.
    }
    throw new VmexitError('network-file', {
      problem: `${this.#path(name)} is not what this vmexit writes`,
      remedy: 'use the vmexit that made the network, or delete the file',
    })
  }
}

function isName(name: string): boolean {
  return /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,39}$/.test(name)
}

function chosen(others: readonly NetworkRecord[]): string {
  for (let n = 0; n < 256; n++) {
    const subnet = `${formatIpv4(CHOSEN + n * 256)}/24`
    if (!others.some((other) => overlaps(other.subnet, subnet))) return subnet
  }
  throw new VmexitError('network-subnet', {
    problem: 'all subnets that networks are given are taken',
    remedy: 'remove a network, or give another subnet by --subnet',
  })
}

/** @throws VmexitError `network-subnet`, or `container-options` where the switch is opened. */
function checkSubnet(subnet: string, others: readonly NetworkRecord[]): void {
  if (parseCidr(subnet) === undefined)
    throw new VmexitError('network-subnet', {
      problem: `${subnet} is no subnet`,
      remedy: 'give one such as 10.90.0.0/24, or leave it out',
    })
  const other = others.find((one) => overlaps(one.subnet, subnet))
  if (other !== undefined)
    throw new VmexitError('network-subnet', {
      problem: `${subnet} has addresses of the network ${other.name} (${other.subnet})`,
      remedy: 'give another one, or leave it out',
    })
}

function overlaps(one: string, other: string): boolean {
  const [a, b] = [parseCidr(one), parseCidr(other)]
  return a !== undefined && b !== undefined && isWithin(a.address, b.address, Math.min(a.prefix, b.prefix))
}
