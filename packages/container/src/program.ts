/**
 * What a container runs: the image's configuration (image-spec, "Image Configuration") with what its user says instead, and the last
 * steps of a task before its program begins (execvp(3), credentials(7)).
 */
import type { Image } from '@vmexit/image'
import { type CapabilitySet, type SeccompFilter, SeccompMode, type Task } from '@vmexit/linux'
import { Access, At, Errno, errnoName, Mode, Stat, toByteString } from '@vmexit/vfs'
import { setsOf } from './capabilities.ts'
import { containerError } from './errors.ts'
import { resolveUser } from './users.ts'

/** A program, and with what it is to run. */
export interface ProgramOptions {
  /** Variables beside the image's, or in their place. */
  readonly env?: Readonly<Record<string, string>>
  /** Where it starts. */
  readonly cwd?: string
  /** `name`, `uid`, `name:group`, `uid:gid`, by /etc/passwd and /etc/group of the image. */
  readonly user?: string
}

/** A program with all that it needs. */
export interface ProgramSpec {
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  readonly user: string
}

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** What the image says, and what is stated instead: `args` stand in the place of Cmd, and of an `entrypoint` nothing of Cmd is left. */
export function specOf(
  { config: { config } }: Pick<Image, 'config'>,
  options: ProgramOptions & { readonly args?: readonly string[]; readonly entrypoint?: readonly string[] },
): ProgramSpec {
  const { args, entrypoint, env = {}, cwd, user } = options
  const command = args ?? (entrypoint === undefined ? config?.Cmd : undefined) ?? []
  const all = [...(entrypoint ?? config?.Entrypoint ?? []), ...command]
  if (all.length === 0)
    containerError('options', 'the image says no program, and none was given', 'give args, or an entrypoint')
  return {
    args: all,
    env: { PATH, ...Object.fromEntries((config?.Env ?? []).map(split)), ...env },
    cwd: cwd ?? (config?.WorkingDir || '/'),
    user: user ?? config?.User ?? '',
  }
}

function split(text: string): readonly [string, string] {
  const at = text.indexOf('=')
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

/** What of rights a container's programs have. */
export interface Rights {
  readonly capabilities: CapabilitySet
  readonly noNewPrivileges: boolean
  readonly filter: SeccompFilter | undefined
}

/** Makes a task the one that runs a program. Answers the program's path and variables. @throws VmexitError. */
export function become(
  task: Task,
  { args, env, cwd, user }: ProgramSpec,
  rights: Rights,
): { readonly path: string; readonly env: Readonly<Record<string, string>> } {
  const { kernel, context, ids } = task
  const { vfs } = kernel
  const { uid, gid, groups, home } = resolveUser(vfs, context, user)
  // Users of a namespace that the container has made are named by its numbers.
  const known = (map: { toKernel(id: number): number }, id: number): number => Math.max(0, map.toKernel(id))
  const [kuid, kgid] = [known(ids.user.uids, uid), known(ids.user.gids, gid)]
  task.noNewPrivileges = rights.noNewPrivileges
  if (rights.filter !== undefined) task.seccomp = { mode: SeccompMode.FILTER, filter: rights.filter }
  task.ids = {
    ...ids,
    ...{ uid: kuid, euid: kuid, suid: kuid, fsuid: kuid, gid: kgid, egid: kgid, sgid: kgid, fsgid: kgid },
    groups: groups.map((group) => known(ids.user.gids, group)),
    caps: setsOf(rights.capabilities, uid === 0),
  }
  const answer = vfs.chdir(context, null, toByteString(cwd))
  if (answer < 0)
    containerError('options', `${cwd} is no directory to go to (${errnoName(answer)})`, 'give another cwd')
  return { path: findProgram(task, args[0]!, env['PATH'] ?? PATH), env: { HOME: home, ...env } }
}

/** The file of a program: as it is named, or the first of that name that may be executed in one of the directories. */
export function findProgram({ kernel: { vfs }, context }: Task, name: string, path: string): string {
  const isThere = (at: string): number => {
    const stat = new Stat()
    const found = vfs.stat(context, null, toByteString(at), stat)
    if (found < 0) return found
    if ((stat.mode & Mode.IFMT) !== Mode.IFREG) return -Errno.EACCES
    return vfs.access(context, null, toByteString(at), Access.X_OK, At.AT_EACCESS)
  }
  const places = name.includes('/') ? [name] : path.split(':').map((at) => `${at === '' ? '.' : at}/${name}`)
  let isForbidden = false
  for (const place of places) {
    const answer = isThere(place)
    if (answer >= 0) return place
    isForbidden ||= answer === -Errno.EACCES
  }
  if (isForbidden)
    return containerError('program', `${name} cannot be executed (EACCES)`, 'name a program that its user may execute')
  const where = name.includes('/') ? 'in the image' : `in ${path} of the image`
  return containerError('program-missing', `there is no program ${name} ${where}`, 'name one that there is')
}
