/** The folder of all instances, and how one of them is named: by its name, its ID, or the first digits of it. */
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, isAbsolute, join } from 'node:path'
import { isVmexitError, VmexitError } from '@vmexit/core'
import { type Instance, readRecord, writeRecord } from './instance.ts'

/** `$XDG_STATE_HOME/vmexit`, or ~/.local/state/vmexit. */
export function defaultStateDirectory(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const base = env.XDG_STATE_HOME
  // The XDG Base Directory Specification has relative paths ignored.
  return join(base !== undefined && isAbsolute(base) ? base : join(homedir(), '.local', 'state'), 'vmexit')
}

/** An instance and where it is. */
export interface Found {
  readonly folder: string
  readonly instance: Instance
}

/** What `sockaddr_un` takes on macOS, which is less than Linux takes, without the final 0. */
export const longestSocketPath = 103

/** Where an instance is asked. */
export function socketPath(folder: string): string {
  return process.platform === 'win32' ? `\\\\.\\pipe\\vmexit-${basename(folder)}` : join(folder, 'ctl.sock')
}

/** The instances of a folder. */
export class StateDirectory {
  readonly #root: string

  constructor(root: string = defaultStateDirectory()) {
    this.#root = root
  }

  /** All of them, the latest first. Those whose file is damaged are left out, and told. */
  list(damaged: (error: VmexitError) => void = () => {}): readonly Found[] {
    const all: Found[] = []
    for (const id of this.#ids()) {
      try {
        const found = this.#read(id)
        if (found !== undefined) all.push(found)
      } catch (error) {
        if (!isVmexitError(error)) throw error
        damaged(error)
      }
    }
    return all.sort((a, b) => (a.instance.created < b.instance.created ? 1 : -1))
  }

