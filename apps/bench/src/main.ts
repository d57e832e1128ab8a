/** `pnpm bench`: the speed of the engines, and of v86 in the same run. */
import { isVmexitError } from '@vmexit/core'
import { bootMain } from './boot/main.ts'
import { KERNEL_PART, page, setting, writePart } from './docs.ts'
import { HELP, type Options, parseOptions } from './options.ts'
import { progress } from './progress.ts'
import { type Round, summarize } from './results.ts'
import { measure, measureHere, SYSTEMS } from './systems.ts'
import { asText, bars, comparison, speeds } from './tables.ts'

async function main(options: Options): Promise<number> {
  if (options.help) process.stdout.write(HELP)
  else if (options.system) process.stdout.write(`${JSON.stringify(await measureHere(options.system))}\n`)
  else return await compare(options)
  return 0
}

async function compare({ rounds, atLeast, json, writeDocs }: Options): Promise<number> {
  const measured: Round[] = []
  for (let round = 0; round < rounds; round++) {
    // Each second round the other way about, so that a host that grows slower or faster favours nobody.
    const order = round % 2 === 0 ? SYSTEMS : SYSTEMS.toReversed()
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
  if (json) process.stdout.write(`${JSON.stringify({ ...where, ...results }, undefined, 2)}\n`)
  else {
    const verdict = `vmexit's interpreter runs at ${results.ratio.toFixed(2)} times the speed of v86 without its JIT.`
    const parts = [asText(comparison(results)), bars(results), asText(speeds(results)), verdict]
    process.stdout.write(`${parts.join('\n\n')}\n`)
  }
  if (results.ratio >= atLeast) return 0
  process.stderr.write(`the ratio ${results.ratio.toFixed(2)} is below ${atLeast}\n`)
  return 1
}

try {
  const [first, ...rest] = process.argv.slice(2)
  process.exitCode = first === 'boot' ? await bootMain(rest) : await main(parseOptions(process.argv.slice(2)))
} catch (error) {
  if (!isVmexitError(error)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 2
}
