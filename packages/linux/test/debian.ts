/** Debian's root file system, as `vmexit guests` makes it, below kernels of tests: one copy of it, and a layer for each kernel. */
import { closeSync, existsSync, openSync, readFileSync, readSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { OverlayFs } from '@vmexit/overlayfs'
import { TarReader, Unpacker } from '@vmexit/tar'
import { Open, SettableTime, type TaskContext, TmpFs, Vfs } from '@vmexit/vfs'
import type { Engine } from '@vmexit/x86'
import { checkKernel, createKernel, HostInput, HostOutput, type LinuxKernel, populate } from '../src/index.ts'

const guests = join(homedir(), '.cache/vmexit/guests')
const folder = join(guests, 'debian-root')
const archive = join(folder, 'root.tar')

/** Whether it is there. */
export const haveDebian: boolean = existsSync(archive)
/** Why tests are skipped, behind the name of what they test. */
export const withoutDebian: string = haveDebian ? '' : ' (skipped: `vmexit guests debian-root` has not made a root)'
/** A package to install there, which is a guest of its own. */
const straceDeb = join(guests, 'strace/strace.deb')
/** Whether it is there, too. */
export const haveStrace: boolean = haveDebian && existsSync(straceDeb)
/** See {@link withoutDebian}. */
export const withoutStrace: string = haveStrace
  ? ''
  : ' (skipped: `vmexit guests debian-root strace` has not fetched it)'

let lower: TmpFs | undefined

function lowerLayer(): TmpFs {
  if (lower !== undefined) return lower
  const time = new SettableTime(1_700_000_000)
  const fs = new TmpFs({ time })
  const vfs = new Vfs({ time })
  const task = vfs.newTask(vfs.newTree(fs))
  task.umask = 0
  const unpacker = new Unpacker({ vfs, task })
  const reader = new TarReader(unpacker)
  const input = openSync(archive, 'r')
  const piece = new Uint8Array(1 << 20)
  for (let got = readSync(input, piece); got > 0; got = readSync(input, piece)) reader.push(piece.subarray(0, got))
  closeSync(input)
  reader.finish()
  unpacker.finish()
  putFile(vfs, task, '/root/hello.deb', readFileSync(join(folder, 'hello.deb')))
  return (lower = fs)
}

function putFile(vfs: Vfs, task: TaskContext, path: string, content: Uint8Array): void {
  const file = vfs.open(task, null, path, Open.O_WRONLY | Open.O_CREAT, 0o644)
  if (typeof file === 'number') throw new Error(`${path}: ${file}`)
  vfs.write(task, file, content)
  vfs.close(file)
}

/** A kernel with Debian's files, which it may change. */
export function debianKernel(engine: Engine = 'jit'): LinuxKernel {
  const root = lowerLayer().root
  const kernel = createKernel({
    engine,
    memory: '256 MiB',
    root: (time) => new OverlayFs({ lower: [root], upper: new TmpFs({ time }).root, index: true }),
  })
  populate(kernel)
  return kernel
}

/** One that has strace's package in /root as well. */
export function debianKernelWithStrace(): LinuxKernel {
  const kernel = debianKernel()
  const task = kernel.vfs.newTask(kernel.tree)
  putFile(kernel.vfs, task, '/root/strace.deb', readFileSync(straceDeb))
  kernel.vfs.exit(task)
  return kernel
}

/** The environment of a program there. */
export const debianEnvironment: Readonly<Record<string, string>> = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
}

/** What came of a program. */
export interface DebianRun {
  readonly output: string
  readonly status: number | undefined
  readonly kernel: LinuxKernel
  /** Calls by name. */
  readonly calls: Readonly<Record<string, number>>
  readonly wrong: readonly string[]
}

/** Runs a program of /usr/bin to its end; its name comes first. */
export function runDebian(
  args: readonly string[],
  { engine = 'jit', kernel = debianKernel(engine) }: { engine?: Engine; kernel?: LinuxKernel } = {},
): DebianRun {
  let output = ''
  let status: number | undefined
  const decoder = new TextDecoder()
  const out = new HostOutput(kernel, (bytes) => {
    output += decoder.decode(bytes, { stream: true })
  })
  const input = new HostInput(kernel)
  input.end()
  kernel.spawn({
    path: `/usr/bin/${args[0]}`,
    args,
    env: debianEnvironment,
    files: [input, out, out],
    onExit: (ended) => {
      status = ended
    },
  })
  kernel.runToEnd()
  const calls: Record<string, number> = {}
  for (const [number, count] of kernel.callCounts.entries())
    if (count > 0) calls[kernel.calls.rows[number]?.name ?? kernel.calls.absent.get(number) ?? String(number)] = count
  return { output, status, kernel, calls, wrong: checkKernel(kernel) }
}
