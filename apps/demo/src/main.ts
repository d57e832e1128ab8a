/** `pnpm demo`: a small guest on the simulated PC, under each engine, and what the hardware counted. */
import { isVmexitError } from '@vmexit/core'
import { HELP, type Options, parseOptions } from './options.ts'
import { plain, report, speed, terminal } from './report.ts'
import { differences, type Run, runGuest } from './run.ts'

async function main({ engines, json, help }: Options): Promise<number> {
  if (help) {
    process.stdout.write(HELP)
    return 0
  }
  const style = process.stdout.isTTY && !process.env['NO_COLOR'] ? terminal : plain
  const runs: Run[] = []
  for (const engine of engines) {
    const first = runs.length === 0 && !json
    if (first) process.stdout.write(`${style.faint(`The guest's console, under the ${engine}:`)}\n\n`)
    else if (process.stderr.isTTY) process.stderr.write(`The same under the ${engine} engine …\n`)
    runs.push(await runGuest(engine, first ? (text) => void process.stdout.write(text) : undefined))
  }
  const [first, ...others] = runs
  const differing = [...new Set(others.flatMap((run) => differences(first!, run)))]
  process.stdout.write(json ? `${JSON.stringify(document(runs, differing), undefined, 2)}\n` : report(runs, style))
  return differing.length > 0 ? 1 : 0
}

function document(runs: readonly Run[], differing: readonly string[]) {
  const list = (counts: Run['counts']) => Object.fromEntries(counts.map(({ name, count }) => [name, count]))
  return {
    runs: runs.map((run) => ({
      engine: run.engine,
      counts: list(run.counts),
      exceptions: list(run.exceptions),
      seconds: run.seconds,
      mips: speed(run),
      console: run.console,
    })),
    ...(runs.length > 1 && { equal: differing.length === 0, differences: differing }),
  }
}

// Whoever reads may have seen enough.
process.stdout.on('error', () => process.exit())
try {
  process.exitCode = await main(parseOptions(process.argv.slice(2)))
} catch (error) {
  if (!isVmexitError(error)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 2
}
