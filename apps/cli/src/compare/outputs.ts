/** Where a comparison goes: tables, JSON or CSV to standard output, a report and a trace to files, and what became of a baseline. */
import { constants } from 'node:fs'
import { access, lstat, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import {
  baselineText,
  type Comparison,
  compareToBaseline,
  comparisonCsv,
  comparisonHtml,
  comparisonText,
  comparisonTrace,
  parseComparison,
  whereTimeGoes,
  wrapped,
} from '@vmexit/compare'
import { VmexitError } from '@vmexit/core'
import { type Command, Option } from 'commander'
import { type HostUse, hostUseTable, hostUseText } from './host-use.ts'

/** What the command line says of them. */
export interface OutputFlags {
  readonly json?: boolean
  readonly csv?: boolean
  readonly html?: string
  readonly trace?: string
  readonly baseline?: string
}

/** Adds the options. */
export function withOutputs(command: Command): Command {
  return command
    .addOption(new Option('--json', 'one JSON document instead of tables').conflicts('csv'))
    .option('--csv', 'comma-separated values instead of tables, a line for each cell')
    .option('--html <file>', 'write a report with charts, one file that fetches nothing')
    .option('--trace <file>', 'write modelled time as a Chrome trace, for ui.perfetto.dev')
    .option('--baseline <file>', 'say what differs from this JSON; the exit code is 1 if anything does')
}

/** Reads the baseline, and sees that files can be written, before anything is measured. */
export async function prepareOutputs({ html, trace, baseline }: OutputFlags): Promise<Comparison | undefined> {
  for (const file of [html, trace]) {
    if (file === undefined) continue
    try {
      await access(dirname(file), constants.W_OK)
    } catch (reason) {
      throw cannotWrite(file, reason, 'name a file in a folder that is there')
    }
  }
  return baseline === undefined ? undefined : await readComparison(baseline)
}

/** Reads a comparison from a file. @throws VmexitError `compare-file`. */
export async function readComparison(file: string): Promise<Comparison> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (reason) {
    throw new VmexitError('compare-file', {
      problem: `${file} cannot be read (${(reason as NodeJS.ErrnoException).code ?? reason})`,
      remedy: 'give a file that `vmexit compare --json` has written',
    })
  }
  return parseComparison(text, file)
}

/** Writes everything, standard output first; the exit code is 1 where the baseline is another. */
export async function writeOutputs(
  comparison: Comparison,
  flags: OutputFlags,
  baseline: Comparison | undefined,
  host?: HostUse,
): Promise<void> {
  const difference = baseline === undefined ? undefined : compareToBaseline(baseline, comparison)
  if (flags.json) {
    const more = { ...(difference && { baseline: difference }), ...(host && { host }) }
    process.stdout.write(`${JSON.stringify({ ...comparison, ...more }, undefined, 2)}\n`)
  } else if (flags.csv) process.stdout.write(comparisonCsv(comparison))
  else {
    const sentences = whereTimeGoes(comparison).map((sentence) => `${wrapped(sentence, 98).join('\n')}\n`)
    process.stdout.write([comparisonText(comparison), ...sentences].join('\n'))
    if (host !== undefined) process.stdout.write(`\n${hostUseText(host)}`)
    if (difference !== undefined) process.stdout.write(`\n${baselineText(difference)}`)
  }
  if (difference !== undefined && difference.changes.length > 0) {
    process.exitCode ??= 1
    if (flags.json || flags.csv) process.stderr.write(baselineText(difference))
  }
  if (flags.html !== undefined)
    await writeWhole(flags.html, comparisonHtml(comparison, { tables: host === undefined ? [] : [hostUseTable(host)] }))
  if (flags.trace !== undefined) await writeWhole(flags.trace, `${JSON.stringify(comparisonTrace(comparison))}\n`)
}

/** Writes a file; of one that cannot be written whole nothing is left, unless it is a device or a pipe. */
async function writeWhole(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text)
  } catch (reason) {
    if (
      await lstat(file).then(
        (found) => found.isFile(),
        () => false,
      )
    )
      await rm(file, { force: true }).catch(() => {})
    throw cannotWrite(file, reason, 'make room or name another place; what was printed is whole')
  }
}

function cannotWrite(file: string, reason: unknown, remedy: string): VmexitError {
  const code = (reason as NodeJS.ErrnoException).code
  const words: Readonly<Record<string, string>> = {
    ENOSPC: 'the disk is full',
    ENOENT: 'its folder is not there',
    EACCES: 'that is not permitted',
    EROFS: 'its file system is read-only',
    EISDIR: 'it is a folder',
  }
  return new VmexitError('compare-output', {
    problem: `${file} cannot be written: ${words[code ?? ''] ?? code ?? reason}`,
    remedy,
  })
}
