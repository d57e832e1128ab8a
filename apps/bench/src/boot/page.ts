/** What `docs/benchmarks.md` says of boots. */
import { VmexitError } from '@vmexit/core'
import { V8_FLAGS } from '@vmexit/jit'
import { BOOT_PART, counted, type Setting } from '../docs.ts'
import { asMarkdown } from '../tables.ts'
import { lost, REASONS, reasonLine } from './reasons.ts'
import type { BootComparison, BootResults } from './results.ts'
import { bootTable, comparedTable, verdict } from './tables.ts'

/** What is said above the table of a comparison. */
function introduction({ ours, theirs }: BootComparison, results: BootResults): string {
  if (theirs === 'v86')
    return `### ${ours} against v86 with its JIT

Time and memory of ${ours} over those of v86 in the same round: below 1, vmexit is faster or smaller. The bar is the most that
a row may be. ${verdict(results)}`
  if (theirs === 'qemu-tcg')
    return `### ${ours} against QEMU's translator

The same over QEMU, which is native code that makes native code. Below the table is what we take each loss to come from, by
profiles and by how the two work; no cause was measured by taking it away.`
  return `### ${ours} against ${theirs}

The same, neither of them translating.`
}

/**
 * The part of the page.
 * @throws VmexitError `bench-reason` if a row is lost to QEMU and nobody has said why.
 */
export function bootPage(results: BootResults, where: Setting & { readonly qemu: string | undefined }): string {
  const { date, rounds, machine, node, v8, v86, qemu } = where
  const missing = lost(results).filter(({ row }) => REASONS[row] === undefined)
  if (missing.length > 0)
    throw new VmexitError('bench-reason', {
      problem: `lost to QEMU without a reason: ${missing.map(({ row }) => row).join(', ')}`,
      remedy: 'say why, and what would close it, in apps/bench/src/boot/reasons.ts; the docs were not written',
    })
  const parts = results.comparisons.flatMap((each) => [
    introduction(each, results),
    asMarkdown(comparedTable(each)),
    ...(each.theirs === 'qemu-tcg' ? [lost(results).map(reasonLine).join('\n')] : []),
  ])
  const versions = [`Node ${node} (V8 ${v8})`, `v86 ${v86}`, ...(qemu === undefined ? [] : [`QEMU ${qemu}`])]
  return `${BOOT_PART}

Written by \`npx -y pnpm@12 bench boot --write-docs\` on ${date}: ${counted(rounds)} on ${machine}; ${versions.join(', ')}.

Debian's kernel 6.1 for the 686 with an initramfs of busybox and small programs, in 128 MiB, with one command line for all. Each
round boots twice in each system, in processes of their own: the kernel as it is, which decompresses itself and tests its
ciphers; and without those tests, with the workloads, whose output is compared. Times are processor time of the process, all its
threads, from its start: the median over rounds, and from least to most. Those of QEMU are the kernel's count of it, read as a
line arrives, and right to a tick of the host's scheduler, 1 to 10 ms. Memory is what was resident at most. Instructions are
vmexit's. All processes of Node start with \`--max-semi-space-size=8\`; those of vmexit also tell V8 what \`vmexit boot\` does,
\`${V8_FLAGS.join(' ')}\`.

${asMarkdown(bootTable(results))}

${parts.filter((part) => part !== '').join('\n\n')}
`
}
