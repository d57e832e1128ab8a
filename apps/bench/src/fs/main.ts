/** `pnpm bench fs`: file systems against memfs and unionfs. */
import { inOwnProcess } from '../child.ts'
import { counted, FS_PART, type Setting, setting, writePart } from '../docs.ts'
import { progress } from '../progress.ts'
import { asMarkdown, asText } from '../tables.ts'
import { FS_HELP, type FsOptions, parseFsOptions } from './options.ts'
import { barTable, type FsRow, fsTable, judgeFs } from './results.ts'
import { FS_SYSTEMS } from './systems.ts'
import { type FsSample, measureFs } from './work.ts'

/** Runs it; the exit code: 1 if a bar is missed. @throws VmexitError for options and processes that fail. */
export async function fsMain(args: readonly string[]): Promise<number> {
  const options = parseFsOptions(args)
  if (options.help) {
    process.stdout.write(FS_HELP)
    return 0
  }
  const here = FS_SYSTEMS.find(({ name }) => name === options.here)
  if (here) {
    process.stdout.write(`${JSON.stringify(measureFs(here, options.files))}\n`)
    return 0
  }
  const rows = await measureAll(options)
  const bars = judgeFs(rows)
  const where = setting(options.rounds)
  const text = options.json
    ? JSON.stringify({ ...where, files: options.files, rows, bars }, undefined, 2)
    : `${asText(fsTable(rows))}\n\n${asText(barTable(bars))}`
  process.stdout.write(`${text}\n`)
  if (options.writeDocs) writePart(FS_PART, fsPage(rows, options.files, where))
  return bars.every(({ holds }) => holds) ? 0 : 1
}

async function measureAll({ files, rounds, systems }: FsOptions): Promise<FsRow[]> {
  const some = FS_SYSTEMS.filter(({ name }) => systems.includes(name))
  const samples = new Map<string, FsSample[]>(some.map(({ name }) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    // Each second round the other way about, so that a host that grows slower or faster favours nobody.
    for (const { name, title } of round % 2 === 0 ? some : some.toReversed()) {
      progress(`round ${round + 1} of ${rounds}: ${title}`)
      const args = ['fs', '--here', name, '--files', String(files)]
      const text = await inOwnProcess(title, args, undefined, ['--expose-gc'])
      samples.get(name)!.push(JSON.parse(text) as FsSample)
    }
  }
  progress('')
  return [...samples].map(([name, each]) => ({ name, samples: each }))
}

function fsPage(rows: readonly FsRow[], files: number, { date, rounds, machine, node }: Setting): string {
  return `${FS_PART}

Written by \`npx -y pnpm@12 bench fs --write-docs\` on ${date}: ${counted(rounds)} on ${machine}; Node ${node}.

${files.toLocaleString('en-US')} files of 4 KiB in directories of a thousand, by their paths; ours through the calls of the POSIX layer, each file opened and
closed. \`lookup\` is the mean of five looks at each file after the first, and after a collection of garbage. Processor time, median over rounds, each file system in a process of its own; of readdir, the time per entry. With files in the lower
layer, \`append\` copies each up.

${asMarkdown(fsTable(rows))}

${asMarkdown(barTable(judgeFs(rows)))}
`
}
