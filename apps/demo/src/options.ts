/** The command line. */
import { parseArgs } from 'node:util'
import { VmexitError } from '@vmexit/core'
import type { Engine } from '@vmexit/x86'

export interface Options {
  readonly engines: readonly Engine[]
  readonly json: boolean
  readonly help: boolean
}

const ENGINES: Readonly<Record<string, readonly Engine[]>> = {
  all: ['jit', 'interpreter', 'reference'],
  jit: ['jit'],
  interpreter: ['interpreter'],
  reference: ['reference'],
}

export const HELP = `Runs a small guest on the simulated PC and prints what the hardware counted.

The guest is a C program in 32-bit protected mode: a kernel that turns paging on, and a process in ring 3 that draws,
computes, copies and misbehaves; its pages are given as page faults ask for them. It runs under each engine, and the
counts are compared.

  pnpm demo                          under all engines
  pnpm demo --engine interpreter     under one: jit, interpreter or reference; or all
  pnpm demo --json                   one JSON document instead of text
  pnpm demo --help

Text is set off by escape sequences on a terminal only, and not where NO_COLOR is set. Exit code 1: the engines differ.
`

/** @throws VmexitError `demo-option` for what the command line does not know. */
export function parseOptions(args: readonly string[]): Options {
  const { engine, json, help } = parse(args)
  const engines = Object.hasOwn(ENGINES, engine) ? ENGINES[engine] : undefined
  if (engines === undefined) throw refuse(`there is no engine '${engine}'`, 'say jit, interpreter, reference or all')
  return { engines, json, help }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        engine: { type: 'string', default: 'all' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values
  } catch (cause) {
    throw refuse((cause as Error).message.split('. ')[0]!, 'see --help', cause)
  }
}

function refuse(problem: string, remedy: string, cause?: unknown): VmexitError {
  return new VmexitError('demo-option', { problem, remedy, cause })
}
