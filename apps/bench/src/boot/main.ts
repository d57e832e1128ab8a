/** `pnpm bench boot`: whole systems, and v86 in the same run. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BOOT_PART, setting, writePart } from '../docs.ts'
import { progress } from '../progress.ts'
import { asMarkdown, asText } from '../tables.ts'
import { BOOT_TITLES, type BootSystem } from './names.ts'
import { BOOT_HELP, type BootOptions, parseBootOptions } from './options.ts'
import { bootPage } from './page.ts'
import { type Booted, summarizeBoots } from './results.ts'
import { boot, bootHere } from './systems.ts'
import { bootTable } from './tables.ts'

/** Runs it; the exit code. @throws VmexitError for options, files, and systems that fail or disagree. */
export async function bootMain(args: readonly string[]): Promise<number> {
  const options = parseBootOptions(args)
  if (options.help) process.stdout.write(BOOT_HELP)
  else if (options.system) process.stdout.write(`${JSON.stringify(await bootHere(options.system, options))}\n`)
  else await compareBoots(options)
  return 0
}

async function compareBoots(options: BootOptions): Promise<void> {
  const systems: readonly BootSystem[] = options.jit ? ['interpreter', 'v86', 'v86-jit'] : ['interpreter', 'v86']
  const booted: Booted[] = []
  for (let round = 1; round <= options.rounds; round++) {
    for (const kind of ['whole', 'workloads'] as const) {
      for (const system of round % 2 === 1 ? systems : systems.toReversed()) {
        progress(`round ${round} of ${options.rounds}: ${BOOT_TITLES[system]}, ${kind}`)
        const record = await boot(system, kind === 'whole' ? whole(options) : withWorkloads(options))
        booted.push({ system, kind, record })
        if (options.runs !== undefined) write(options.runs, round, kind, record)
      }
    }
  }
  progress('')
  const results = summarizeBoots(booted)
  const where = setting(options.rounds)
  if (options.writeDocs) writePart(BOOT_PART, bootPage(asMarkdown(bootTable(results)), where))
  if (options.json) process.stdout.write(`${JSON.stringify({ ...where, ...results }, undefined, 2)}\n`)
  else process.stdout.write(`${asText(bootTable(results))}\n`)
}

const whole = (options: BootOptions): BootOptions => ({ ...options, workloads: 'none' })
const withWorkloads = (options: BootOptions): BootOptions => ({ ...options, append: 'cryptomgr.notests' })

function write(folder: string, round: number, kind: Booted['kind'], record: Booted['record']): void {
  mkdirSync(folder, { recursive: true })
  const name = kind === 'whole' ? `${record.system}-boot` : record.system
  writeFileSync(join(folder, `${name}.${round}.json`), `${JSON.stringify(record, undefined, 1)}\n`)
}
