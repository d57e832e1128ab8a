/** What a kernel does for programs: the programs of `@vmexit/guests`, on our kernel and on Debian's in a PC. */
import { VmexitError } from '@vmexit/core'
import { type Marker, MarkerReader, type ProgramName, readProgram, workloadInitramfs } from '@vmexit/guests'
import { createKernel, HostOutput, populate } from '@vmexit/linux'
import { createPc } from '@vmexit/vmexit'
import { load } from '../boot/guest.ts'
import { processorTime } from '../boot/process.ts'
import { type FileTree, treeIn } from './tree.ts'
import { awaitTurn } from './turns.ts'

/** A row: a program that does its work three times as often as `count` says. */
export interface CallRow {
  readonly program: ProgramName
  readonly title: string
  readonly count: number
}

/** So often that what is compiled meanwhile is little of the whole. */
export const CALL_ROWS: readonly CallRow[] = [
  { program: 'syscall', title: 'a system call that does nothing', count: 1_000_000 },
  { program: 'switch', title: 'a round trip through two pipes', count: 10_000 },
  { program: 'fork', title: 'fork, exit, wait', count: 1000 },
  { program: 'exec', title: 'fork, exec, exit, wait', count: 500 },
  { program: 'files', title: 'a file created, written, read, removed', count: 5000 },
]

/** Microseconds of processor time for each repetition, by program. */
export type CallTimes = Readonly<Record<string, number>>

/** On our kernel, each program on one of its own. */
export function measureCallsHere(): CallTimes {
  const stopwatch = new Stopwatch()
  for (const { program, count } of CALL_ROWS) {
    const kernel = createKernel({ memory: '128 MiB' })
    populate(kernel)
    const path = `/${program}`
    const tree: FileTree = treeIn(kernel)
    tree.file(path, readProgram(program), 0o755)
    const output = new HostOutput(kernel, (bytes) => stopwatch.feed(bytes))
    kernel.spawn({ path, args: [path, String(count)], files: [undefined, output, output] })
    kernel.runToEnd()
  }
  return stopwatch.times()
}

/** On Debian's kernel in a PC, one after the other. */
export async function measureCallsInPc(kernel: string): Promise<CallTimes> {
  const stopwatch = new Stopwatch()
  const runs = CALL_ROWS.map(({ program, count }) => `${program}:${count}`)
  await using pc = await createPc({
    memory: '256 MiB',
    display: 'none',
    engine: 'jit',
    kernel: load(kernel),
    initrd: workloadInitramfs(),
    append: `console=ttyS0 quiet panic=-1 mitigations=off cryptomgr.notests -- ${runs.join(' ')}`,
  })
  pc.console.onOutput((bytes) => stopwatch.feed(bytes))
  await pc.run({ onReset: 'stop' })
  return stopwatch.times()
}

/** Takes the processor time at the first and the last marker of each program, which begins when it is its turn. */
class Stopwatch {
  readonly #began = new Map<string, number>()
  readonly #micros = new Map<string, number>()
  readonly #reader = new MarkerReader((marker) => this.#take(marker))

  feed(bytes: Uint8Array): void {
    this.#reader.feed(bytes)
  }

  #take(marker: Marker): void {
    if (marker.kind === 'begin') {
      awaitTurn()
      this.#began.set(marker.program, processorTime())
    }
    if (marker.kind === 'end')
      this.#micros.set(marker.program, (processorTime() - this.#began.get(marker.program)!) * 1000)
  }

  /** @throws VmexitError `bench-guest` if a program has not come to its end. */
  times(): CallTimes {
    return Object.fromEntries(
      CALL_ROWS.map(({ program, count }) => {
        const micros = this.#micros.get(program)
        if (micros !== undefined) return [program, micros / (3 * count)]
        throw new VmexitError('bench-guest', {
          problem: `the program ${program} did not come to its end`,
          remedy: "take Debian's kernel, linux-image-686, as apps/bench/README.md says",
        })
      }),
    )
  }
}
