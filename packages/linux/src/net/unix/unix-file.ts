/** Sockets of family AF_UNIX as open files (unix(7)). */
import { Errno } from '../../errno.ts'
import type { Task } from '../../system.ts'
import { Limit } from '../../tasks/limits.ts'
import { givenPid, shownPid } from '../../tasks/numbers.ts'
import { familyOf, readUnix, writeUnix } from '../addresses.ts'
import { buffersOf } from '../buffer-account.ts'
import { Family, Level, MOST_RIGHTS, Msg, Option, Scm, Type } from '../constants.ts'
import type { NetNamespace } from '../namespace.ts'
import { mayExceedLimits, mayImpersonate } from '../privilege.ts'
import {
  admit,
  type ControlMessage,
  dismiss,
  numberOf,
  numbers,
  type ReceivedWith,
  type SentWith,
  SocketFile,
} from '../socket-file.ts'
import { ConnectedEnd } from './connected-end.ts'
import { DatagramEnd } from './datagram-end.ts'
import type { Credentials, Incoming, UnixEnd } from './end.ts'
import { bindAutomatically, bindName, findName } from './names.ts'

const AF_UNIX_PROTOCOL = 1

/** Who a task is, as other ends are told. */
function credentialsOf({ process: proc, ids }: Task): Credentials {
  return { pid: proc.pid, uid: ids.euid, gid: ids.egid }
}

/** The same as the reader is told it: numbers, users and groups of its own namespaces. */
function told(task: Task, { pid, uid, gid }: Credentials): Uint8Array {
  const { uids, gids } = task.ids.user
  // (Of nobody there is no user.)
  return numbers(shownPid(task, pid), uid === -1 ? uid : uids.shown(uid), gid === -1 ? gid : gids.shown(gid))
}

/** A UNIX socket. */
export class UnixFile extends SocketFile {
  readonly family: number = Family.UNIX
  readonly protocol: number = 0
  readonly end: UnixEnd

  constructor(task: Task, namespace: NetNamespace, end: UnixEnd, flags: number) {
    super(task, namespace, flags)
    this.end = end
    end.holder = this
    end.wake = this.woken
  }

  /** socket(2). */
  static open(task: Task, type: number, protocol: number, flags: number): UnixFile | number {
    const wrong = refused(type, protocol)
    if (wrong !== 0) return wrong
    const admitted = admit(task)
    if (admitted < 0) return admitted
    const { network } = task.kernel
    const account = buffersOf(task.process.account)
    const isConnected = type === Type.STREAM || type === Type.SEQPACKET
    const end = isConnected ? new ConnectedEnd(network, type, account) : new DatagramEnd(network, Type.DGRAM, account)
    return new UnixFile(task, task.ns.net, end, flags)
  }

  /** socketpair(2). */
  static pair(task: Task, type: number, protocol: number, flags: number): [UnixFile, UnixFile] | number {
    const wrong = refused(type, protocol)
    if (wrong !== 0) return wrong
    const { network } = task.kernel
    const first = admit(task)
    if (first < 0) return first
    const second = admit(task)
    if (second < 0) {
      dismiss(task)
      return second
    }
    const account = buffersOf(task.process.account)
    const who = credentialsOf(task)
    const isConnected = type === Type.STREAM || type === Type.SEQPACKET
    const [one, other] = isConnected
      ? ConnectedEnd.pair(network, type, account, who)
      : DatagramEnd.pair(network, account, who)
    return [new UnixFile(task, task.ns.net, one, flags), new UnixFile(task, task.ns.net, other, flags)]
  }

  get type(): number {
    return this.end.type
  }
  get isStream(): boolean {
    return this.type === Type.STREAM
  }
  get signals(): boolean {
    return this.isStream
  }
  get largest(): number {
    return this.end.largest
  }
  get next(): number {
    return this.end.next
  }
  override get readable(): number {
    return this.end.isListening ? -Errno.EINVAL : this.end.next
  }
  override get unsent(): number {
    return this.end.unsent
  }
  override get controlRoom(): number {
    return 64 + 4 * this.end.nextRights
  }

