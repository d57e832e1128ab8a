/** capget(2), capset(2), and what prctl(2) does with capabilities. */
import { Errno } from '../errno.ts'
import type { Task } from '../system.ts'
import {
  ALL_CAPABILITIES,
  Cap,
  type CapabilitySets,
  hasCapability,
  LAST_CAPABILITY,
  SECURE_ALL,
  SECURE_LOCKS,
  SecureBit,
} from './capabilities.ts'
import { isCapable } from './credentials.ts'
import { taskOf } from './numbers.ts'

/** Versions of the structure, by words of each set. */
const V1 = 0x1998_0330
const V2 = 0x2007_1026
const V3 = 0x2008_0522

/** Words of a set; or an error, the kernel's version being said. */
function wordsOf(task: Task, header: number): number {
  const { memory } = task.kernel
  const version = memory.get32(header)
  if (version === V1) return 1
  if (version === V2 || version === V3) return 2
  memory.set32(header, V3)
  return -Errno.EINVAL
}

export function capget(task: Task, header: number, data: number): number {
  const { memory } = task.kernel
  const words = wordsOf(task, header)
  if (words < 0) return data === 0 ? 0 : words
  const pid = memory.get32(header + 4) | 0
  if (pid < 0) return -Errno.EINVAL
  const target = pid === 0 ? task : taskOf(task, pid)
  if (target === undefined) return -Errno.ESRCH
  if (data === 0) return 0
  const { effective, permitted, inheritable } = target.ids.caps
  for (let word = 0; word < words; word++)
    for (const [n, set] of [effective, permitted, inheritable].entries())
      memory.set32(data + word * 12 + n * 4, Number((set >> BigInt(word * 32)) & 0xffff_ffffn))
  return 0
}

export function capset(task: Task, header: number, data: number): number {
  const { memory } = task.kernel
  const words = wordsOf(task, header)
  if (words < 0) return words
  const pid = memory.get32(header + 4) | 0
  if (pid !== 0 && taskOf(task, pid) !== task) return -Errno.EPERM
  const read = (n: number): bigint => {
    let set = 0n
    for (let word = 0; word < words; word++) set |= BigInt(memory.get32(data + word * 12 + n * 4)) << BigInt(word * 32)
    return set & ALL_CAPABILITIES
  }
  const [effective, permitted, inheritable] = [read(0), read(1), read(2)]
  const { ids } = task
  const { caps } = ids
  const mayInherit = isCapable(ids, Cap.SETPCAP, ids.user)
  if (!mayInherit && (inheritable & ~(caps.inheritable | caps.permitted)) !== 0n) return -Errno.EPERM
  if ((inheritable & ~(caps.inheritable | caps.bounding)) !== 0n) return -Errno.EPERM
  if ((permitted & ~caps.permitted) !== 0n || (effective & ~permitted) !== 0n) return -Errno.EPERM
  replace(task, { effective, permitted, inheritable, ambient: caps.ambient & permitted & inheritable })
  return 0
}

function replace(task: Task, sets: Partial<CapabilitySets>): void {
  task.ids = { ...task.ids, caps: { ...task.ids.caps, ...sets } }
}

/** PR_CAPBSET_READ, PR_CAPBSET_DROP. */
export function boundingSet(task: Task, capability: number, drop: boolean): number {
  if (capability < 0 || capability > LAST_CAPABILITY) return -Errno.EINVAL
  const { caps, user } = task.ids
  if (!drop) return hasCapability(caps.bounding, capability) ? 1 : 0
  if (!task.capable(Cap.SETPCAP, user)) return -Errno.EPERM
  replace(task, { bounding: caps.bounding & ~(1n << BigInt(capability)) })
  return 0
}

/** PR_SET_SECUREBITS. */
export function setSecureBits(task: Task, bits: number): number {
  const { secureBits, user } = task.ids
  const locked = (secureBits & SECURE_LOCKS) >> 1
  if ((locked & (bits ^ secureBits)) !== 0 || (secureBits & SECURE_LOCKS & ~bits) !== 0 || (bits & ~SECURE_ALL) !== 0)
    return -Errno.EPERM
  if (!task.capable(Cap.SETPCAP, user)) return -Errno.EPERM
  task.ids = { ...task.ids, secureBits: bits }
  return 0
}

/** PR_SET_KEEPCAPS. */
export function setKeepCaps(task: Task, keep: number): number {
  if (keep !== 0 && keep !== 1) return -Errno.EINVAL
  const { secureBits } = task.ids
  if ((secureBits & (SecureBit.KEEP_CAPS << 1)) !== 0) return -Errno.EPERM
  task.ids = { ...task.ids, secureBits: keep ? secureBits | SecureBit.KEEP_CAPS : secureBits & ~SecureBit.KEEP_CAPS }
  return 0
}

const Ambient = { IS_SET: 1, RAISE: 2, LOWER: 3, CLEAR_ALL: 4 } as const

/** PR_CAP_AMBIENT. */
export function ambientSet(task: Task, operation: number, capability: number): number {
  const { caps, secureBits } = task.ids
  if (operation === Ambient.CLEAR_ALL) {
    if (capability !== 0) return -Errno.EINVAL
    replace(task, { ambient: 0n })
    return 0
  }
  if (capability < 0 || capability > LAST_CAPABILITY) return -Errno.EINVAL
  const bit = 1n << BigInt(capability)
  if (operation === Ambient.IS_SET) return hasCapability(caps.ambient, capability) ? 1 : 0
  if (operation === Ambient.LOWER) replace(task, { ambient: caps.ambient & ~bit })
  else if (operation !== Ambient.RAISE) return -Errno.EINVAL
  else if ((caps.permitted & caps.inheritable & bit) === 0n || (secureBits & SecureBit.NO_CAP_AMBIENT_RAISE) !== 0)
    return -Errno.EPERM
  else replace(task, { ambient: caps.ambient | bit })
  return 0
}
