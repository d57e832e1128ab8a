/** What a tracer reads of a stopped task, and sets in it (ptrace(2)): memory, registers, signals, calls. */
import { Errno } from '../errno.ts'
import type { UserMemory } from '../memory/user-memory.ts'
import { ARCHITECTURE } from '../seccomp/filter.ts'
import { putInfo } from '../signals/frame.ts'
import type { SignalInfo } from '../signals/queue.ts'
import { Signal } from '../signals/set.ts'
import type { Process, Task } from '../system.ts'
import { readSpace, writeSpace } from './memory.ts'
import {
  fxsaveOf,
  I387_BYTES,
  i387Of,
  placeOf,
  REGISTER_WORDS,
  registersOf,
  setFxsave,
  setI387,
  setRegister,
} from './registers.ts'
import { descriptorAt, setDescriptor } from './thread-area.ts'
import { TraceEvent, type Tracing } from './tracing.ts'

// biome-ignore format: a table
const Request = {
  PEEKTEXT: 1, PEEKDATA: 2, PEEKUSER: 3, POKETEXT: 4, POKEDATA: 5, POKEUSER: 6,
  GETREGS: 12, SETREGS: 13, GETFPREGS: 14, SETFPREGS: 15, GETFPXREGS: 18, SETFPXREGS: 19,
  GET_THREAD_AREA: 25, SET_THREAD_AREA: 26,
  GETEVENTMSG: 0x4201, GETSIGINFO: 0x4202, SETSIGINFO: 0x4203, GETREGSET: 0x4204, SETREGSET: 0x4205,
  PEEKSIGINFO: 0x4209, GETSIGMASK: 0x420a, SETSIGMASK: 0x420b, GET_SYSCALL_INFO: 0x420e,
} as const

/** Bytes of `struct user`, of which the debug registers are the last words. */
const USER_BYTES = 284
const DEBUG_REGISTERS = 252
const INFO_BYTES = 128
/** `op` of `struct ptrace_syscall_info`. */
const CallState = { ENTRY: 1, EXIT: 2, SECCOMP: 3 } as const

export function inspect(
  task: Task,
  target: Task,
  tracing: Tracing<Process>,
  request: number,
  address: number,
  data: number,
): number {
  const { kernel } = task
  const { memory } = kernel
  const at = data >>> 0
  switch (request) {
    case Request.PEEKTEXT:
    case Request.PEEKDATA: {
      const word = new Uint8Array(4)
      if (readSpace(kernel, target.space, address >>> 0, word, 'forced') < 4) return -Errno.EIO
      memory.write(at, word)
      return 0
    }
    case Request.POKETEXT:
    case Request.POKEDATA: {
      const word = new Uint8Array(Int32Array.of(data).buffer)
      return writeSpace(kernel, target.space, address >>> 0, word, 'forced') < 4 ? -Errno.EIO : 0
    }
    case Request.PEEKUSER:
      return peekUser(target, memory, address, at)
    case Request.POKEUSER:
      return pokeUser(target, address, data)
    case Request.GETREGS:
      memory.write(at, new Uint8Array(registersOf(target).buffer))
      return 0
    case Request.SETREGS:
      return setRegisters(target, readBytes(memory, at, REGISTER_WORDS * 4))
    case Request.GETFPREGS:
      memory.write(at, i387Of(target))
      return 0
    case Request.SETFPREGS:
      setI387(target, readBytes(memory, at, I387_BYTES))
      return 0
    case Request.GETFPXREGS:
      memory.write(at, fxsaveOf(target))
      return 0
    case Request.SETFPXREGS:
      setFxsave(target, readBytes(memory, at, 512))
      return 0
    case Request.GET_THREAD_AREA:
      return descriptorAt(target, memory, address, at)
    case Request.SET_THREAD_AREA:
      return setDescriptor(target, memory, address, at)
    case Request.GETEVENTMSG:
      memory.set32(at, tracing.message)
      return 0
    case Request.GETSIGINFO:
      if (tracing.stop?.info === undefined) return -Errno.EINVAL
      memory.write(at, infoBytes(tracing.stop.info))
      return 0
    case Request.SETSIGINFO:
      return setInfo(tracing, readBytes(memory, at, INFO_BYTES))
    case Request.GETREGSET:
    case Request.SETREGSET:
      return registerSet(target, memory, address, at, request === Request.SETREGSET)
    case Request.PEEKSIGINFO:
      return peekInfo(target, memory, address >>> 0, at)
    case Request.GETSIGMASK:
    case Request.SETSIGMASK:
      return signalMask(target, memory, address, at, request === Request.SETSIGMASK)
    case Request.GET_SYSCALL_INFO:
      return callInfo(target, tracing, memory, address >>> 0, at)
    default:
      return -Errno.EIO
  }
}

function readBytes(memory: UserMemory, at: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length)
  memory.read(at, bytes)
  return bytes
}

function peekUser(target: Task, memory: UserMemory, offset: number, at: number): number {
  if (offset % 4 !== 0 || offset < 0 || offset >= USER_BYTES) return -Errno.EIO
  memory.set32(at, offset < REGISTER_WORDS * 4 ? registersOf(target)[offset / 4]! : 0)
  return 0
}

function pokeUser(target: Task, offset: number, value: number): number {
  if (offset % 4 !== 0 || offset < 0 || offset >= USER_BYTES) return -Errno.EIO
  if (offset < REGISTER_WORDS * 4) return setRegister(target, offset / 4, value) ? 0 : -Errno.EIO
  // (No breakpoints of the CPU: those that are off are as they are set.)
  return offset >= DEBUG_REGISTERS && value === 0 ? 0 : -Errno.EIO
}

