/** What `docs/benchmarks.md` says of boots. */
import type { Setting } from '../docs.ts'

/** The part of the page, with its table in Markdown. */
export function bootPage(table: string, { date, rounds, machine, node, v8, v86 }: Setting): string {
  return `## Debian, booted and put to work

Written by \`npx -y pnpm@12 bench boot --write-docs\` on ${date}: ${rounds} ${rounds === 1 ? 'round' : 'rounds'} on ${machine}; Node ${node} (V8 ${v8}), v86 ${v86}.

Debian's kernel 6.1 for the 686 with an initramfs of busybox and small programs, in 128 MiB, with one command line for all. Each
round boots twice in each system, in processes of their own: the kernel as it is, which decompresses itself and tests its
ciphers; and without those tests, with the workloads, whose output is compared. Times are processor time of the process, all its
threads; instructions are vmexit's. Below 1, vmexit is faster than v86 without its JIT.

${table}
`
}
