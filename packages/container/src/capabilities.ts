/** What root of a container may: Docker's default capabilities, and what `--cap-add` and `--cap-drop` make of them. */
import { Cap, type CapabilitySet, type CapabilitySets, capabilitySet } from '@vmexit/linux'
import { containerError } from './errors.ts'

/** The name of a capability, as `NET_ADMIN` or `CAP_NET_ADMIN`, in any case; or `ALL`. */
export type CapabilityName = string

/** What Docker leaves to root unless told otherwise. */
const DEFAULT: readonly (keyof typeof Cap)[] = [
  ...(['CHOWN', 'DAC_OVERRIDE', 'FSETID', 'FOWNER', 'MKNOD', 'NET_RAW', 'SETGID', 'SETUID', 'SETFCAP'] as const),
  ...(['SETPCAP', 'NET_BIND_SERVICE', 'SYS_CHROOT', 'KILL', 'AUDIT_WRITE'] as const),
]

/**
 * Those that a container has: the default ones without what is dropped, and what is added. `ALL` may be dropped or added
 * with exceptions from the other list. @throws VmexitError `container-options`.
 */
export function capabilitiesOf(
  drop: readonly CapabilityName[] = [],
  add: readonly CapabilityName[] = [],
): CapabilitySet {
  const [dropped, added] = [drop.map(normal), add.map(normal)]
  const all = Object.keys(Cap)
  const begin = added.includes('ALL') ? all : dropped.includes('ALL') ? [] : DEFAULT
  const without = dropped.filter((name) => name !== 'ALL')
  const names = [...begin.filter((name) => !without.includes(name)), ...added.filter((name) => name !== 'ALL')]
  return capabilitySet(names.map((name) => Cap[name as keyof typeof Cap]))
}

/** The sets of root, or of a user, who has nothing, and whose programs with set-user-ID get no more than these. */
export function setsOf(capabilities: CapabilitySet, isRoot: boolean): CapabilitySets {
  const own = isRoot ? capabilities : 0n
  return { permitted: own, effective: own, inheritable: 0n, bounding: capabilities, ambient: 0n }
}

function normal(name: CapabilityName): string {
  const short = name.toUpperCase().replace(/^CAP_/, '')
  if (short === 'ALL' || Object.hasOwn(Cap, short)) return short
  return containerError('options', `there is no capability ${name}`, 'give one of capabilities(7), such as NET_ADMIN')
}
