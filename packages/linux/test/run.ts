/** Runs a program on a kernel of its own, and looks at the kernel's books behind it. */
import { toByteString } from '@vmexit/vfs'
import type { Engine } from '@vmexit/x86'
import { checkKernel } from '../src/check.ts'
import { createKernel, HostInput, HostOutput, type KernelOptions, type LinuxKernel, populate } from '../src/index.ts'
import type { NamespaceKind } from '../src/namespaces/namespace.ts'
import type { Task } from '../src/system.ts'

/** Files by path: contents, or the target of a link. */
export type Tree = Readonly<Record<string, Uint8Array | { readonly link: string }>>

export interface RunOptions extends KernelOptions {
  readonly files: Tree
  readonly args: readonly string[]
  readonly input?: string | Uint8Array
  readonly env?: Readonly<Record<string, string>>
  /** Instructions of one step: it must not matter. */
  readonly slice?: number
  readonly uid?: number
  /** Told of each call's answer. */
  readonly observe?: (number: number, answer: number | undefined, task: Task) => void
  /** Its control group, and what is done before it starts. */
  readonly cgroup?: string
  readonly namespaces?: readonly NamespaceKind[]
  readonly before?: (task: Task) => void
  readonly prepare?: (kernel: LinuxKernel) => void
  /** Instructions after which it is given up. */
  readonly most?: number
}

export interface RunResult {
  readonly output: string
  readonly status: number | undefined
  readonly retired: number
  readonly counts: LinuxKernel['counts']
  readonly calls: Readonly<Record<string, number>>
  readonly wrong: readonly string[]
  readonly kernel: LinuxKernel
}

/** A kernel with files, /dev and /tmp. */
export function kernelWith(options: KernelOptions, files: Tree): LinuxKernel {
  const kernel = createKernel(options)
  const { vfs } = kernel
  const task = vfs.newTask(kernel.tree)
  const parents = (path: string): void => {
    const parts = path.split('/').slice(1, -1)
    for (let n = 1; n <= parts.length; n++) vfs.mkdir(task, null, `/${parts.slice(0, n).join('/')}`, 0o755)
  }
  populate(kernel)
  for (const [path, content] of Object.entries(files)) {
    parents(path)
    if ('link' in content) vfs.symlink(task, toByteString(content.link), null, toByteString(path))
    else {
      const file = vfs.open(task, null, toByteString(path), 0o101, 0o755)
      if (typeof file === 'number') throw new Error(`${path}: ${file}`)
      vfs.write(task, file, content)
      vfs.close(file)
    }
  }
  vfs.exit(task)
  return kernel
}

/** Runs a program to its end. */
export function run(options: RunOptions): RunResult {
  const {
    files,
    args,
    input = '',
    env = { PATH: '/bin' },
    slice,
    uid,
    most = 2e9,
    observe,
    cgroup,
    namespaces,
    before,
    prepare,
    ...rest
  } = options
  const kernel = kernelWith(rest, files)
  prepare?.(kernel)
  if (observe !== undefined) kernel.observer = { end: (task, number, _args, answer) => observe(number, answer, task) }
  let output = ''
  let status: number | undefined
  const decoder = new TextDecoder()
  const out = new HostOutput(kernel, (bytes) => {
    output += decoder.decode(bytes, { stream: true })
  })
  const given = new HostInput(kernel, typeof input === 'string' ? new TextEncoder().encode(input) : input)
  kernel.spawn({
    path: args[0]!,
    args,
    env,
    ...(uid !== undefined && { uid, gid: uid }),
    ...(cgroup !== undefined && { cgroup }),
    ...(namespaces !== undefined && { namespaces }),
    ...(before !== undefined && { prepare: before }),
    files: [given, out, out],
    onExit: (ended) => {
      status = ended
    },
  })
  if (slice === undefined) kernel.runToEnd(most)
  else
    while (kernel.processes.size > 0 && kernel.cpu.retired < most)
      if (kernel.step(slice) === 'idle') kernel.skipTo(kernel.timers.next)
  const calls: Record<string, number> = {}
  for (const [number, count] of kernel.callCounts.entries()) {
    if (count > 0)
      calls[kernel.calls.rows[number]?.name ?? `${kernel.calls.absent.get(number) ?? number} (absent)`] = count
  }
  return {
    output,
    status,
    retired: kernel.cpu.retired,
    counts: kernel.counts,
    calls,
    wrong: checkKernel(kernel),
    kernel,
  }
}

/** All engines: their counts are the same. */
export const ENGINES: readonly Engine[] = ['reference', 'interpreter', 'jit']
