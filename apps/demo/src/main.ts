/** `pnpm demo`: the same programs under every technique, and what one sees. */
import { parseArgs } from 'node:util'
import { comparisonText } from '@vmexit/compare'
import { isVmexitError } from '@vmexit/core'
import { demoComparison } from './demo.ts'
import { sentences } from './sentences.ts'
import { wrapped } from './wrapped.ts'

const HELP = `Runs the same programs on a small kernel under every technique, on one simulated PC, and prints what they cost.

  pnpm demo            two tables, and what one sees in them
  pnpm demo --json     the same as one JSON document
  pnpm demo --help

Two runs print the same. \`vmexit compare --help\` has more programs, techniques, and profiles.
`

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
  process.stdout.write(
    json
      ? `${JSON.stringify(comparison, undefined, 2)}\n`
      : [comparisonText(comparison), ...sentences(comparison).map((text) => `${wrapped(text, 98)}\n`)].join('\n'),
  )
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
  if (!isVmexitError(error)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
}
