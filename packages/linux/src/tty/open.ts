/** Opening of terminals by their device numbers (Linux's devices.txt: 5 and 136). */
import { Open } from '@vmexit/vfs'
import { Errno } from '../errno.ts'
import type { KernelOperations } from '../files/open-file.ts'
import type { Kernel } from '../system.ts'
import { takeTerminal } from './ioctl.ts'
import { ptysOf, SLAVE_MAJOR, type TerminalOperations } from './pty.ts'

const ALTERNATE = 5
const TTY = 0
const CONSOLE = 1
const PTMX = 2

/** /dev/tty, /dev/console, /dev/ptmx, /dev/pts/N. */
export function openTty(kernel: Kernel, major: number, minor: number, flags: number): KernelOperations | number {
  const task = kernel.current!
  const { session } = task.process
  if (major === ALTERNATE && minor === TTY) return session.tty === null ? -Errno.ENXIO : session.tty.open()
  if (major === ALTERNATE && minor === PTMX) return ptysOf(kernel).openMaster()
  if (major === ALTERNATE && minor === CONSOLE) return ptysOf(kernel).openSlave(0)
  if (major !== SLAVE_MAJOR) return -Errno.ENXIO
  const opened = ptysOf(kernel).openSlave(minor)
  if (typeof opened === 'number' || (flags & Open.O_NOCTTY) !== 0) return opened
  const { tty } = opened as TerminalOperations
  if (session.id === task.process.pid && session.tty === null && tty.session === 0) takeTerminal(task, tty)
  return opened
}
