/** /proc as a file system (proc(5)). */
import type { Inode, Stat } from '@vmexit/vfs'
import { NodeFs } from '../files/node-fs.ts'
import type { PidNamespace } from '../namespaces/pid.ts'
import type { Kernel, Task } from '../system.ts'
import { rootNode } from './root.ts'

const MAGIC = 0x9fa0

/** /proc of a kernel. */
export class ProcFs extends NodeFs {
  readonly type = 'proc'

  /** It shows the processes of a pid namespace: the first one unless stated. */
  constructor(kernel: Kernel, pids: PidNamespace<Task> = kernel.ns.pid) {
    super(MAGIC, rootNode(kernel, pids), kernel.time, 0)
  }

  override getattr(inode: Inode, into: Stat): number {
    super.getattr(inode, into)
    into.blksize = 1024
    return 0
  }
}
