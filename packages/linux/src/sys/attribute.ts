/** Nodes as sysfs has them (sysfs(5), Linux's Documentation/filesystems/sysfs.rst): directories of objects, and attributes of one value each. */
import { Errno } from '../errno.ts'
import { directory, type ProcDirectory, type ProcFile, type ProcNode } from '../proc/node.ts'

const DIRECTORY = 0o755
const WRITABLE = 0o644
/** `unsigned long` of i386. */
const MOST = 0xffff_ffff
/** What a driver core takes for events that somebody makes up, udevadm(8)'s `trigger`. */
const ACTION = /^(add|remove|change|move|online|offline|bind|unbind)\n?$/

/** Writes a value: 0, or an error number below 0. */
export type Store = (text: string) => number

/** The directory of an object, with fixed entries. */
export function object(entries: Readonly<Record<string, ProcNode>>): ProcDirectory {
  const inside = Object.values(entries).filter(({ kind }) => kind === 'directory').length
  return { ...directory(entries), mode: DIRECTORY, directories: () => inside }
}

/** One whose entries come and go: links alone, unless `directories` counts others. */
export function collection(
  entry: ProcDirectory['entry'],
  names: ProcDirectory['names'],
  directories: () => number = () => 0,
): ProcDirectory {
  return { kind: 'directory', mode: DIRECTORY, entry, names, directories }
}

/** An attribute: its value without the line end, or an error number below 0 where it has none now. */
export function attribute(value: () => string | number, store?: Store): ProcFile {
  const text = (): string | number => {
    const shown = value()
    return typeof shown === 'number' ? shown : `${shown}\n`
  }
  return store === undefined ? { kind: 'file', text } : { kind: 'file', mode: WRITABLE, text, write: taken(store) }
}

/** A write of nothing changes nothing. */
function taken(store: Store): Store {
  return (text) => (text === '' ? 0 : store(text))
}

/** What an object's events say, a line each, or an error number below 0. Nobody here listens to those that are made up by writing. */
export function uevent(lines: () => readonly string[] | number): ProcFile {
  return {
    ...{ kind: 'file', mode: WRITABLE },
    text: () => {
      const said = lines()
      return typeof said === 'number' ? said : said.map((line) => `${line}\n`).join('')
    },
    write: taken((text) => (ACTION.test(text) ? 0 : -Errno.EINVAL)),
  }
}

/** A number as programs write it, decimal, octal or hexadecimal, and a line end at most (Linux's `kstrtoul`). */
export function unsigned(text: string): number {
  const [, hexadecimal, octal, decimal] =
    /^\+?(?:0[xX]([0-9a-fA-F]+)|(0[0-7]*)|([1-9][0-9]*))\n?$/.exec(text.split('\0')[0]!) ?? []
  const digits = hexadecimal ?? octal ?? decimal
  if (digits === undefined) return -Errno.EINVAL
  const value = Number.parseInt(digits, hexadecimal !== undefined ? 16 : octal !== undefined ? 8 : 10)
  return value > MOST ? -Errno.ERANGE : value
}