  bind(task: Task, address: Uint8Array): number {
    if (familyOf(address) !== Family.UNIX) return -Errno.EINVAL
    const name = readUnix(address)
    if (name === undefined) return -Errno.EINVAL
    return name === '' ? bindAutomatically(this.namespace, this.end) : bindName(task, this.namespace, this.end, name)
  }

  connect(task: Task, address: Uint8Array): number {
    const { end } = this
    if (familyOf(address) === Family.UNSPEC) {
      if (!(end instanceof DatagramEnd)) return -Errno.EINVAL
      end.disconnect()
      return 0
    }
    const to = this.#find(task, address)
    if (typeof to === 'number') return to
    if (end.passesCredentials) bindAutomatically(this.namespace, end)
    return end.connect(to, credentialsOf(task))
  }

  #find(task: Task, address: Uint8Array): UnixEnd | number {
    const name = familyOf(address) === Family.UNIX ? readUnix(address) : undefined
    if (name === undefined || name === '') return -Errno.EINVAL
    return findName(task, this.namespace, name)
  }

  override listen(task: Task, backlog: number): number {
    return this.end.listen(backlog, credentialsOf(task))
  }
  override accept(task: Task, flags: number): UnixFile | number {
    const admitted = admit(task)
    if (admitted < 0) return admitted
    const end = this.end.accept()
    if (typeof end !== 'number') return new UnixFile(task, this.namespace, end, flags)
    dismiss(task)
    return end
  }
  localAddress(): Uint8Array {
    return writeUnix(this.end.name)
  }
  peerAddress(): Uint8Array | number {
    const { peer } = this.end
    return peer === undefined ? -Errno.ENOTCONN : writeUnix(peer.name)
  }

  send(task: Task, bytes: Uint8Array, { to, flags, rights, controls }: SentWith): number {
    if ((flags & Msg.OOB) !== 0) return -Errno.EOPNOTSUPP
    const { end } = this
    let target: UnixEnd | undefined
    if (to !== undefined && end instanceof DatagramEnd) {
      const found = this.#find(task, to)
      if (typeof found === 'number') return found
      target = found
    } else if (to !== undefined && this.isStream) return end.peer === undefined ? -Errno.EOPNOTSUPP : -Errno.EISCONN
    const user = task.ids.uid
    const credentials = credentialsIn(task, controls)
    if (typeof credentials === 'number') return credentials
    if (rights.length > MOST_RIGHTS) return -Errno.EINVAL
    const limit = mayExceedLimits(task) ? Number.POSITIVE_INFINITY : task.process.limits.soft[Limit.NOFILE]!
    if (rights.length > 0 && !task.kernel.network.rights.mayCarry(user, rights.length, limit))
      return -Errno.ETOOMANYREFS
    if (end.passesCredentials) bindAutomatically(this.namespace, end)
    return end.send(bytes, { rights, credentials, user }, target)
  }

  receive(into: Uint8Array, flags: number, message: ReceivedWith): number {
    if ((flags & Msg.OOB) !== 0) return -Errno.EOPNOTSUPP
    const incoming: Incoming = { size: 0, from: undefined, rights: [], credentials: undefined }
    const count = this.end.receive(into, (flags & Msg.PEEK) !== 0, incoming)
    message.size = incoming.size
    message.rights = incoming.rights
    if (count >= 0 && incoming.from !== undefined) message.from = writeUnix(incoming.from)
    const { credentials } = incoming
    if (credentials !== undefined && this.end.passesCredentials) {
      const data = told(this.kernel.current!, credentials)
      message.controls.push({ level: Level.SOCKET, type: Scm.CREDENTIALS, data })
    }
    return count
  }

  shutdown(how: number): number {
    return this.end.shutdown(how)
  }
  protected pollBits(): number {
    return this.end.poll()
  }
  protected closeSocket(): void {
    this.end.close()
  }
  /** One reference less: what is left may lie in queues only. */
  override close(owner: object | undefined): void {
    super.close(owner)
    if (this.references > 0) this.kernel.network.rights.suspect(this)
  }

  protected getOwnOption(level: number, option: number): Uint8Array | number {
    const { end } = this
    if (level !== Level.SOCKET) return -Errno.EOPNOTSUPP
    switch (option) {
      case Option.ERROR:
        return end.takeError()
      case Option.SNDBUF:
        return end.sendBuffer
      case Option.PASSCRED:
        return Number(end.passesCredentials)
      case Option.PEERCRED:
        return told(this.kernel.current!, end.peerCredentials)
      case Option.ACCEPTCONN:
        return Number(end.isListening)
      case Option.LINGER:
        return numbers(0, 0)
      case Option.RCVBUF:
        return this.getPlain(option) || 212_992
      case Option.REUSEADDR:
      case Option.REUSEPORT:
      case Option.KEEPALIVE:
      case Option.BROADCAST:
      case Option.OOBINLINE:
      case Option.DONTROUTE:
      case Option.PRIORITY:
        return this.getPlain(option)
      case Option.RCVLOWAT:
      case Option.SNDLOWAT:
        return 1
      default:
        return -Errno.ENOPROTOOPT
    }
  }

  protected setOwnOption(_task: Task, level: number, option: number, value: Uint8Array): number {
    if (level !== Level.SOCKET) return -Errno.EOPNOTSUPP
    const number = numberOf(value)
    if (number === undefined) return -Errno.EINVAL
    switch (option) {
      case Option.SNDBUF:
        this.end.setSendBuffer(number >>> 0)
        return 0
      case Option.PASSCRED:
        this.end.passesCredentials = number !== 0
        return 0
      case Option.RCVBUF:
        return this.setPlain(option, Math.max(2304, Math.min(number >>> 0, 212_992) * 2))
      case Option.LINGER:
        return 0
      case Option.REUSEADDR:
      case Option.REUSEPORT:
      case Option.KEEPALIVE:
      case Option.BROADCAST:
      case Option.OOBINLINE:
      case Option.DONTROUTE:
        return this.setPlain(option, Number(number !== 0))
      case Option.PRIORITY:
        return this.setPlain(option, number)
      default:
        return -Errno.ENOPROTOOPT
    }
  }
}

