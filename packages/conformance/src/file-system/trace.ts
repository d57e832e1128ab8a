/**
 * Traces of pjdfstest, the POSIX file system test suite: what each call of its program was given, and what it said on a
 * real kernel. One JSON object per line: `t`, the test file; `cwd`; `args`, the program's arguments; `out`, what it printed.
 * The program's umask is 0 unless an argument says otherwise, whatever the shell's was.
 */

/** One operation of a call: `open a O_RDWR : write 0 x` are two. */
export type TraceOperation = readonly [name: string, ...parameters: string[]]

/** One call of the program. */
export interface TraceCall {
  /** The test file that it belongs to: `chmod/00.t`. */
  readonly test: string
  readonly cwd: string
  readonly umask: number
  /** Who calls; without a group those of root. */
  readonly uid: number
  readonly groups: readonly number[]
  readonly operations: readonly TraceOperation[]
  /** What was printed, a line per operation up to the first that failed: `0`, the name of an error, fields of stat. */
  readonly output: readonly string[]
}

interface TraceLine {
  readonly t: string
  readonly cwd: string
  readonly args: readonly string[]
  readonly out: string
}

/** Reads a trace of JSON lines. */
export function readPjdfstestTrace(text: string): TraceCall[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => readCall(JSON.parse(line) as TraceLine))
}

function readCall({ t, cwd, args, out }: TraceLine): TraceCall {
  let [uid, umask] = [0, 0]
  let groups: readonly number[] = [0]
  let at = 0
  for (; args[at]?.startsWith('-'); at++) {
    const option = args[at]
    if (option === '--') {
      at++
      break
    }
    const value = args[++at]!
    if (option === '-u') uid = Number(value)
    else if (option === '-g') groups = value.split(',').map(Number)
    else umask = Number.parseInt(value, 8)
  }
  const operations: string[][] = [[]]
  for (const argument of args.slice(at)) {
    if (argument === ':') operations.push([])
    else operations.at(-1)!.push(argument)
  }
  const output = out === '' ? [] : out.split('\n')
  return { test: t, cwd, umask, uid, groups, operations: operations as unknown as TraceOperation[], output }
}
