/** What `docs/benchmarks.md` says of a long run. */
import type { Engine } from '@vmexit/x86'
import { MEMORY_PART, type Setting } from '../docs.ts'
import { asMarkdown } from '../tables.ts'
import { judgeMemory, type Look, memoryTable, verdictLine } from './results.ts'

/** The part of the page. */
export function memoryPage(looks: readonly Look[], engine: Engine, where: Setting): string {
  const { date, machine, node, v8 } = where
  return `${MEMORY_PART}

Written by \`npx -y pnpm@12 bench memory --write-docs\` on ${date} on ${machine}; Node ${node} (V8 ${v8}), engine ${engine}.

Debian's kernel and a shell that executes /bin/true over and over, in 128 MiB, from the first programs on. A look at the process
after each tenth of the instructions: what is resident; and after garbage was collected what still is, JavaScript's heap, what
lies outside of it (WebAssembly's memories with the guest's, buffers), and what the engine has generated.

${asMarkdown(memoryTable(looks))}

${verdictLine(judgeMemory(looks))}
`
}
