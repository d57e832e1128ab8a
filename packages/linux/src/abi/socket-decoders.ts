/** Arguments of calls on sockets as strace shows them: families, types, addresses, flags. */
import { formatIpv4 } from '@vmexit/net'
import { toText } from '@vmexit/vfs'
import { familyOf, readInet, readNetlink, readUnix } from '../net/addresses.ts'
import { Family, Msg } from '../net/constants.ts'
import type { Task } from '../system.ts'
import type { Decoder } from './table.ts'

const named = (names: Readonly<Record<number, string>>): Decoder<number> => ({
  words: 1,
  show: (_task, word) => names[word] ?? String(word),
})

const FAMILY_NAMES: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(Family).map(([name, number]) => [number, `AF_${name}`]),
)

export const family: Decoder<number> = named(FAMILY_NAMES)
export const optionLevel: Decoder<number> = named({
  0: 'SOL_IP',
  1: 'SOL_SOCKET',
  6: 'SOL_TCP',
  17: 'SOL_UDP',
  255: 'SOL_RAW',
  263: 'SOL_PACKET',
  270: 'SOL_NETLINK',
})

const TYPES: Readonly<Record<number, string>> = {
  1: 'SOCK_STREAM',
  2: 'SOCK_DGRAM',
  3: 'SOCK_RAW',
  5: 'SOCK_SEQPACKET',
}
export const socketType: Decoder<number> = {
  words: 1,
  show: (_task, word) => {
    const flags = flagsOf(word & ~0xf, { SOCK_NONBLOCK: 0o4000, SOCK_CLOEXEC: 0o2000000 })
    return [TYPES[word & 0xf] ?? String(word & 0xf), ...flags].join('|')
  },
}

const MESSAGE_FLAGS = Object.fromEntries(Object.entries(Msg).map(([name, bit]) => [`MSG_${name}`, bit]))
/** Flags of messages as strace shows them. */
export const shownFlags = (word: number): string => (word === 0 ? '0' : flagsOf(word, MESSAGE_FLAGS).join('|'))
export const messageFlags: Decoder<number> = { words: 1, show: (_task, word) => shownFlags(word) }

/** Names of bits. */
function flagsOf(word: number, names: Readonly<Record<string, number>>): string[] {
  const shown: string[] = []
  let left = word
  for (const [name, bit] of Object.entries(names)) {
    if ((left & bit) === 0) continue
    shown.push(name)
    left &= ~bit
  }
  if (left !== 0) shown.push(`0x${(left >>> 0).toString(16)}`)
  return shown
}

const MOST = 128

/** An address as strace shows it. @throws BAD_ADDRESS. */
export function shownAddress(task: Task, at: number, length: number): string {
  if (at === 0) return 'NULL'
  const bytes = new Uint8Array(Math.max(0, Math.min(length, MOST)))
  task.kernel.memory.read(at >>> 0, bytes)
  const number = familyOf(bytes)
  if (number === undefined) return `0x${(at >>> 0).toString(16)}`
  const fields = [`sa_family=${FAMILY_NAMES[number] ?? number}`]
  const [inet, netlink] = [readInet(bytes), readNetlink(bytes)]
  if (number === Family.INET && inet !== undefined)
    fields.push(`sin_port=htons(${inet.port})`, `sin_addr=inet_addr("${formatIpv4(inet.address)}")`)
  else if (number === Family.UNIX) {
    const name = readUnix(bytes) ?? ''
    if (name !== '')
      fields.push(`sun_path=${name.startsWith('\0') ? `@"${toText(name.slice(1))}"` : `"${toText(name)}"`}`)
  } else if (number === Family.NETLINK && netlink !== undefined)
    fields.push(`nl_pid=${netlink.port}`, `nl_groups=${netlink.groups.toString(16).padStart(8, '0')}`)
  return `{${fields.join(', ')}}`
}

/** An address that the call takes; its length comes behind it. */
export const sockaddr: Decoder<number> = {
  words: 1,
  decode: (_task, word) => word >>> 0,
  show: (task, word, _high, next) => shownAddress(task, word, next),
}
/** Where the call leaves an address; where its length is comes behind it. */
export const sockaddrTaken: Decoder<number> = {
  words: 1,
  isResult: true,
  decode: (_task, word) => word >>> 0,
  show: (task, word, _high, next, answer) =>
    answer < 0 || word === 0 || next === 0
      ? `${word === 0 ? 'NULL' : `0x${(word >>> 0).toString(16)}`}`
      : shownAddress(task, word, task.kernel.memory.get32(next >>> 0)),
}
