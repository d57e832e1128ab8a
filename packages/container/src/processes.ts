/** The programs of a container, as `docker top` lists them: what /proc says of each (proc(5)). */
import { type LinuxKernel, type Process, ProcFs } from '@vmexit/linux'
import { Open, toText } from '@vmexit/vfs'
import { namesOf } from './changes.ts'
import { type Looker, seen } from './layer.ts'

/** One process. */
export interface ProcessEntry {
  /** Its number within the container, and its parent's. */
  readonly pid: number
  readonly parent: number
  readonly uid: number
  /** `R` runs, `S` sleeps, `T` is stopped, `Z` has ended. */
  readonly state: string
  /** Virtual seconds of the CPU. */
  readonly cpuSeconds: number
  /** Bytes of memory that it maps and has. */
  readonly memory: number
  readonly command: string
}

/** Ticks of a second, in which proc(5) counts. */
const HERTZ = 100
const PAGE = 4096
const MOST = 1 << 16

/** All processes of the pid namespace of `main`, by their numbers. */
export function processesOf(kernel: LinuxKernel, main: Process): readonly ProcessEntry[] {
  const proc = seen(new ProcFs(kernel, main.leader.ns.pid))
  const pids = namesOf(proc, '/').filter((name) => /^[0-9]+$/.test(name))
  return pids
    .map(Number)
    .sort((a, b) => a - b)
    .map((pid) => entryOf(proc, pid))
}

function entryOf(proc: Looker, pid: number): ProcessEntry {
  const stat = text(proc, `/${pid}/stat`)
  const end = stat.lastIndexOf(')')
  // From field 3 on: the name before it may hold anything.
  const fields = stat.slice(end + 2).split(' ')
  const name = stat.slice(stat.indexOf('(') + 1, end)
  const command = text(proc, `/${pid}/cmdline`).replace(/\0$/, '').replaceAll('\0', ' ')
  return {
    ...{ pid, parent: Number(fields[1]), state: fields[0] ?? '' },
    uid: Number(/^Uid:\t([0-9]+)/m.exec(text(proc, `/${pid}/status`))?.[1] ?? 0),
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / HERTZ,
    memory: Number(fields[21]) * PAGE,
    command: command === '' ? `[${name}]` : command,
  }
}

function text({ vfs, task }: Looker, path: string): string {
  const file = vfs.open(task, null, path, Open.O_RDONLY)
  if (typeof file === 'number') return ''
  const bytes = new Uint8Array(MOST)
  const length = vfs.read(file, bytes)
  vfs.close(file)
  return length > 0 ? toText(String.fromCharCode(...bytes.subarray(0, length))) : ''
}