  /** Makes a folder for a new one. Throws a {@link VmexitError} `instance-name` or `state-directory`. */
  create({
    name,
    ...what
  }: Pick<Instance, 'kind' | 'what' | 'options' | 'remove'> & { readonly name: string | undefined }): Found {
    const id = randomBytes(16).toString('hex')
    const folder = join(this.#root, id)
    const socket = socketPath(folder)
    if (process.platform !== 'win32' && Buffer.byteLength(socket) > longestSocketPath) {
      throw new VmexitError('state-directory', {
        problem: `${socket} is too long for the name of a socket, which has ${longestSocketPath} bytes at most`,
        remedy: 'set XDG_STATE_HOME to a folder with a shorter path',
      })
    }
    // Whoever may open a socket in it controls what runs.
    mkdirSync(join(this.#root, 'names'), { recursive: true, mode: 0o700 })
    keepPrivate(this.#root)
    const instance: Instance = {
      version: 1,
      id,
      name: name === undefined ? `${what.kind}-${id.slice(0, 6)}` : checked(name),
      created: new Date().toISOString(),
      ...what,
    }
    mkdirSync(folder, { mode: 0o700 })
    try {
      this.#claim(instance)
      writeRecord(folder, 'instance', instance)
    } catch (error) {
      rmSync(folder, { recursive: true })
      throw error
    }
    return { folder, instance }
  }

  /** Deletes the folder of one that has ended, and frees its name. */
  remove({ folder, instance: { id, name } }: Found): void {
    if (this.#owner(name) === id) rmSync(this.#nameFile(name), { force: true })
    // In one step it is no instance any more: what is left where this is broken off goes with the next one.
    try {
      renameSync(folder, join(this.#root, `removed-${id}`))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
    for (const entry of readdirSync(this.#root))
      if (entry.startsWith('removed-')) rmSync(join(this.#root, entry), { recursive: true, force: true })
  }

  /** Gives one another name. Throws a {@link VmexitError} `instance-name`. */
  rename({ folder, instance }: Found, name: string): Found {
    const renamed = { ...instance, name: checked(name) }
    if (name === instance.name) return { folder, instance }
    this.#claim(renamed)
    writeRecord(folder, 'instance', renamed)
    if (this.#owner(instance.name) === instance.id) rmSync(this.#nameFile(instance.name), { force: true })
    return { folder, instance: renamed }
  }

  /** The one with an ID. Throws a {@link VmexitError} `instance-unknown`. */
  withId(id: string): Found {
    return /^[0-9a-f]{32}$/.test(id) ? (this.#read(id) ?? unknown(id)) : unknown(id)
  }

  /** The one that is meant. Throws a {@link VmexitError} `instance-unknown` or `instance-ambiguous`. */
  find(word: string): Found {
    const errors: VmexitError[] = []
    const all = this.list((error) => errors.push(error))
    const exact = all.find(({ instance: { id, name } }) => id === word || name === word)
    if (exact !== undefined) return exact
    const [first, ...others] = /^[0-9a-f]+$/.test(word)
      ? all.filter(({ instance }) => instance.id.startsWith(word))
      : []
    if (first === undefined) {
      // It may be the one that cannot be read.
      if (errors[0] !== undefined && (this.#owner(word) ?? word).length >= 4)
        this.#readBeginning(this.#owner(word) ?? word)
      unknown(word)
    }
    if (others.length > 0) {
      const ids = [first, ...others].map(({ instance: { id, name } }) => `${id.slice(0, 12)} (${name})`)
      throw new VmexitError('instance-ambiguous', {
        problem: `'${word}' begins the IDs ${ids.join(' and ')}`,
        remedy: 'give more digits, or a name',
      })
    }
    return first
  }

  #ids(): readonly string[] {
    try {
      return readdirSync(this.#root).filter((name) => /^[0-9a-f]{32}$/.test(name))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw error
    }
  }

  #readBeginning(digits: string): void {
    for (const id of this.#ids()) if (id.startsWith(digits)) this.#read(id)
  }

  #read(id: string): Found | undefined {
    const folder = join(this.#root, id)
    const instance = readRecord(folder, 'instance')
    return instance && { folder, instance }
  }

  /** Two starts at once cannot both have a name: its file is made by one of them. */
  #claim({ name, id }: Instance): void {
    const file = this.#nameFile(name)
    const owner = this.#owner(name)
    if (owner !== undefined && !this.#ids().includes(owner)) rmSync(file, { force: true })
    try {
      writeFileSync(file, id, { flag: 'wx' })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      throw new VmexitError('instance-name', {
        problem: `the name ${name} is taken by ${this.#owner(name)?.slice(0, 12)}`,
        remedy: `take another, or remove that one: vmexit rm ${name}`,
      })
    }
  }

  #nameFile(name: string): string {
    return join(this.#root, 'names', name)
  }

  #owner(name: string): string | undefined {
    if (!/^[a-zA-Z0-9]/.test(name) || name.includes('/')) return undefined
    try {
      return readFileSync(this.#nameFile(name), 'utf8')
    } catch {
      return undefined
    }
  }
}

/** Nobody else writes in a folder, or looks into it, also where it was made for something else before. Throws a {@link VmexitError} `state-directory`. */
function keepPrivate(folder: string): void {
  const user = process.getuid?.()
  if (user === undefined) return
  const { uid, mode } = statSync(folder)
  if (uid !== user)
    throw new VmexitError('state-directory', {
      problem: `${folder} belongs to another user, who would control what runs`,
      remedy: 'set XDG_STATE_HOME to a folder of your own',
    })
  if ((mode & 0o077) !== 0) chmodSync(folder, 0o700)
}

/** The one that is meant, if there is one; where an image may be meant, too. Throws a {@link VmexitError} `instance-ambiguous`. */
export function instanceNamed(word: string): Found | undefined {
  try {
    return new StateDirectory().find(word)
  } catch (error) {
    if (isVmexitError(error, 'instance-unknown')) return undefined
    throw error
  }
}

function unknown(word: string): never {
  throw new VmexitError('instance-unknown', {
    problem: `there is no instance '${word}'`,
    remedy: 'take a name or an ID of `vmexit ps -a`',
  })
}

function checked(name: string): string {
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$/.test(name)) return name
  throw new VmexitError('instance-name', {
    problem: `'${name}' cannot be a name`,
    remedy: 'begin with a letter or digit, and go on with letters, digits, _, . and -: 63 at most',
  })
}