function refused(type: number, protocol: number): number {
  if (protocol !== 0 && protocol !== AF_UNIX_PROTOCOL) return -Errno.EPROTONOSUPPORT
  const isKnown = type === Type.STREAM || type === Type.DGRAM || type === Type.SEQPACKET || type === Type.RAW
  return isKnown ? 0 : -Errno.ESOCKTNOSUPPORT
}

/** The credentials that a control message claims, if the task may; its own without. */
function credentialsIn(task: Task, controls: readonly ControlMessage[]): Credentials | number {
  const { ids, process: proc } = task
  let credentials: Credentials = { pid: proc.pid, uid: ids.uid, gid: ids.gid }
  for (const { level, type, data } of controls) {
    if (level !== Level.SOCKET || type !== Scm.CREDENTIALS) continue
    if (data.length !== 12) return -Errno.EINVAL
    const view = new DataView(data.buffer, data.byteOffset)
    const pid = givenPid(task, view.getInt32(0, true))
    const uid = ids.user.uids.toKernel(view.getUint32(4, true))
    const gid = ids.user.gids.toKernel(view.getUint32(8, true))
    if (uid === -1 || gid === -1) return -Errno.EINVAL
    const isOwn =
      (pid === proc.pid || mayImpersonate(task, 'process')) &&
      ([ids.uid, ids.euid, ids.suid].includes(uid) || mayImpersonate(task, 'user')) &&
      ([ids.gid, ids.egid, ids.sgid].includes(gid) || mayImpersonate(task, 'group'))
    if (!isOwn) return -Errno.EPERM
    if (pid !== proc.pid && !task.kernel.processes.has(pid)) return -Errno.ESRCH
    credentials = { pid, uid, gid }
  }
  return credentials
}
