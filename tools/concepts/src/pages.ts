/** What each page of the concepts has from our own runs: a figure, and a table of numbers. */
import type { Comparison } from '@vmexit/compare'
import type { Change, Kept, Seen } from './containers.ts'
import type { Access } from './devices.ts'
import { bars, boxes } from './svg.ts'
import { cell, count, titleOf } from './techniques.ts'

/** All that was run. */
export interface Runs {
  readonly comparison: Comparison
  readonly accesses: readonly Access[]
  readonly seen: readonly Seen[]
  readonly shares: readonly {
    readonly title: string
    readonly seconds: readonly number[]
    readonly labels: readonly string[]
  }[]
  readonly changes: readonly Change[]
  readonly kept: readonly Kept[]
}

/** Of one page. */
export interface Page {
  readonly figure: (runs: Runs) => string
  /** A Markdown table. */
  readonly numbers: (runs: Runs) => string
}

const number = (value: number) => value.toLocaleString('en', { maximumFractionDigits: 2 })
const times = (value: number | undefined) =>
  value === undefined ? 'no price' : `×${value >= 100 ? value.toFixed(0) : value.toFixed(2)}`

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, n) => (n === 0 ? '---' : '--:'))), ...rows.map(line)].join('\n')
}

/** A row for each program, a column for each event. */
function perProgram(
  runs: Runs,
  programs: readonly string[],
  technique: string,
  events: Readonly<Record<string, string>>,
): string {
  return table(
    ['one repetition of', ...Object.values(events), 'cycles to native'],
    programs.map((program) => [
      titleOf(runs.comparison, program),
      ...Object.keys(events).map((event) => number(count(runs.comparison, program, technique, event))),
      times(cell(runs.comparison, program, technique).ratio),
    ]),
  )
}

const some = ['syscall', 'cpuid', 'pgfault', 'ptemod', 'switch', 'fork', 'random', 'integer']

