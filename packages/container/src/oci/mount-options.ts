/** Options of mounts (runtime-spec, "Linux mount options"; mount(8)): flags of the mount, and what the file system itself is told. */
import { MountFlag } from '@vmexit/vfs'
import { containerError } from '../errors.ts'

const { RDONLY, NOSUID, NODEV, NOEXEC, NOSYMFOLLOW, NOATIME, NODIRATIME, RELATIME } = MountFlag
// biome-ignore format: a table
const FLAGS: Readonly<Record<string, readonly [set: number, clear: number]>> = {
  ro: [RDONLY, 0], rw: [0, RDONLY], nosuid: [NOSUID, 0], suid: [0, NOSUID], nodev: [NODEV, 0], dev: [0, NODEV],
  noexec: [NOEXEC, 0], exec: [0, NOEXEC], noatime: [NOATIME, RELATIME], atime: [0, NOATIME],
  nodiratime: [NODIRATIME, 0], diratime: [0, NODIRATIME], relatime: [RELATIME, NOATIME], norelatime: [0, RELATIME],
  strictatime: [0, RELATIME | NOATIME], nostrictatime: [RELATIME, 0], nosymfollow: [NOSYMFOLLOW, 0],
  symfollow: [0, NOSYMFOLLOW], defaults: [0, RDONLY | NOSUID | NODEV | NOEXEC],
}
/** Said of every mount here: it is written through at once; nothing of a container's mounts is told to anybody. */
const TRUE_ANYWAY = [
  'bind',
  'rbind',
  'async',
  'sync',
  'dirsync',
  'private',
  'rprivate',
  'slave',
  'rslave',
  'mand',
  'nomand',
]

/** What options say. */
export interface MountOptions {
  readonly flags: number
  readonly isBind: boolean
  /** `name=value`, and words that are the file system's. */
  readonly data: ReadonlyMap<string, string>
}

/** Reads options; `known` are the names that the file system has. @throws VmexitError `container-unsupported`. */
export function mountOptions(where: string, options: readonly string[], known: readonly string[]): MountOptions {
  let flags: number = RELATIME
  let isBind = false
  const data = new Map<string, string>()
  for (const option of options) {
    const [name = '', value = ''] = splitOnce(option)
    const [set, clear] = Object.hasOwn(FLAGS, option) ? FLAGS[option]! : []
    if (set !== undefined) flags = (flags & ~clear!) | set
    else if (TRUE_ANYWAY.includes(option)) isBind ||= option === 'bind' || option === 'rbind'
    else if (known.includes(name)) data.set(name, value)
    else containerError('unsupported', `${where}: the option ${option} of a mount is not there`, 'leave it out')
  }
  return { flags, isBind, data }
}

function splitOnce(option: string): readonly string[] {
  const at = option.indexOf('=')
  return at < 0 ? [option] : [option.slice(0, at), option.slice(at + 1)]
}

/** Bytes, as tmpfs(5) has them; undefined for a text that says none. */
export function sizeOf(text: string): number | undefined {
  const [, digits, unit = ''] = /^([0-9]{1,15})([kKmMgG]?)$/.exec(text) ?? []
  if (digits === undefined) return undefined
  const size = Number(digits) * 1024 ** ' kmg'.indexOf(unit.toLowerCase() || ' ')
  return size <= Number.MAX_SAFE_INTEGER ? size : undefined
}
