/** `pnpm demo`: the same programs under every technique, and where the time goes. */
import { writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { comparisonHtml } from '@vmexit/compare'
import { isVmexitError } from '@vmexit/core'
import { demoComparison, demoText } from './demo.ts'

const HELP = `Runs the same programs on a small kernel under every technique, on one simulated PC, and prints what they cost.

  pnpm demo            two tables, where the time goes, and a report with charts
  pnpm demo --json     the same as one JSON document
  pnpm demo --help

Two runs print the same. \`vmexit compare --help\` has more programs, techniques, and profiles.
`

/** Beside the demo's own files, and not among them. */
const REPORT = fileURLToPath(new URL('../report.html', import.meta.url))

async function main(): Promise<void> {
  const { json, help } = options()
  if (help) {
    process.stdout.write(HELP)
    return
  }
  const comparison = await demoComparison(({ technique, workload, done, total }) =>
    status(`${done}/${total} ${technique}${workload === undefined ? '' : `: ${workload}`}`),
  )
  status('')
  if (json) process.stdout.write(`${JSON.stringify(comparison, undefined, 2)}\n`)
  else {
    process.stdout.write(demoText(comparison))
    writeFileSync(REPORT, comparisonHtml(comparison))
    process.stdout.write(`\nA report with charts: ${relative('', REPORT)}\n`)
  }
}

/** On a terminal, one line that says how far it is. */
function status(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
}

function options(): { readonly json: boolean; readonly help: boolean } {
  try {
    const { values } = parseArgs({
      options: {
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    return values
  } catch (error) {
    process.stderr.write(`${(error as Error).message.split('. ')[0]}: see --help\n`)
    process.exit(2)
  }
}

// Whoever reads may have seen enough.
process.stdout.on('error', () => process.exit())
try {
  await main()
} catch (error) {
  const known = isVmexitError(error) || (error instanceof Error && 'syscall' in error)
  if (!known) throw error
  process.stderr.write(`${(error as Error).message}\n`)
  process.exitCode = 1
}
