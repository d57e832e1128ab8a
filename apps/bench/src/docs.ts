/** `docs/benchmarks.md`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Results } from './results.ts'
import { asMarkdown, bars, comparison, speeds } from './tables.ts'

/** Where a run took place. */
export interface Setting {
  readonly date: string
  readonly rounds: number
  readonly machine: string
  readonly node: string
  readonly v8: string
  readonly v86: string
}

export function setting(rounds: number): Setting {
  const manifest = fileURLToPath(new URL('../package.json', import.meta.resolve('v86')))
  return {
    date: new Date().toISOString().slice(0, 10),
    rounds,
    machine: `${process.platform}, ${process.arch}, ${availableParallelism()} processors`,
    node: process.version,
    v8: process.versions.v8,
    v86: (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version,
  }
}

/** Lines that begin the parts of the page: each command writes its own and leaves the other as it is. */
export const KERNEL_PART = '# Benchmarks'
export const BOOT_PART = '## Debian, booted and put to work'

const PAGE = new URL('../../../docs/benchmarks.md', import.meta.url)

/** The page with `text` in the place of the part that begins as `text` does. */
export function withPart(page: string, part: typeof KERNEL_PART | typeof BOOT_PART, text: string): string {
  const at = page.indexOf(`\n${BOOT_PART}\n`)
  const kernels = at < 0 ? page : page.slice(0, at)
  const boots = at < 0 ? '' : page.slice(at + 1)
  const parts = part === KERNEL_PART ? [text, boots] : [kernels, text]
  return `${parts
    .map((each) => each.trim())
    .filter((each) => each !== '')
    .join('\n\n')}\n`
}

export function writePart(part: typeof KERNEL_PART | typeof BOOT_PART, text: string): void {
  writeFileSync(PAGE, withPart(readFileSync(PAGE, 'utf8'), part, text))
}

/** The part of the page on kernels. */
export function page(results: Results, { date, rounds, machine, node, v8, v86 }: Setting): string {
  return `# Benchmarks

Written by \`npx -y pnpm@12 bench --write-docs\` on ${date}: ${rounds} rounds on ${machine}; Node ${node} (V8 ${v8}), v86 ${v86}.

Five integer kernels of C, compiled by gcc for the i686, run in 32-bit protected mode with paging on, in 4 KB pages, from one
ROM image that boots in every system (\`apps/bench/guest\`). Each round runs each system in a process of its own, one after
the other. Times are processor time of that process for one run of a kernel, the mean of many after warming up: the median over
rounds, and from least to most. The ratio is v86's time over vmexit's in the same round. Instructions are those that vmexit
counts, exactly; they also give v86's speed. What the kernels compute is compared.

## The interpreter against v86 without its JIT

${asMarkdown(comparison(results))}

\`\`\`text
${bars(results)}
\`\`\`

## All engines

Million instructions in a second of processor time. v86's JIT is there for comparison: vmexit's interpreter is the engine that
runs code until translating it would pay. The reference engine decodes every time and is there to be right.

${asMarkdown(speeds(results))}
`
}
