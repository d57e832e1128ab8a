/** What a program of a bundle may: `process.user`, `capabilities`, `rlimits`, `noNewPrivileges`, `linux.seccomp`, `linux.sysctl`. */
import {
  applyLimit,
  Cap,
  type CapabilitySet,
  type CapabilitySets,
  callNumbers,
  capabilitySet,
  compileSeccomp,
  i386,
  Limit,
  type OciSeccomp,
  type SeccompFilter,
  SeccompMode,
  type Task,
} from '@vmexit/linux'
import { errnoName, toByteString } from '@vmexit/vfs'
import { containerError } from '../errors.ts'
import { findProgram } from '../program.ts'
import type { OciCapabilities, OciLinux, OciProcess, OciRlimit, OciSeccompProfile } from './config.ts'

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
/** Values from here on are RLIM_INFINITY; JSON does not give them exactly. */
const INFINITE = 2 ** 63
const NONE = Number.POSITIVE_INFINITY

const numbers = callNumbers(i386)

/** The filter of a profile. @throws VmexitError `seccomp-profile`. */
export function filterOf(profile: OciSeccompProfile | undefined): SeccompFilter | undefined {
  if (profile === undefined) return undefined
  return { program: compileSeccomp(profileOf(profile), (name) => numbers.get(name)), before: undefined }
}

/** A profile as the kernel compiles it. @throws VmexitError `seccomp-profile`, where it cannot. */
export function profileOf({ defaultAction, defaultErrnoRet, syscalls = [] }: OciSeccompProfile): OciSeccomp {
  const profile: OciSeccomp = {
    defaultAction,
    ...(defaultErrnoRet !== undefined && { defaultErrnoRet }),
    syscalls: syscalls.map(({ names, action, errnoRet, args = [] }) => ({
      ...{ names, action },
      ...(errnoRet !== undefined && { errnoRet }),
      args: args.map(({ index, op, value, valueTwo }) => ({ index, op, value, valueTwo: valueTwo ?? 0 })),
    })),
  }
  compileSeccomp(profile, (name) => numbers.get(name))
  return profile
}

/** Makes a task the one that runs a process. Answers where its program is, and its variables. @throws VmexitError. */
export function becomeOci(
  task: Task,
  program: OciProcess,
  filter: SeccompFilter | undefined,
): { readonly path: string; readonly env: Readonly<Record<string, string>> } {
  const { kernel, context, ids, process: proc } = task
  const { user = {}, args = [], cwd, env = [], rlimits = [], noNewPrivileges = false, oomScoreAdj = 0 } = program
  if (args.length === 0 || args[0] === '') containerError('config', 'process.args names no program', 'give its name')
  const known = (map: { toKernel(id: number): number }, id: number): number => {
    const found = map.toKernel(id)
    if (found >= 0) return found
    return containerError('config', `process.user: the id ${id} is not mapped`, 'add it to the mappings')
  }
  const { uids, gids } = ids.user
  const [uid, gid] = [known(uids, user.uid ?? 0), known(gids, user.gid ?? 0)]
  for (const limit of rlimits) setLimit(task, limit)
  proc.oomAdjustment = oomScoreAdj
  context.umask = user.umask ?? 0o022
  task.noNewPrivileges = noNewPrivileges
  if (filter !== undefined) task.seccomp = { mode: SeccompMode.FILTER, filter }
  task.ids = {
    ...ids,
    ...{ uid, euid: uid, suid: uid, fsuid: uid, gid, egid: gid, sgid: gid, fsgid: gid },
    groups: (user.additionalGids ?? []).map((group) => known(gids, group)),
    caps: setsOf(program.capabilities),
  }
  const answer = kernel.vfs.chdir(context, null, toByteString(cwd))
  if (answer < 0)
    containerError('options', `process.cwd ${cwd} is no directory to go to (${errnoName(answer)})`, 'give another one')
  const variables = Object.fromEntries(env.map(variable))
  return { path: findProgram(task, args[0]!, variables['PATH'] ?? PATH), env: variables }
}

function variable(text: string): readonly [string, string] {
  const at = text.indexOf('=')
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

/** The five sets. What the program gets of them says execve(2). */
function setsOf(sets: OciCapabilities = {}): CapabilitySets {
  const of = (names: readonly string[] = []): CapabilitySet =>
    capabilitySet(
      names.map((name) => {
        const short = name.toUpperCase().replace(/^CAP_/, '')
        if (Object.hasOwn(Cap, short)) return Cap[short as keyof typeof Cap]
        return containerError('config', `process.capabilities: there is no ${name}`, 'give those of capabilities(7)')
      }),
    )
  const { permitted, inheritable, ambient } = sets
  return {
    ...{ permitted: of(permitted), effective: of(sets.effective), bounding: of(sets.bounding) },
    ...{ inheritable: of(inheritable), ambient: of(ambient) & of(permitted) & of(inheritable) },
  }
}

function setLimit(task: Task, { type, soft, hard }: OciRlimit): void {
  const name = type.replace(/^RLIMIT_/, '')
  if (!Object.hasOwn(Limit, name) || !type.startsWith('RLIMIT_'))
    containerError('config', `process.rlimits: there is no ${type}`, 'give those of getrlimit(2)')
  if (soft > hard) containerError('config', `process.rlimits: ${type} has soft above hard`, 'give hard at least soft')
  const [least, most] = [soft, hard].map((value) => (value >= INFINITE ? NONE : value)) as [number, number]
  applyLimit(task.process, Limit[name as keyof typeof Limit], least, most)
}

/** Names of namespaces, loopback, clocks, and what of `linux.sysctl` can be set. @throws VmexitError `container-unsupported`. */
export function setNames(
  task: Task,
  hostname: string | undefined,
  domainname: string | undefined,
  linux: OciLinux,
): void {
  const { uts, net, time } = task.ns
  net.stack.setUp(net.stack.loopback, true)
  if (hostname !== undefined && hostname !== '') uts.hostname = checkedName(hostname)
  if (domainname !== undefined && domainname !== '') uts.domainname = checkedName(domainname)
  for (const [clock, { secs = 0, nanosecs = 0 }] of Object.entries(linux.timeOffsets ?? {})) {
    if (clock !== 'monotonic' && clock !== 'boottime')
      containerError('config', `linux.timeOffsets: there is no clock ${clock}`, 'give monotonic and boottime')
    else time[clock] = secs * 1e9 + nanosecs
  }
  for (const [name, text] of Object.entries(linux.sysctl ?? {})) {
    const value = Number(text.trim())
    const isWhole = /^[0-9]{1,9}$/.test(text.trim())
    const where = name.replaceAll('/', '.')
    if (where === 'net.ipv4.ip_forward' && isWhole && value <= 1) net.stack.forwarding = value === 1
    else if (where === 'net.ipv4.ip_unprivileged_port_start' && isWhole && value <= 65_536) net.privilegedPorts = value
    else if (where === 'kernel.domainname') uts.domainname = checkedName(text)
    else
      containerError(
        'unsupported',
        `linux.sysctl ${name} cannot be set to ${text}`,
        'set net.ipv4.ip_forward, net.ipv4.ip_unprivileged_port_start and kernel.domainname',
      )
  }
}

function checkedName(name: string): string {
  if (/^[^\s\0]{1,64}$/.test(name)) return name
  return containerError('config', `${name} is no name of a host`, 'give 1 to 64 characters without blanks')
}
