/** What the looks at memory say, as a verdict and as a table. */
import type { Table } from '../tables.ts'

/** A look at the process. Bytes. */
export interface Look {
  /** Instructions since the guest executed its first programs. */
  readonly instructions: number
  /** Programs that it has executed. */
  readonly programs: number
  /** Resident memory as it is found, with garbage that nobody has collected yet. */
  readonly rss: number
  /** Resident memory after garbage was collected. */
  readonly settled: number
  /** JavaScript's heap, then. */
  readonly heapUsed: number
  /** What belongs to it but lies outside, then: WebAssembly's memories, buffers. */
  readonly external: number
  /** What the engine has generated so far, by the name of the count. */
  readonly generated: Readonly<Record<string, number>>
}

/** Growth over the level after the first tenth that is still steady. */
const TOLERANCE = 0.05

export interface Verdict {
  /** The most that was resident later, over the level after the first tenth, less 1; and the same without garbage. */
  readonly growth: number
  readonly settled: number
  readonly holds: boolean
}

/**
 * Less is no leak: what counts is the most. Judged is what is left without garbage. With it, 10¹¹ instructions under the
 * interpreter were seen to rise by 12.8 % in one step, while what is left stayed within 0.6 %.
 */
export function judgeMemory(looks: readonly Look[]): Verdict {
  const growthOf = ([first, ...later]: readonly number[]): number => Math.max(...later) / first! - 1
  const growth = growthOf(looks.map(({ rss }) => rss))
  const settled = growthOf(looks.map((look) => look.settled))
  return { growth, settled, holds: settled <= TOLERANCE }
}

export function memoryTable(looks: readonly Look[]): Table {
  const counts = Object.keys(looks[0]!.generated)
  const line = ({ instructions, programs, rss, settled, heapUsed, external, generated }: Look): string[] => [
    (instructions / 1e9).toFixed(1),
    `${programs}`,
    mebibytes(rss),
    percent(rss / looks[0]!.rss - 1),
    mebibytes(settled),
    percent(settled / looks[0]!.settled - 1),
    mebibytes(heapUsed),
    mebibytes(external),
    ...counts.map((count) => `${generated[count]}`),
  ]
  const generated = counts.map((count) => `generated ${count}`)
  const resident = ['resident MiB', 'growth', 'collected MiB', 'growth']
  const head = ['10⁹ instr.', 'programs', ...resident, 'heap MiB', 'external MiB', ...generated]
  return [head, ...looks.map(line)]
}

/** The verdict in a sentence. */
export function verdictLine({ growth, settled, holds }: Verdict): string {
  const held = `Without garbage at most ${percent(settled)} over the level after the first tenth is resident`
  return `${held}: ${holds ? 'it holds' : 'it does NOT hold'} (5 %). With garbage it is ${percent(growth)}.`
}

const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(1)
const percent = (share: number): string => `${share < 0 ? '' : '+'}${(share * 100).toFixed(1)} %`
