/** What kernels outside of a machine have in common here. */
import { VmexitError } from '@vmexit/core'
import type { LinuxKernel } from '@vmexit/linux'

/** As much RAM as the guests of other columns have. */
export const MEMORY = '64 MiB'
/** A hundred times what a workload takes: a program that hangs ends here. */
export const LIMIT = 2_000_000_000
/** Instructions between two looks at the signal. */
export const SLICE = 1_000_000
/** O_WRONLY | O_CREAT. */
const CREATE = 0o101

/** Puts a program into a kernel's root. Answers its path. @throws VmexitError `compare-workload`. */
export function store({ vfs, tree }: LinuxKernel, name: string, program: Uint8Array): string {
  const path = `/${name}`
  const task = vfs.newTask(tree)
  const file = vfs.open(task, null, path, CREATE, 0o755)
  if (typeof file === 'number') throw failed(name, 'as a bare process', `could not be stored (errno ${-file})`)
  vfs.write(task, file, program)
  vfs.close(file)
  vfs.exit(task)
  return path
}

/** A workload that did not do what it is for. */
export function failed(workload: string, where: string, how: string): VmexitError {
  return new VmexitError('compare-workload', {
    problem: `the workload ${workload} ${where} ${how}`,
    remedy: 'leave it out; `vmexit strace` shows what it does',
  })
}
