/** Finds the recorded calls of pjdfstest, which stand beside the workspace and not in it. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { readPjdfstestTrace, type TraceCall } from '../src/index.ts'

/** The calls, recorded on tmpfs of Linux 6.18; none, with a message, where they are absent. */
export function pjdfstestTrace(): TraceCall[] {
  let root = import.meta.dirname
  while (!existsSync(join(root, 'pnpm-workspace.yaml'))) root = dirname(root)
  const file = join(root, '..', 'shared', 'vectors', 'pjdfstest-trace-tmpfs-linux6.18.jsonl.gz')
  if (existsSync(file)) return readPjdfstestTrace(gunzipSync(readFileSync(file)).toString())
  console.log(`No vectors in ${file}: the replay of pjdfstest is skipped`)
  return []
}