/** All of `user_regs_struct`, or of it what was given. */
function setRegisters(target: Task, bytes: Uint8Array<ArrayBuffer>): number {
  const words = new Int32Array(bytes.buffer, 0, bytes.length >> 2)
  for (const [word, value] of words.entries()) if (!setRegister(target, word, value)) return -Errno.EIO
  return 0
}

/** `NT_` numbers of notes. */
const Note = { PRSTATUS: 1, FPREGSET: 2, PRXFPREG: 0x46e6_2b7f } as const

/** PTRACE_GETREGSET and PTRACE_SETREGSET: `at` is an `iovec`. */
function registerSet(target: Task, memory: UserMemory, note: number, at: number, isSet: boolean): number {
  const [base, length] = [memory.get32(at), memory.get32(at + 4)]
  // Some are set as a whole alone.
  const sets: Readonly<Record<number, [() => Uint8Array, boolean, (bytes: Uint8Array<ArrayBuffer>) => number]>> = {
    [Note.PRSTATUS]: [() => new Uint8Array(registersOf(target).buffer), false, (bytes) => setRegisters(target, bytes)],
    [Note.FPREGSET]: [() => i387Of(target), true, (bytes) => done(() => setI387(target, bytes))],
    [Note.PRXFPREG]: [() => fxsaveOf(target), true, (bytes) => done(() => setFxsave(target, bytes))],
  }
  const set = sets[note >>> 0]
  if (set === undefined) return -Errno.EINVAL
  const [get, isWhole, put] = set
  if (length % 4 !== 0) return -Errno.EINVAL
  const now = get()
  const taken = Math.min(length, now.length)
  if (isSet) {
    if (isWhole && taken < now.length) return -Errno.EINVAL
    const answer = put(readBytes(memory, base, taken))
    if (answer < 0) return answer
  } else memory.write(base, now.subarray(0, taken))
  memory.set32(at + 4, taken)
  return 0
}

function done(body: () => void): number {
  body()
  return 0
}

/** A `siginfo_t`, whole. */
function infoBytes(info: SignalInfo): Uint8Array {
  const bytes = new Uint8Array(INFO_BYTES)
  putInfo(new DataView(bytes.buffer), 0, info)
  return bytes
}

function setInfo(tracing: Tracing<Process>, bytes: Uint8Array<ArrayBuffer>): number {
  const { stop } = tracing
  if (stop?.info === undefined) return -Errno.EINVAL
  const view = new DataView(bytes.buffer)
  const word = (n: number): number => view.getInt32(n * 4, true)
  const told = { signal: word(0), errno: word(1), code: word(2), pid: word(3), uid: word(4) }
  const last = told.signal === Signal.SIGCHLD ? { status: word(5) } : { value: word(5) }
  tracing.stop = { ...stop, info: { ...told, ...last } }
  return 0
}

/** PTRACE_PEEKSIGINFO: `struct ptrace_peeksiginfo_args` says from which one on, of whom, and how many. */
function peekInfo(target: Task, memory: UserMemory, args: number, at: number): number {
  const [offset, high, flags, count] = [0, 4, 8, 12].map((n) => memory.get32(args + n))
  if ((flags! & ~1) !== 0 || (count! | 0) < 0) return -Errno.EINVAL
  if (high! !== 0) return 0
  const { pending } = (flags! & 1) !== 0 ? target.process : target
  const infos = pending.list.slice(offset, offset! + count!)
  for (const [n, info] of infos.entries()) memory.write(at + n * INFO_BYTES, infoBytes(info))
  return infos.length
}

function signalMask(target: Task, memory: UserMemory, size: number, at: number, isSet: boolean): number {
  if (size !== 8) return -Errno.EINVAL
  if (!isSet) {
    memory.set32(at, target.blocked.low)
    memory.set32(at + 4, target.blocked.high)
    return 0
  }
  target.blocked.setMask(memory.get32(at) | 0, memory.get32(at + 4) | 0)
  return 0
}

/** PTRACE_GET_SYSCALL_INFO: `struct ptrace_syscall_info`. Answers how many bytes there are to know. */
function callInfo(target: Task, tracing: Tracing<Process>, memory: UserMemory, size: number, at: number): number {
  const bytes = new Uint8Array(88)
  const view = new DataView(bytes.buffer)
  const { ip, sp, ax } = placeOf(target)
  const kind = tracing.stop?.kind
  view.setUint32(4, ARCHITECTURE, true)
  view.setBigUint64(8, BigInt(ip >>> 0), true)
  view.setBigUint64(16, BigInt(sp), true)
  let length = 24
  const isFilter = tracing.stop?.code === ((TraceEvent.SECCOMP << 8) | Signal.SIGTRAP)
  if (kind === 'entry' || isFilter) {
    view.setUint8(0, isFilter ? CallState.SECCOMP : CallState.ENTRY)
    view.setBigUint64(24, BigInt(target.call >>> 0), true)
    const words = registersOf(target)
    for (let n = 0; n < 6; n++) view.setBigUint64(32 + n * 8, BigInt(words[n]! >>> 0), true)
    if (isFilter) view.setUint32(80, tracing.message, true)
    length = isFilter ? 84 : 80
  } else if (kind === 'exit') {
    view.setUint8(0, CallState.EXIT)
    view.setBigInt64(24, BigInt(ax), true)
    const isError = ax < 0 && ax >= -4095
    view.setUint8(32, isError ? 1 : 0)
    length = 33
  }
  memory.write(at, bytes.subarray(0, Math.min(size, length)))
  return length
}
