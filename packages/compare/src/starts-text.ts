/** Starts as text. */
import type { Comparison } from './comparison.ts'
import { whole } from './figures.ts'
import { instructionsOf, type StartPoint } from './start/start.ts'
import { wrapped } from './wrapped.ts'

const LABEL = 18
const WIDTH = 98
const GIB = 2 ** 30
// biome-ignore format: a table
const HEADS: readonly (readonly [first: string, second: string, width: number])[] = [
  ['to the first', 'instruction', 13], ['', 'cycles', 11], ['', 'ms', 9],
  ['to the end', 'of true', 13], ['', 'cycles', 11], ['image', 'KiB', 8], ['RAM', 'KiB', 8], ['in a', 'GiB', 9],
]

/** A line for each technique; none where starts were not measured. */
export function startsText({ starts, techniques, profile }: Comparison): readonly string[] {
  if (starts.length === 0) return []
  const head = [0, 1].map((line) => HEADS.map(([...head]) => String(head[line]).padStart(head[2])).join(''))
  const rows = starts.map(({ technique, first, exit, imageBytes, residentBytes }) => {
    const figures = [
      ...[count(instructionsOf(first)), cyclesOf(first), milliseconds(first, profile.ghz)],
      ...[count(instructionsOf(exit)), cyclesOf(exit)],
      ...[kib(imageBytes), kib(residentBytes), whole(residentBytes === 0 ? 0 : Math.floor(GIB / residentBytes))],
    ]
    const title = techniques.find(({ name }) => name === technique)?.title ?? technique
    return `  ${title}`.padEnd(LABEL) + figures.map((figure, n) => figure.padStart(HEADS[n]![2])).join('')
  })
  return [
    ...wrapped(
      `Starts: instructions and cycles modelled under ${profile.name}, until the first instruction of a program, and until one that does nothing has ended; a process and a container start on a kernel that runs. What is started from; RAM in use then; how many of these are in a GiB. What ports take is among exits, and of the bare machine is not counted.`,
      WIDTH,
      '  ',
    ),
    '',
    ...head.map((line) => `${''.padEnd(LABEL)}${line}`.trimEnd()),
    ...rows,
  ]
}

/** Millions of what is very much. */
const short = (value: number): string => (value < 1e9 ? whole(value) : `${whole(value / 1e6)}M`)
const count = (instructions: number): string => (instructions === 0 ? '·' : short(instructions))
const cyclesOf = ({ cycles }: StartPoint): string => (cycles === undefined ? '–' : short(cycles))
const kib = (bytes: number): string => whole(Math.ceil(bytes / 1024))

function milliseconds({ cycles }: StartPoint, ghz: number | undefined): string {
  if (cycles === undefined || ghz === undefined) return '–'
  const value = cycles / (ghz * 1e6)
  return value < 100 ? value.toFixed(3) : whole(value)
}
