/**
 * Named volumes of this user: a folder each beside the instances.
 *
 * ```
 * volumes/NAME/volume.json   when it was made, and labels
 * volumes/NAME/data          what containers see
 * ```
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { VmexitError } from '@vmexit/core'
import { defaultStateDirectory, StateDirectory } from '../hosted/state-directory.ts'

/** A volume. */
export interface NamedVolume {
  readonly name: string
  /** ISO 8601. */
  readonly created: string
  readonly labels: Readonly<Record<string, string>>
  /** It was made without a name. */
  readonly anonymous: boolean
  /** The folder that containers see. */
  readonly path: string
}

/** Volumes of a state directory. */
export class VolumeDirectory {
  readonly #root: string

  constructor(root: string = join(defaultStateDirectory(), 'volumes')) {
    this.#root = root
  }

  /** Makes one; one that there is stays as it is. @throws VmexitError `volume-name`. */
  create(name: string = randomBytes(16).toString('hex'), labels: Readonly<Record<string, string>> = {}): NamedVolume {
    checked(name)
    const found = this.#read(name)
    if (found !== undefined) return found
    // Nobody else reads what containers have written, as root perhaps with set-id bits.
    mkdirSync(this.#root, { recursive: true, mode: 0o700 })
    const anonymous = /^[0-9a-f]{32}$/.test(name)
    const about = { name, created: new Date().toISOString(), labels, anonymous }
    const fresh = join(this.#root, `.${randomBytes(8).toString('hex')}`)
    mkdirSync(join(fresh, 'data'), { recursive: true, mode: 0o755 })
    writeFileSync(join(fresh, 'volume.json'), JSON.stringify(about), { mode: 0o600 })
    try {
      renameSync(fresh, join(this.#root, name))
    } catch (error) {
      rmSync(fresh, { recursive: true })
      // Somebody was faster.
      const theirs = this.#read(name)
      if (theirs !== undefined) return theirs
      throw error
    }
    return { ...about, path: join(this.#root, name, 'data') }
  }

  /** All of them, by name. */
  list(): readonly NamedVolume[] {
    let names: string[]
    try {
      names = readdirSync(this.#root)
    } catch {
      return []
    }
    return names
      .sort()
      .map((name) => this.#read(name))
      .filter((volume) => volume !== undefined)
  }

  /** @throws VmexitError `volume-unknown`. */
  find(name: string): NamedVolume {
    const found = this.#read(checked(name))
    if (found !== undefined) return found
    throw new VmexitError('volume-unknown', {
      problem: `there is no volume '${name}'`,
      remedy: 'see those of `vmexit volume ls`',
    })
  }

  /** Deletes one that no container has. @throws VmexitError `volume-in-use`, `volume-unknown`. */
  remove(name: string): void {
    const { path } = this.find(name)
    const users = usersOf(name)
    if (users.length > 0)
      throw new VmexitError('volume-in-use', {
        problem: `the volume ${name} is in use by ${users.join(', ')}`,
        remedy: 'remove these containers first: vmexit rm',
      })
    rmSync(join(path, '..'), { recursive: true })
  }

  #read(name: string): NamedVolume | undefined {
    if (name.startsWith('.')) return undefined
    try {
      const about = JSON.parse(readFileSync(join(this.#root, name, 'volume.json'), 'utf8')) as Omit<NamedVolume, 'path'>
      return { ...about, path: join(this.#root, name, 'data') }
    } catch {
      return undefined
    }
  }
}

/** Names of the containers that have a volume, running or not. */
export function usersOf(volume: string): readonly string[] {
  return new StateDirectory().list().flatMap(({ instance: { kind, name, options } }) => {
    const { mounts = [] } = (kind === 'container' ? options : {}) as {
      mounts?: readonly { type: string; name?: string }[]
    }
    return mounts.some((mount) => mount.type === 'volume' && mount.name === volume) ? [name] : []
  })
}

function checked(name: string): string {
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}$/.test(name)) return name
  throw new VmexitError('volume-name', {
    problem: `'${name}' cannot be the name of a volume`,
    remedy:
      'begin with a letter or digit, and go on with letters, digits, _, . and -; a path of the host begins with / or .',
  })
}
