import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { readCpio } from '@vmexit/boot'
import { run, type Tree } from '/work/wt-ns/packages/linux/test/run.ts'
const archive = join(homedir(), '.cache/vmexit/guests/busybox/initramfs.gz')
const files: Record<string, Tree[string]> = {}
for (const entry of readCpio(gunzipSync(readFileSync(archive)))) {
  if (entry.kind === 'file') files[`/${entry.path}`] = entry.bytes
  else if (entry.kind === 'symlink') files[`/${entry.path}`] = { link: entry.target }
}
const uid = process.env.U ? Number(process.env.U) : undefined
const trace = process.env.TRACE ? (n: number, a: number | undefined) => console.error(n, a) : undefined
const r = run({ files, args: ['/bin/busybox', 'sh', '-c', process.argv[2]!], engine: 'jit', ...(uid !== undefined && { uid }), ...(trace && {observe: trace}) })
console.log(r.output); console.log('status', r.status, r.wrong, r.retired)
