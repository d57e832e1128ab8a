/** What a configuration may ask for and cannot have here: refused by name, before anything is made. */
import { containerError } from '../errors.ts'
import { HOOK_TIMES, type HookTime, type OciConfig, type OciLinux, type OciProcess } from './config.ts'

const NAMESPACES = ['mount', 'pid', 'network', 'ipc', 'uts', 'user', 'cgroup', 'time']
const LIST = 'the namespaces of @vmexit/linux are mount, pid, network, ipc, uts, user, cgroup and time'
/** Programs of the host that run beside a container; the others would have to run in it. */
export const HOST_HOOKS: readonly HookTime[] = ['prestart', 'createRuntime', 'poststart', 'poststop']

/** @throws VmexitError `container-unsupported`, `container-config`, `container-hooks`. */
export function refuseUnsupported(config: OciConfig, { hooks = false }: { readonly hooks?: boolean } = {}): void {
  const { linux = {}, hooks: asked = {}, process: program } = config
  for (const time of HOOK_TIMES) {
    if ((asked[time] ?? []).length === 0) continue
    if (!HOST_HOOKS.includes(time))
      refuse(`hooks.${time}`, 'programs of the host cannot run in a container of this runtime', 'leave it out')
    if (!hooks)
      containerError('hooks', `hooks.${time} runs programs of the host`, 'allow it by --hooks, or leave it out')
  }
  refuseNamespaces(linux)
  if (program !== undefined) refuseOfProcess(program)
  if (given(linux.mountLabel)) refuse('linux.mountLabel', 'there is no SELinux', 'leave it out')
  if (linux.intelRdt !== undefined) refuse('linux.intelRdt', 'there is no such hardware', 'leave it out')
  const { personality, rootfsPropagation = '', seccomp } = linux
  if (personality !== undefined && (personality.domain !== 'LINUX32' || (personality.flags ?? []).length > 0))
    refuse(`linux.personality ${personality.domain}`, 'programs are of 32 bits', 'give LINUX32, or leave it out')
  if (!['', 'private', 'rprivate', 'slave', 'rslave'].includes(rootfsPropagation))
    refuse(`linux.rootfsPropagation ${rootfsPropagation}`, 'mounts of a container reach nobody else', 'give private')
  if (given(seccomp?.listenerPath) || given(seccomp?.listenerMetadata))
    refuse('linux.seccomp.listenerPath', 'nobody listens to calls', 'leave it out')
  const { architectures = [] } = seccomp ?? {}
  if (architectures.length > 0 && !architectures.includes('SCMP_ARCH_X86'))
    refuse('linux.seccomp.architectures', 'programs are of SCMP_ARCH_X86, which is not among them', 'add it')
}

/** What of a process is refused. @throws VmexitError `container-unsupported`. */
export function refuseOfProcess(program: OciProcess): void {
  if (given(program.apparmorProfile)) refuse('process.apparmorProfile', 'there is no AppArmor', 'leave it out')
  if (given(program.selinuxLabel)) refuse('process.selinuxLabel', 'there is no SELinux', 'leave it out')
  for (const name of ['scheduler', 'ioPriority', 'execCPUAffinity'] as const)
    if (program[name] !== undefined) refuse(`process.${name}`, 'it has no effect here', 'leave it out')
}

function refuseNamespaces({ namespaces = [], uidMappings = [], gidMappings = [], timeOffsets }: OciLinux): void {
  const kinds = namespaces.map(({ type }) => type)
  for (const { type, path } of namespaces) {
    if (!NAMESPACES.includes(type)) refuse(`linux.namespaces ${type}`, 'there is no such kind', LIST)
    if (given(path))
      refuse(
        `linux.namespaces ${type} at ${path}`,
        "a namespace of the host's kernel cannot be joined by a program on another kernel",
        type === 'network' ? 'leave the path out, as by --network none' : 'leave the path out',
      )
    if (kinds.indexOf(type) !== kinds.lastIndexOf(type))
      containerError('config', `linux.namespaces has ${type} twice`, 'name each kind once')
  }
  if (!kinds.includes('mount'))
    refuse('linux.namespaces', "without one of mounts a container would be in the host's", 'add { "type": "mount" }')
  if (!kinds.includes('network'))
    refuse('linux.namespaces', "the host's network cannot be shared", 'add { "type": "network" }, as by --network none')
  const isMapped = uidMappings.length > 0 || gidMappings.length > 0
  if (isMapped && !kinds.includes('user'))
    containerError('config', 'linux.uidMappings without a user namespace', 'add { "type": "user" }')
  if (kinds.includes('user') && (uidMappings.length === 0 || gidMappings.length === 0))
    containerError('config', 'a user namespace without ids', 'give linux.uidMappings and linux.gidMappings')
  if (timeOffsets !== undefined && !kinds.includes('time'))
    containerError('config', 'linux.timeOffsets without a time namespace', 'add { "type": "time" }')
}

function given(value: string | undefined): boolean {
  return value !== undefined && value !== ''
}
function refuse(what: string, why: string, remedy: string): never {
  return containerError('unsupported', `${what}: ${why}`, remedy)
}
