/** `pnpm bench boot`: whole systems, and other emulators in the same run. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BOOT_PART, setting, writePart } from '../docs.ts'
import { refuse } from '../options.ts'
import { progress } from '../progress.ts'
import { asText } from '../tables.ts'
import { judge } from './bars.ts'
import { type BootSystem, USUAL_SYSTEMS } from './names.ts'
import { BOOT_HELP, type BootOptions, parseBootOptions } from './options.ts'
import { bootPage } from './page.ts'
import { QEMU_REMEDY, qemuVersion } from './qemu.ts'
import { lost, reasonLine } from './reasons.ts'
import { type Recorded, readRecords, writeRecord } from './records.ts'
import { type Booted, type BootResults, summarizeBoots } from './results.ts'
import { boot, bootHere, warm } from './systems.ts'
import { bootTable, comparedTable, verdict } from './tables.ts'

/** Runs it; the exit code. @throws VmexitError for options, files, and systems that fail or disagree. */
export async function bootMain(args: readonly string[]): Promise<number> {
  const options = parseBootOptions(args)
  if (options.help) process.stdout.write(BOOT_HELP)
  else if (options.system) await alone(options.system, options)
  else await compareBoots(options)
  return 0
}

async function alone(system: BootSystem, options: BootOptions): Promise<void> {
  const record = await bootHere(system, options)
  if (record) process.stdout.write(`${JSON.stringify(record)}\n`)
}

async function compareBoots(options: BootOptions): Promise<void> {
  const qemu = qemuVersion()
  const { booted, rounds, date } = options.from === undefined ? await bootNow(options, qemu) : readRecords(options.from)
  const results = summarizeBoots(booted)
  const where = { ...setting(rounds), date, qemu: results.systems.includes('qemu-tcg') ? qemu : undefined }
  const text = options.json
    ? JSON.stringify({ ...where, ...results, judgements: judge(results), lost: lost(results) }, undefined, 2)
    : asReport(results)
  process.stdout.write(`${text}\n`)
  if (options.writeDocs) writePart(BOOT_PART, bootPage(results, where))
}

async function bootNow(options: BootOptions, qemu: string | undefined): Promise<Recorded> {
  const systems = options.systems ?? USUAL_SYSTEMS.filter((system) => system !== 'qemu-tcg' || qemu !== undefined)
  if (qemu === undefined) {
    if (systems.includes('qemu-tcg')) throw refuse('QEMU cannot be measured here', QEMU_REMEDY)
    if (options.systems === undefined) process.stderr.write(`QEMU cannot be measured here: ${QEMU_REMEDY}\n`)
  }
  const { rounds } = options
  return { booted: await bootAll(systems, options), rounds, date: setting(rounds).date }
}

async function bootAll(systems: readonly BootSystem[], options: BootOptions): Promise<Booted[]> {
  const cache = mkdtempSync(join(tmpdir(), 'vmexit-bench-'))
  const booted: Booted[] = []
  try {
    for (const system of systems) await warm(system, cache)
    for (let round = 1; round <= options.rounds; round++) {
      for (const kind of ['whole', 'workloads'] as const) {
        // Each second round the other way about, so that a host that grows slower or faster favours nobody.
        for (const system of round % 2 === 1 ? systems : systems.toReversed()) {
          progress(`round ${round} of ${options.rounds}: ${system}, ${kind}`)
          const record = await boot(system, kind === 'whole' ? whole(options) : withWorkloads(options), cache)
          booted.push({ system, kind, record })
          if (options.runs !== undefined) writeRecord(options.runs, round, { system, kind, record })
        }
      }
    }
  } finally {
    rmSync(cache, { recursive: true })
  }
  progress('')
  return booted
}

const whole = (options: BootOptions): BootOptions => ({ ...options, workloads: 'none' })
const withWorkloads = (options: BootOptions): BootOptions => ({ ...options, append: 'cryptomgr.notests' })

function asReport(results: BootResults): string {
  const tables = [bootTable(results), ...results.comparisons.map(comparedTable)].map(asText)
  return [...tables, lost(results).map(reasonLine).join('\n'), verdict(results)]
    .filter((part) => part !== '')
    .join('\n\n')
}
