/** Medians over rounds, and the bars that they are held against. */
import { IDLE, type IdleSample, type Waiting } from './idle.ts'
import { STARTED, type StartedImage, type StartTimes } from './start.ts'
import { median, WORK, type WorkTimes } from './work.ts'

/** Of each kind what the rounds have measured. */
export interface ContainerSamples {
  readonly starts: readonly Partial<Record<StartedImage, StartTimes>>[]
  readonly idle: Readonly<Record<Waiting, readonly IdleSample[]>>
  readonly work: readonly WorkTimes[]
}

/** A bar: what is held against what, and whether it holds. */
export interface ContainerBar {
  readonly title: string
  readonly value: number
  readonly bar: number
  readonly holds: boolean
}

/** Mebibytes that all the idle containers may take: less than a gigabyte. */
const IDLE_BAR = 1e9 / 2 ** 20

type StartRow = { readonly image: StartedImage } & StartTimes

export function startRows({ starts }: ContainerSamples): StartRow[] {
  return STARTED.filter((image) => starts.some((each) => each[image] !== undefined)).map((image) => {
    const of = (what: keyof StartTimes): number => median(starts.map((each) => each[image]![what]))
    const [library, libraryCpu, first] = [of('library'), of('libraryCpu'), of('first')]
    return { image, library, libraryCpu, first, command: of('command'), runc: of('runc'), unshare: of('unshare') }
  })
}

export function startTable(samples: ContainerSamples): string[][] {
  const head = ['ms', 'createContainer', 'of it CPU', 'the first', 'vmexit run', 'runc', 'unshare, chroot']
  const rows = startRows(samples).map(({ image, library, libraryCpu, first, command, runc, unshare }) => [
    image,
    ...[library, libraryCpu, first, command, runc, unshare].map((value) => value.toFixed(value < 100 ? 1 : 0)),
  ])
  return [head, ...rows]
}

export function idleTable({ idle }: ContainerSamples): string[][] {
  const row = (waiting: Waiting, title: string): string[] => {
    const of = (what: keyof IdleSample): number => median(idle[waiting].map((each) => each[what]))
    return [
      title,
      of('peak').toFixed(0),
      of('before').toFixed(0),
      (of('charged') / 1024).toFixed(0),
      of('cpu').toFixed(1),
    ]
  }
  const head = [`${IDLE} containers`, 'MiB at most', 'MiB before the first', 'KiB charged, each', 'ms of CPU, each']
  return [head, row('sh', 'of a shell that reads'), row('sleep', 'of sleep')]
}

interface WorkRow {
  readonly title: string
  readonly bar: number
  readonly container: number
  readonly process: number
  readonly tmpfs: number
  readonly instructions: number
  /** Instructions more than of the bare process, in any round; and whether both printed the same. */
  readonly more: number
  readonly isSame: boolean
}

export function workRows({ work }: ContainerSamples): WorkRow[] {
  return WORK.map(({ title, bar }) => {
    const rows = work.map((each) => each[title]!)
    const of = (where: 'container' | 'process' | 'tmpfs'): number => median(rows.map((each) => each[where].cpu))
    const more = rows.map((each) => each.container.instructions - each.process.instructions)
    const isSame = rows.every((each) => each.container.output === each.process.output)
    const { instructions } = rows[0]!.container
    const times = { container: of('container'), process: of('process'), tmpfs: of('tmpfs') }
    return { title, bar, ...times, instructions, more: more.find((count) => count !== 0) ?? 0, isSame }
  })
}

export function workTable(samples: ContainerSamples): string[][] {
  const head = ['ms of CPU', '10⁶ instr.', 'in a container', 'bare process', 'ratio', 'on a tmpfs', 'ratio']
  const rows = workRows(samples).map(({ title, container, process, tmpfs, instructions }) => [
    title,
    (instructions / 1e6).toFixed(1),
    container.toFixed(1),
    process.toFixed(1),
    (container / process).toFixed(2),
    tmpfs.toFixed(1),
    (container / tmpfs).toFixed(2),
  ])
  return [head, ...rows]
}

/** All bars. */
export function judgeContainers(samples: ContainerSamples): ContainerBar[] {
  const atMost = (title: string, value: number, bar: number): ContainerBar => ({
    title,
    value,
    bar,
    holds: value <= bar,
  })
  const peak = (waiting: Waiting): number => median(samples.idle[waiting].map((each) => each.peak))
  const work = workRows(samples)
  return [
    ...startRows(samples).map(({ image, library, runc }) =>
      atMost(`start, ${image}: createContainer / runc`, library / runc, 1),
    ),
    ...(['sh', 'sleep'] as const).map((waiting) =>
      atMost(`MiB of ${IDLE} that wait in ${waiting}`, peak(waiting), IDLE_BAR),
    ),
    ...work.map(({ title, container, process, bar }) =>
      atMost(`${title}, container / process`, container / process, bar),
    ),
    atMost(
      'scripts with other instructions, or another output, than the bare process',
      work.filter(({ more, isSame }) => more !== 0 || !isSame).length,
      0,
    ),
  ]
}

export function barTable(bars: readonly ContainerBar[]): string[][] {
  const figure = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toFixed(2))
  const body = bars.map(({ title, value, bar, holds }) => [
    title,
    figure(value),
    figure(bar),
    holds ? 'holds' : 'missed',
  ])
  return [['bar', 'measured', 'at most', ''], ...body]
}
