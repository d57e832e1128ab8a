/**
 * What the shell did between the traced calls of pjdfstest with programs of its own, which no trace shows: `mkdir -p`
 * before the calls with the longest paths, `dd`, `echo` and `ln -s` in four test files.
 */
import { Open, type TaskContext, toByteString, type Vfs } from '@vmexit/vfs'
import type { TraceCall } from './trace.ts'

/** Files that the shell wrote: before which call, counted from 0, and how many bytes. */
const written: Readonly<Record<string, readonly [index: number, bytes: number]>> = {
  'truncate/00.t': [7, 12_345],
  'ftruncate/00.t': [7, 12_345],
  'open/00.t': [43, 5],
}

/** Does what came before a call; `calls` are those of its test file, `index` which of them it is. */
export function prepare(vfs: Vfs, task: TaskContext, calls: readonly TraceCall[], index: number): void {
  const { test, operations } = calls[index]!
  for (const path of operations[0]!.slice(1)) if (path.length > 1000) makeParents(vfs, task, toByteString(path))
  const [at, bytes] = written[test] ?? [-1, 0]
  if (index === at) {
    const file = vfs.open(task, null, operations[0]![1]!, Open.O_CREAT | Open.O_WRONLY, 0o644)
    if (typeof file === 'number') return
    vfs.write(task, file, new Uint8Array(bytes))
    vfs.close(file)
  }
  if (index === 3 && test === 'utimensat/05.t') {
    vfs.symlink(task, calls[2]!.operations[1]![2]!, null, operations[1]![2]!)
  }
}

function makeParents(vfs: Vfs, task: TaskContext, path: string): void {
  for (let at = path.indexOf('/', 1); at > 0; at = path.indexOf('/', at + 1))
    vfs.mkdir(task, null, path.slice(0, at), 0o755)
}
