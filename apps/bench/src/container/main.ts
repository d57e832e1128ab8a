/** `pnpm bench container`: what containers cost. */
import { setFlagsFromString } from 'node:v8'
import { V8_FLAGS } from '@vmexit/jit'
import { inOwnProcess } from '../child.ts'
import { CONTAINER_PART, counted, type Setting, setting, writePart } from '../docs.ts'
import { progress } from '../progress.ts'
import { asMarkdown, asText } from '../tables.ts'
import { type IdleSample, measureIdle } from './idle.ts'
import { CONTAINER_HELP, type ContainerOptions, HERE, type Here, parseContainerOptions } from './options.ts'
import {
  barTable,
  type ContainerSamples,
  idleTable,
  judgeContainers,
  startRows,
  startTable,
  workRows,
  workTable,
} from './results.ts'
import { measureStarts, type StartedImage, type StartTimes } from './start.ts'
import { measureWork, type WorkTimes } from './work.ts'

/** As `vmexit` is started, and garbage can be collected between two measurements. */
const FLAGS = ['--max-semi-space-size=8', '--expose-gc']

/** Runs it; the exit code: 1 if a bar is missed. @throws VmexitError for options, guests and systems that fail. */
export async function containerMain(args: readonly string[]): Promise<number> {
  const options = parseContainerOptions(args)
  if (options.help) {
    process.stdout.write(CONTAINER_HELP)
    return 0
  }
  if (options.here !== undefined) {
    process.stdout.write(`${JSON.stringify(await measureHere(options.here, options))}\n`)
    return 0
  }
  const samples = await measureAll(options)
  const bars = judgeContainers(samples)
  const where = setting(options.rounds)
  const tables = [startTable(samples), idleTable(samples), workTable(samples), barTable(bars)]
  const text = options.json
    ? JSON.stringify(
        { ...where, starts: startRows(samples), idle: samples.idle, work: workRows(samples), bars },
        undefined,
        2,
      )
    : tables.map(asText).join('\n\n')
  process.stdout.write(`${text}\n`)
  if (options.writeDocs) writePart(CONTAINER_PART, page(samples, where))
  return bars.every(({ holds }) => holds) ? 0 : 1
}

function measureHere(what: Here, options: ContainerOptions): Promise<unknown> {
  for (const flag of V8_FLAGS) setFlagsFromString(flag)
  if (what === 'start') return measureStarts(options)
  return what === 'work' ? measureWork(options.busybox) : measureIdle(what, options.busybox)
}

async function measureAll({ rounds, busybox, debian }: ContainerOptions): Promise<ContainerSamples> {
  const found: Record<Here, string[]> = { start: [], sh: [], sleep: [], work: [] }
  const given = ['--busybox', busybox, ...(debian === undefined ? [] : ['--debian', debian])]
  for (let round = 0; round < rounds; round++) {
    for (const what of round % 2 === 0 ? HERE : HERE.toReversed()) {
      progress(`round ${round + 1} of ${rounds}: ${what}`)
      found[what].push(await inOwnProcess(what, ['container', '--here', what, ...given], undefined, FLAGS))
    }
  }
  progress('')
  const read = <T>(what: Here): T[] => found[what].map((text) => JSON.parse(text) as T)
  return {
    starts: read<Partial<Record<StartedImage, StartTimes>>>('start'),
    idle: { sh: read<IdleSample>('sh'), sleep: read<IdleSample>('sleep') },
    work: read<WorkTimes>('work'),
  }
}

function page(samples: ContainerSamples, { date, rounds, machine, node }: Setting): string {
  return `${CONTAINER_PART}

Written by \`npx -y pnpm@12 bench container --write-docs\` on ${date}: ${counted(rounds)} on ${machine}; Node ${node}.

From nothing to the end of \`/bin/true\`, static (busybox) and dynamic (Debian), in time that passes, by turns: \`createContainer\` in a host that
has started some of them before, and the first one of a host; \`vmexit run\` from source, a process each time; Debian's runc with a
bundle that is prepared; and namespaces without a container. Medians over rounds, here and below.

${asMarkdown(startTable(samples))}

In one process:

${asMarkdown(idleTable(samples))}

What programs do in a container, against a bare process on the same kernel and the same layers, which are its root by an overlay as well; the
instructions are the same, one by one. Beside them one whose root is a tmpfs with the same files, where directories are listed in another order.

${asMarkdown(workTable(samples))}

${asMarkdown(barTable(judgeContainers(samples)))}
`
}
