/** Requests of terminals (ioctl_tty(2)). */
import { Errno } from '../errno.ts'
import { Code } from '../signals/queue.ts'
import { sendToGroup } from '../signals/send.ts'
import { Signal } from '../signals/set.ts'
import type { Task } from '../system.ts'
import { Cap } from '../tasks/capabilities.ts'
import { givenPid, shownPid } from '../tasks/numbers.ts'
import { decodeTermios, encodeTermios, TERMIOS_BYTES } from './termios.ts'
import type { Tty } from './tty.ts'

// biome-ignore format: a table
const Request = {
  TCGETS: 0x5401, TCSETS: 0x5402, TCSETSW: 0x5403, TCSETSF: 0x5404, TCSBRK: 0x5409, TCXONC: 0x540a, TCFLSH: 0x540b,
  TIOCEXCL: 0x540c, TIOCNXCL: 0x540d, TIOCSCTTY: 0x540e, TIOCGPGRP: 0x540f, TIOCSPGRP: 0x5410, TIOCOUTQ: 0x5411,
  TIOCGWINSZ: 0x5413, TIOCSWINSZ: 0x5414, FIONREAD: 0x541b, TIOCNOTTY: 0x5422, TCSBRKP: 0x5425, TIOCGSID: 0x5429,
} as const

export function ttyIoctl(task: Task, tty: Tty, request: number, argument: number): number {
  const { memory } = task.kernel
  const { session } = task.process
  switch (request) {
    case Request.TCGETS:
      memory.write(argument, encodeTermios(tty.termios))
      return 0
    case Request.TCSETS:
    case Request.TCSETSW:
    case Request.TCSETSF: {
      const bytes = new Uint8Array(TERMIOS_BYTES)
      memory.read(argument, bytes)
      if (request === Request.TCSETSF) tty.flushInput()
      tty.setTermios(decodeTermios(bytes))
      return 0
    }
    case Request.TCFLSH:
      if (argument < 0 || argument > 2) return -Errno.EINVAL
      if (argument !== 1) tty.flushInput()
      return 0
    case Request.TCSBRK:
    case Request.TCSBRKP:
    case Request.TIOCEXCL:
    case Request.TIOCNXCL:
      return 0
    case Request.TCXONC:
      return argument < 0 || argument > 3 ? -Errno.EINVAL : 0
    case Request.TIOCGWINSZ: {
      const { rows, columns, width, height } = tty.size
      const bytes = new Uint8Array(8)
      new Uint16Array(bytes.buffer).set([rows, columns, width, height])
      memory.write(argument, bytes)
      return 0
    }
    case Request.TIOCSWINSZ: {
      const bytes = new Uint8Array(8)
      memory.read(argument, bytes)
      const [rows, columns, width, height] = new Uint16Array(bytes.buffer)
      tty.resize(rows!, columns!, width, height)
      return 0
    }
    case Request.TIOCSCTTY:
      if (session.tty === tty) return 0
      if (session.id !== task.process.pid || session.tty !== null) return -Errno.EPERM
      if (tty.session !== 0 && !(argument === 1 && task.capable(Cap.SYS_ADMIN))) return -Errno.EPERM
      takeTerminal(task, tty)
      return 0
    case Request.TIOCNOTTY:
      if (session.tty !== tty) return -Errno.ENOTTY
      if (session.id === task.process.pid) {
        const { foreground } = tty
        session.tty = null
        tty.session = tty.foreground = 0
        if (foreground !== 0)
          for (const signal of [Signal.SIGHUP, Signal.SIGCONT])
            sendToGroup(task.kernel, foreground, { signal, code: Code.SI_KERNEL })
      }
      return 0
    case Request.TIOCGPGRP:
      if (session.tty !== tty) return -Errno.ENOTTY
      memory.set32(argument, shownPid(task, tty.foreground))
      return 0
    case Request.TIOCSPGRP: {
      if (session.tty !== tty || tty.session !== session.id) return -Errno.ENOTTY
      const given = memory.get32(argument) | 0
      if (given <= 0) return -Errno.EINVAL
      const wanted = givenPid(task, given)
      const members = [...task.kernel.processes.values()].filter((proc) => proc.group === wanted)
      if (members.length === 0) return -Errno.ESRCH
      if (!members.some((proc) => proc.session === session)) return -Errno.EPERM
      const refused = tty.isInBackground(task) ? tty.stopBackground(task) : 0
      if (refused !== 0) return refused
      tty.foreground = wanted
      return 0
    }
    case Request.TIOCGSID:
      if (session.tty !== tty) return -Errno.ENOTTY
      memory.set32(argument, shownPid(task, tty.session))
      return 0
    case Request.FIONREAD:
      memory.set32(argument, tty.available)
      return 0
    case Request.TIOCOUTQ:
      memory.set32(argument, 0)
      return 0
    default:
      return -Errno.ENOTTY
  }
}

/** The terminal controls the task's session from now on. */
export function takeTerminal(task: Task, tty: Tty): void {
  const { process: proc } = task
  if (tty.session !== 0) {
    for (const other of task.kernel.processes.values()) if (other.session.tty === tty) other.session.tty = null
  }
  proc.session.tty = tty
  tty.session = proc.session.id
  tty.foreground = proc.group
}
