/** `pnpm bench`: the speed of the engines, and of other emulators in the same run. */
import { isVmexitError } from '@vmexit/core'
import { bootMain } from './boot/main.ts'
import { containerMain } from './container/main.ts'
import { KERNEL_PART, page, setting, writePart } from './docs.ts'
import { fsMain } from './fs/main.ts'
import { memoryMain } from './memory/main.ts'
import { HELP, type Options, parseOptions } from './options.ts'
import { processMain } from './process/main.ts'
import { progress } from './progress.ts'
import { type Results, type Round, summarize } from './results.ts'
import { measure, measureHere, SYSTEMS } from './systems.ts'
import { asText, bars, comparisonTable, speeds, titleOf } from './tables.ts'

async function main(options: Options): Promise<number> {
  if (options.help) process.stdout.write(HELP)
  else if (options.system) process.stdout.write(`${JSON.stringify(await measureHere(options.system))}\n`)
  else return await compare(options)
  return 0
}

async function compare({ rounds, systems, atLeast, json, writeDocs }: Options): Promise<number> {
  const measured: Round[] = []
  const some = SYSTEMS.filter(({ name }) => systems.includes(name))
  for (let round = 0; round < rounds; round++) {
    // Each second round the other way about, so that a host that grows slower or faster favours nobody.
    const order = round % 2 === 0 ? some : some.toReversed()
    for (const { name, title, rounds: most } of order) {
      if (round >= most) continue
      progress(`round ${round + 1} of ${rounds}: ${title}`)
      measured.push({ system: name, samples: await measure(name) })
    }
  }
  progress('')
  const results = summarize(measured)
  const where = setting(rounds)
  if (writeDocs) writePart(KERNEL_PART, page(results, where))
  const text = json ? JSON.stringify({ ...where, ...results }, undefined, 2) : asReport(results)
  process.stdout.write(`${text}\n`)
  const first = results.comparisons[0]
  if (first === undefined || first.ratio >= atLeast) return 0
  process.stderr.write(`${titleOf(first)}: the ratio ${first.ratio.toFixed(2)} is below ${atLeast}\n`)
  return 1
}

function asReport(results: Results): string {
  const compared = results.comparisons.flatMap((each) => [
    titleOf(each),
    asText(comparisonTable(results, each)),
    bars(each),
  ])
  const verdicts = results.comparisons.map((each) => `${titleOf(each)}: ${each.ratio.toFixed(2)} times the speed.`)
  return [...compared, asText(speeds(results)), verdicts.join('\n')].filter((part) => part !== '').join('\n\n')
}

const COMMANDS: Readonly<Record<string, (args: readonly string[]) => Promise<number>>> = {
  boot: bootMain,
  container: containerMain,
  fs: fsMain,
  memory: memoryMain,
  process: processMain,
}

try {
  const [first = '', ...rest] = process.argv.slice(2)
  const command = COMMANDS[first]
  process.exitCode = command ? await command(rest) : await main(parseOptions(process.argv.slice(2)))
} catch (error) {
  if (!isVmexitError(error)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 2
}
