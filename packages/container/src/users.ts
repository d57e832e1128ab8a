/** Users by name, as the image's own /etc/passwd and /etc/group have them (passwd(5), group(5); image-spec, "User"). */
import { Open, type TaskContext, toByteString, type Vfs } from '@vmexit/vfs'
import { containerError } from './errors.ts'

/** Who a program is. */
export interface ResolvedUser {
  readonly uid: number
  readonly gid: number
  readonly groups: readonly number[]
  readonly home: string
}

/** Files of users are read up to here: an image is not trusted to have small ones. */
const MOST_BYTES = 1 << 20
const PAGE = 4096
const MOST_ID = 2 ** 32 - 2
const MOST_GROUPS = 65_536

/** `uid`, `name`, each with `:gid` or `:group`, in the files that a task sees. @throws VmexitError `container-user`. */
export function resolveUser(vfs: Vfs, task: TaskContext, user: string): ResolvedUser {
  const [who = '', group, ...rest] = (user === '' ? '0' : user).split(':')
  if (rest.length > 0)
    containerError('user', `the user ${user} is not understood`, 'give name, uid, name:group or uid:gid')
  const passwd = rows(vfs, task, '/etc/passwd')
  const found =
    passwd.find(([name]) => name === who) ?? passwd.find(([, , uid]) => isNumber(who) && uid === String(Number(who)))
  const uid = numberOf(found?.[2]) ?? numberOf(who)
  if (uid === undefined)
    return containerError(
      'user',
      `there is no user ${who} in /etc/passwd of the image`,
      'name another one, or a number',
    )
  const home = found?.[5] || '/'
  const groups = rows(vfs, task, '/etc/group')
  if (group === undefined || group === '') {
    const gid = numberOf(found?.[3]) ?? 0
    const name = found?.[0]
    const further = groups.flatMap(([, , number, members = '']) =>
      name !== undefined && members.split(',').includes(name) ? [numberOf(number) ?? gid] : [],
    )
    return { uid, gid, home, groups: [...new Set([gid, ...further])].slice(0, MOST_GROUPS) }
  }
  const gid = numberOf(groups.find(([name]) => name === group)?.[2]) ?? numberOf(group)
  if (gid === undefined)
    return containerError(
      'user',
      `there is no group ${group} in /etc/group of the image`,
      'name another one, or a number',
    )
  return { uid, gid, home, groups: [gid] }
}

function isNumber(text: string): boolean {
  return /^[0-9]{1,10}$/.test(text)
}
function numberOf(text: string | undefined): number | undefined {
  if (text === undefined || !isNumber(text) || Number(text) > MOST_ID) return undefined
  return Number(text)
}

/** The lines of a file, by colons; none where it cannot be read. */
function rows(vfs: Vfs, task: TaskContext, path: string): string[][] {
  const file = vfs.open(task, null, toByteString(path), Open.O_RDONLY | Open.O_NONBLOCK)
  if (typeof file === 'number') return []
  const bytes = new Uint8Array(Math.min(MOST_BYTES, Math.max(PAGE, file.inode.size)))
  let length = 0
  for (;;) {
    const count = vfs.pread(file, bytes, length, bytes.length - length, length)
    if (count <= 0) break
    length += count
  }
  vfs.close(file)
  return new TextDecoder()
    .decode(bytes.subarray(0, length))
    .split('\n')
    .map((line) => line.split(':'))
}
