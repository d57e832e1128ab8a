/** `pnpm bench memory`: does a long run grow? */
import { MEMORY_PART, setting, writePart } from '../docs.ts'
import { progress } from '../progress.ts'
import { asText } from '../tables.ts'
import { MEMORY_HELP, parseMemoryOptions } from './options.ts'
import { memoryPage } from './page.ts'
import { judgeMemory, memoryTable, verdictLine } from './results.ts'

/** Runs it; the exit code: 1 if memory grows. @throws VmexitError for options, files, and guests that go astray. */
export async function memoryMain(args: readonly string[]): Promise<number> {
  const options = parseMemoryOptions(args)
  if (options.help) {
    process.stdout.write(MEMORY_HELP)
    return 0
  }
  const { soak } = await import('./soak.ts')
  const looks = await soak(options, ({ instructions }) => {
    progress(`${(instructions / 1e9).toFixed(1)} of ${(options.instructions / 1e9).toFixed(1)} · 10⁹ instructions`)
  })
  progress('')
  const where = setting(1)
  const verdict = judgeMemory(looks)
  const { engine } = options
  const text = options.json
    ? JSON.stringify({ ...where, engine, looks, ...verdict }, undefined, 2)
    : `${asText(memoryTable(looks))}\n\n${verdictLine(verdict)}`
  process.stdout.write(`${text}\n`)
  if (options.writeDocs) writePart(MEMORY_PART, memoryPage(looks, engine, where))
  return verdict.holds ? 0 : 1
}
