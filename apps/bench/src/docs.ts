/** `docs/benchmarks.md`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Results } from './results.ts'
import { asMarkdown, bars, comparisonTable, speeds, titleOf } from './tables.ts'

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

/** Lines that begin the parts of the page, in order: each command writes its own and leaves the others as they are. */
export const KERNEL_PART = '# Benchmarks'
export const BOOT_PART = '## Debian, booted and put to work'
export const MEMORY_PART = '## Memory over a long run'
export const FS_PART = '## File systems'
export const PROCESS_PART = '## Processes'
export const CONTAINER_PART = '## Containers'
const PARTS = [KERNEL_PART, BOOT_PART, MEMORY_PART, FS_PART, PROCESS_PART, CONTAINER_PART] as const
type Part = (typeof PARTS)[number]

export const PAGE = new URL('../../../docs/benchmarks.md', import.meta.url)

/** The page with `text` in the place of `part`. */
export function withPart(page: string, part: Part, text: string): string {
  const starts = PARTS.map((each) => `\n${page}`.indexOf(`\n${each}\n`))
  const texts = PARTS.map((each, index) => {
    if (each === part) return text
    if (starts[index]! < 0) return ''
    return page.slice(
      starts[index],
      starts.slice(index + 1).find((start) => start >= 0),
    )
  })
  const written = texts.map((each) => each.trim()).filter((each) => each !== '')
  return `${written.join('\n\n')}\n`
}

export function writePart(part: Part, text: string): void {
  writeFileSync(PAGE, withPart(readFileSync(PAGE, 'utf8'), part, text))
}

/** The part of the page on kernels. */
export function page(results: Results, { date, rounds, machine, node, v8, v86 }: Setting): string {
  const compared = results.comparisons.map(
    (each) => `## ${titleOf(each)}

${asMarkdown(comparisonTable(results, each))}

\`\`\`text
${bars(each)}
\`\`\``,
  )
  return `# Benchmarks

Written by \`npx -y pnpm@12 bench --write-docs\` on ${date}: ${counted(rounds)} on ${machine}; Node ${node} (V8 ${v8}), v86 ${v86}.

Five integer kernels of C, compiled by gcc for the i686, run in 32-bit protected mode with paging on, in 4 KB pages, from one
ROM image that boots in every system (\`apps/bench/guest\`). Each round runs each system in a process of its own, one after
the other. Times are processor time of that process for one run of a kernel, the mean of many after warming up: the median over
rounds, and from least to most. The ratio is v86's time over vmexit's in the same round. Instructions are those that vmexit
counts, exactly; they also give v86's speed. What the kernels compute is compared.

${compared.join('\n\n')}

## All engines

Million instructions in a second of processor time. The reference engine decodes every time and is there to be right.

${asMarkdown(speeds(results))}
`
}

/** `3 rounds`. */
export const counted = (rounds: number): string => `${rounds} ${rounds === 1 ? 'round' : 'rounds'}`
