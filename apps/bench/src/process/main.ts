/** `pnpm bench process`: bare processes on our kernel against a PC and against QEMU's user mode. */
import { setFlagsFromString } from 'node:v8'
import { VmexitError } from '@vmexit/core'
import { V8_FLAGS } from '@vmexit/jit'
import { counted, PROCESS_PART, type Setting, setting, writePart } from '../docs.ts'
import { progress } from '../progress.ts'
import { asMarkdown, asText } from '../tables.ts'
import { type CallTimes, measureCallsHere, measureCallsInPc } from './calls.ts'
import { type Here, PROCESS_HELP, type ProcessOptions, parseProcessOptions } from './options.ts'
import { measureProgramsHere, measureProgramsInQemu, type ProgramTimes } from './programs.ts'
import { callRows, differing, type ProcessSamples, programRows, table } from './results.ts'
import { byTurns } from './turns.ts'

/** Who is compared with whom. */
const PAIRS: readonly (readonly Here[])[] = [
  ['calls-process', 'calls-pc'],
  ['programs-process', 'programs-qemu-user'],
]

const CALL_COLUMNS = ['µs here', 'µs in a PC'] as const
const PROGRAM_COLUMNS = ['ms here', 'ms under qemu-user'] as const
const ELAPSED_COLUMNS = ['ms that pass here', 'ms that pass under qemu-user'] as const

/** Runs it; the exit code: 1 if a bar is missed. @throws VmexitError for options, guests and systems that fail. */
export async function processMain(args: readonly string[]): Promise<number> {
  const options = parseProcessOptions(args)
  if (options.help) {
    process.stdout.write(PROCESS_HELP)
    return 0
  }
  if (options.here !== undefined) {
    process.stdout.write(`${JSON.stringify(await measureHere(options.here, options))}\n`)
    return 0
  }
  const samples = await measureAll(options)
  const [calls, strange] = [callRows(samples), differing(samples)]
  const [programs, elapsed] = [programRows(samples, 'cpu'), programRows(samples, 'elapsed')]
  if (strange.length > 0) {
    throw new VmexitError('bench-output', {
      problem: `${strange.join(', ')} printed something else here than under QEMU`,
      remedy: 'report it: programs must compute the same',
    })
  }
  const where = setting(options.rounds)
  const text = options.json
    ? JSON.stringify({ ...where, calls, programs, elapsed }, undefined, 2)
    : [table(calls, CALL_COLUMNS), table(programs, PROGRAM_COLUMNS), table(elapsed, ELAPSED_COLUMNS)]
        .map(asText)
        .join('\n\n')
  process.stdout.write(`${text}\n`)
  if (options.writeDocs) writePart(PROCESS_PART, page(samples, where))
  return [...calls, ...programs].every(({ holds }) => holds) ? 0 : 1
}

function measureHere(
  what: Here,
  { kernel, initrd }: ProcessOptions,
): CallTimes | Promise<CallTimes | ProgramTimes> | ProgramTimes {
  for (const flag of V8_FLAGS) setFlagsFromString(flag)
  if (what === 'calls-process') return measureCallsHere()
  if (what === 'calls-pc') return measureCallsInPc(kernel)
  return what === 'programs-process' ? measureProgramsHere(initrd) : measureProgramsInQemu(initrd)
}

async function measureAll({ rounds, kernel, initrd }: ProcessOptions): Promise<ProcessSamples> {
  const found: Record<Here, string[]> = {
    'calls-process': [],
    'calls-pc': [],
    'programs-process': [],
    'programs-qemu-user': [],
  }
  for (let round = 0; round < rounds; round++) {
    for (const pair of PAIRS) {
      progress(`round ${round + 1} of ${rounds}: ${pair.join(' and ')}, by turns`)
      // Each second round the other way about, so that a host that grows slower or faster favours nobody.
      const order = round % 2 === 0 ? pair : pair.toReversed()
      const texts = await byTurns(
        order.map((what) => ({ what, args: ['process', '--here', what, '--kernel', kernel, '--initrd', initrd] })),
      )
      for (const [at, what] of order.entries()) found[what].push(texts[at]!)
    }
  }
  progress('')
  const read = <T>(what: Here): T[] => found[what].map((text) => JSON.parse(text) as T)
  return {
    callsHere: read<CallTimes>('calls-process'),
    callsInPc: read<CallTimes>('calls-pc'),
    programsHere: read<ProgramTimes>('programs-process'),
    programsInQemu: read<ProgramTimes>('programs-qemu-user'),
  }
}

function page(samples: ProcessSamples, { date, rounds, machine, node }: Setting): string {
  return `${PROCESS_PART}

Written by \`npx -y pnpm@12 bench process --write-docs\` on ${date}: ${counted(rounds)} on ${machine}; Node ${node}.

Static i386 programs, all of the processor time of the process that runs them, translating included. The two sides of a row work by
turns, and its ratio is the median of those of the rounds. What the kernel does for them, against the same programs under Debian's 686 kernel in one of our PCs, on the same engine:

${asMarkdown(table(callRows(samples), CALL_COLUMNS))}

What they compute, against QEMU's user mode:

${asMarkdown(table(programRows(samples, 'cpu'), PROGRAM_COLUMNS))}

The same runs by the time that passes. V8 compiles in threads of its own, which processor time counts and who waits does not notice:

${asMarkdown(table(programRows(samples, 'elapsed'), ELAPSED_COLUMNS))}
`
}
