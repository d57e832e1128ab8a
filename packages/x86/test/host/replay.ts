/** Replays host vectors. */

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { brotliDecompressSync } from 'node:zlib'
import type { EngineChoice } from '../../src/index.ts'
import { decodeSequence, type Step } from './code.ts'
import { compare } from './compare.ts'
import { applyRegisters, initialPage, Reader } from './format.ts'
import { createUserState, fillState, type UserState } from './input.ts'
import { HostMachine } from './machine.ts'
import { maskOf } from './masks.ts'

export type Kind = 'single' | 'sequence'

export interface Replay {
  /** In the file, and replayed of those. */
  readonly vectors: number
  readonly replayed: number
  readonly failures: readonly string[]
  /** The machine that ran them. */
  readonly machine: HostMachine
  /** By rule: how many vectors it masks something of. */
  readonly rules: Readonly<Record<string, number>>
}

const copyState = (from: UserState): UserState => ({ gpr: from.gpr.slice(), flags: from.flags, fx: from.fx.slice() })

const machines = new Map<EngineChoice, Partial<Record<16 | 32 | 64, HostMachine>>>()
/** Handlers that were generated for one file serve the next. */
function machineOf(engine: EngineChoice, bits: 16 | 32 | 64): HostMachine {
  const known = machines.get(engine) ?? {}
  machines.set(engine, known)
  return (known[bits] ??= new HostMachine(engine, bits))
}

/** Replay the vectors of a file on an engine. `each` is told of every vector's instructions; `every`: of so many, one. */
export function replay(
  kind: Kind,
  bits: 16 | 32 | 64,
  engine: EngineChoice,
  each: (steps: readonly Step[]) => void = () => {},
  every = 1,
): Replay {
  const file = fileURLToPath(new URL(`../../vectors/host/${kind}-${bits}.bin.br`, import.meta.url))
  const reader = new Reader(brotliDecompressSync(readFileSync(file)), bits === 64 ? 8 : 4)
  const machine = machineOf(engine, bits)
  const rules: Record<string, number> = {}
  const failures: string[] = []
  const before = createUserState()
  let vectors = 0
  let replayed = 0
  while (reader.more) {
    const sequence = reader.sequence()
    fillState(sequence.seed, before, bits)
    applyRegisters(sequence, before)
    const outcome = reader.outcome(copyState(before))
    if (vectors++ % every !== 0) continue
    replayed++
    const steps = decodeSequence(sequence.code, bits)
    each(steps)
    const page = initialPage(sequence)
    const state = copyState(before)
    const { vector, ip } = machine.run(sequence.code, page, state)
    const mask = maskOf(steps, outcome.ip, bits, before, outcome.state)
    for (const rule of mask.rules) rules[rule] = (rules[rule] ?? 0) + 1
    const found = compare(outcome, { vector, ip, state, page: machine.page() }, mask, steps, before, page, bits)
    if (found.length > 0) {
      const code = Buffer.from(sequence.code).toString('hex')
      failures.push(
        `${vectors - 1} [${code}] ${steps.map(({ insn }) => insn.op).join(' ')}, seed ${sequence.seed >>> 0}: ${found.join('; ')}`,
      )
    }
  }
  return { vectors, replayed, failures, rules, machine }
}
