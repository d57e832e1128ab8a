/** Capabilities (capabilities(7)): what root's power is made of, and the sets of them that a task has. */

/** By number. */
// biome-ignore format: a table
export const Cap = {
  CHOWN: 0, DAC_OVERRIDE: 1, DAC_READ_SEARCH: 2, FOWNER: 3, FSETID: 4, KILL: 5, SETGID: 6, SETUID: 7, SETPCAP: 8,
  LINUX_IMMUTABLE: 9, NET_BIND_SERVICE: 10, NET_BROADCAST: 11, NET_ADMIN: 12, NET_RAW: 13, IPC_LOCK: 14, IPC_OWNER: 15,
  SYS_MODULE: 16, SYS_RAWIO: 17, SYS_CHROOT: 18, SYS_PTRACE: 19, SYS_PACCT: 20, SYS_ADMIN: 21, SYS_BOOT: 22,
  SYS_NICE: 23, SYS_RESOURCE: 24, SYS_TIME: 25, SYS_TTY_CONFIG: 26, MKNOD: 27, LEASE: 28, AUDIT_WRITE: 29,
  AUDIT_CONTROL: 30, SETFCAP: 31, MAC_OVERRIDE: 32, MAC_ADMIN: 33, SYSLOG: 34, WAKE_ALARM: 35, BLOCK_SUSPEND: 36,
  AUDIT_READ: 37, PERFMON: 38, BPF: 39, CHECKPOINT_RESTORE: 40,
} as const
/** The highest one. */
export const LAST_CAPABILITY = 40

/** Capabilities as bits by number. */
export type CapabilitySet = bigint

/** All that there are. */
export const ALL_CAPABILITIES: CapabilitySet = (1n << BigInt(LAST_CAPABILITY + 1)) - 1n

/** A set of some. */
export function capabilitySet(numbers: Iterable<number>): CapabilitySet {
  let set = 0n
  for (const number of numbers) set |= 1n << BigInt(number)
  return set
}

export function hasCapability(set: CapabilitySet, number: number): boolean {
  return ((set >> BigInt(number)) & 1n) !== 0n
}

/** Those that go with the user of the file system: setfsuid(2). */
export const FILE_CAPABILITIES: CapabilitySet = capabilitySet([
  ...[Cap.CHOWN, Cap.DAC_OVERRIDE, Cap.DAC_READ_SEARCH, Cap.FOWNER, Cap.FSETID, Cap.LINUX_IMMUTABLE, Cap.MKNOD],
  Cap.MAC_OVERRIDE,
])

/** The sets of a task. */
export interface CapabilitySets {
  readonly permitted: CapabilitySet
  readonly effective: CapabilitySet
  readonly inheritable: CapabilitySet
  readonly bounding: CapabilitySet
  readonly ambient: CapabilitySet
}

/** Root's, and those of whoever has made a user namespace. */
export const ALL_SETS: CapabilitySets = {
  permitted: ALL_CAPABILITIES,
  effective: ALL_CAPABILITIES,
  inheritable: 0n,
  bounding: ALL_CAPABILITIES,
  ambient: 0n,
}
/** Those of a user. */
export const NO_SETS: CapabilitySets = { ...ALL_SETS, permitted: 0n, effective: 0n }

/** Bits of `secureBits`; each is locked by the one above it. */
export const SecureBit = { NOROOT: 1, NO_SETUID_FIXUP: 4, KEEP_CAPS: 0x10, NO_CAP_AMBIENT_RAISE: 0x40 } as const
/** Bits that lock others. */
export const SECURE_LOCKS = 0xaa
/** All bits. */
export const SECURE_ALL = 0xff