/** By the name of the page's file. */
export const pages: Readonly<Record<string, Page>> = {
  'software-emulation': {
    figure: ({ comparison }) =>
      bars(
        'Instructions of a fork, by who executes them',
        (['software-emulation', 'vtx-shadow', 'vtx-nested'] as const).flatMap((technique) => {
          const all = count(comparison, 'fork', technique, 'instructions')
          const emulated = Math.min(all, count(comparison, 'fork', technique, 'emulated'))
          const title = comparison.techniques.find(({ name }) => name === technique)!.title
          return [
            {
              label: `${title}: the CPU`,
              value: all - emulated,
              words: number(Math.round(all - emulated)),
              colour: 2 as const,
            },
            { label: `${title}: the VMM`, value: emulated, words: number(Math.round(emulated)), colour: 1 as const },
          ]
        }),
      ),
    numbers: (runs) =>
      table(
        ['one repetition of', 'instructions', 'executed by the VMM', 'exits'],
        some.map((program) => [
          titleOf(runs.comparison, program),
          ...['instructions', 'emulated', 'vm-exits'].map((event) =>
            number(Math.round(count(runs.comparison, program, 'software-emulation', event))),
          ),
        ]),
      ),
  },
  'vt-x': {
    figure: ({ comparison }) =>
      bars(
        'Exits in one repetition, under nested paging',
        ['syscall', 'integer', 'ptemod', 'pgfault', 'in', 'cpuid'].map((program) => ({
          label: titleOf(comparison, program),
          value: count(comparison, program, 'vtx-nested', 'vm-exits'),
        })),
        'System calls, page faults and page tables are the guest’s own affair; ports and CPUID are not.',
      ),
    numbers: (runs) =>
      table(
        ['one repetition of', 'exits, nested', 'exits, shadow', 'cycles to native, nested', 'shadow'],
        ['in', ...some].map((program) => [
          titleOf(runs.comparison, program),
          ...['vtx-nested', 'vtx-shadow'].map((technique) =>
            number(count(runs.comparison, program, technique, 'vm-exits')),
          ),
          ...['vtx-nested', 'vtx-shadow'].map((technique) => times(cell(runs.comparison, program, technique).ratio)),
        ]),
      ),
  },
  'shadow-paging': {
    figure: ({ comparison }) =>
      bars(
        'Exits for page tables, in one repetition',
        ['random', 'pgfault', 'ptemod', 'switch', 'fork'].map((program) => ({
          label: titleOf(comparison, program),
          value: count(comparison, program, 'vtx-shadow', 'vm-exits'),
          colour: 1,
        })),
        'A fork writes page tables all the time; random reads never do.',
      ),
    numbers: (runs) =>
      perProgram(runs, some, 'vtx-shadow', {
        'hidden-faults': 'hidden faults',
        'true-faults': 'true faults',
        'traced-writes': 'traced stores',
        'vm-exits': 'exits',
      }),
  },
  'nested-paging': {
    figure: ({ comparison }) =>
      bars(
        'References to memory of one TLB miss, random reads',
        (
          [
            ['native', 'bare machine'],
            ['vtx-shadow', 'shadow paging'],
            ['vtx-nested-2m', 'nested paging, 2 MiB pages'],
            ['vtx-nested', 'nested paging, 4 KiB pages'],
          ] as const
        ).map(([technique, label]) => {
          const value = Math.round((cell(comparison, 'random', technique).walkReferencesPerMiss ?? 0) * 100) / 100
          return { label, value, colour: label.startsWith('nested') ? (1 as const) : (2 as const) }
        }),
      ),
    numbers: (runs) =>
      table(
        ['cycles to native', 'shadow', 'nested, 4 KiB', 'nested, 2 MiB'],
        some.map((program) => [
          titleOf(runs.comparison, program),
          ...['vtx-shadow', 'vtx-nested', 'vtx-nested-2m'].map((technique) =>
            times(cell(runs.comparison, program, technique).ratio),
          ),
        ]),
      ),
  },
  'emulated-devices': {
    figure: ({ accesses }) =>
      bars(
        'Exits of one access to a device',
        accesses.slice(0, -1).map(({ title, exits }) => ({ label: title, value: exits, colour: 1 })),
        `512 bytes by a string instruction: ${accesses.at(-1)!.exits} exits.`,
      ),
    numbers: ({ accesses }) =>
      table(
        ['access', 'exits', 'executed by the VMM', 'reason'],
        accesses.map(({ title, exits, emulated, reason }) => [title, String(exits), String(emulated), reason]),
      ),
  },
  namespaces: {
    figure: ({ seen }) =>
      boxes('Two containers on one kernel', [
        {
          title: 'one kernel, one CPU, one memory',
          boxes: seen.map(({ hostname, processes, group, networks }, n) => ({
            title: `host ${hostname}`,
            lines: [`processes ${processes}`, `its group: ${group}`, `networks: ${networks}`],
            colour: n === 0 ? (2 as const) : (1 as const),
          })),
        },
      ]),
    numbers: ({ seen }) =>
      table(
        ['what a program finds', ...seen.map(({ name }) => `in ${name}`)],
        [
          ['/proc/sys/kernel/hostname', ...seen.map(({ hostname }) => hostname)],
          ['processes in /proc', ...seen.map(({ processes }) => processes)],
          ['/proc/self/cgroup', ...seen.map(({ group }) => group)],
          ['/proc/net/dev', ...seen.map(({ networks }) => networks)],
        ],
      ),
  },
  cgroups: {
    figure: ({ shares }) =>
      bars(
        'Ten seconds of one CPU',
        shares.flatMap(({ title, seconds, labels }) =>
          seconds.map((value, n) => ({
            label: `${title}: ${labels[n]}`,
            value,
            words: `${value} s`,
            colour: (n % 4) as 0 | 1 | 2 | 3,
          })),
        ),
      ),
    numbers: ({ shares }) =>
      table(
        ['groups', 'CPU time'],
        shares.map(({ title, seconds, labels }) => [
          title,
          seconds.map((value, n) => `${labels[n]}: ${value} s`).join(', '),
        ]),
      ),
  },
  overlay: {
    figure: ({ changes }) =>
      bars(
        'Bytes that a change puts into the upper layer',
        changes.map(({ title, bytes }) => ({ label: title, value: bytes, words: number(bytes), colour: 3 })),
        'Below lie a file of 1 MiB, a small one, and a directory.',
      ),
    numbers: ({ changes }) =>
      table(
        ['change', 'bytes in the upper layer', 'what lies there'],
        changes.map(({ title, bytes, names }) => [title, number(bytes), names]),
      ),
  },
  images: {
    figure: ({ kept }) =>
      bars(
        'What the store keeps, in bytes',
        kept.map(({ bytes }, n) => ({
          label: ['the base', 'and one image on it', 'and another'][n]!,
          value: bytes,
          words: number(bytes),
          colour: 0,
        })),
      ),
    numbers: ({ kept }) =>
      table(
        ['after', 'bytes in the store', 'more than before'],
        kept.map(({ title, bytes }, n) => [title, number(bytes), number(bytes - (kept[n - 1]?.bytes ?? 0))]),
      ),
  },
}
