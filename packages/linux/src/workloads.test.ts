/** The workload programs as bare processes: what they print elsewhere, and the same counts on every engine. */
import { programs, readProgram } from '@vmexit/guests'
import { describe, expect, it } from 'vitest'
import { ENGINES, run } from '../test/run.ts'

/** Repetitions where the default would keep the reference engine for long. */
const FEWER: Readonly<Record<string, number>> = {
  callret: 2000,
  random: 2000,
  integer: 20,
  float: 20,
  copy: 4,
  cpuid: 1000,
  in: 1000,
}

describe.each(programs)('$name', ({ name, checksum }) => {
  const files = { '/bin/program': readProgram(name) }

  it('prints the checksum that it prints on every kernel', () => {
    const { output, status, wrong } = run({ files, args: ['/bin/program'], engine: 'jit' })
    expect(output).toContain(checksum)
    expect(status).toBe(0)
    expect(wrong).toEqual([])
  }, 60_000)

  it('does and counts the same on every engine, and however its run is cut into slices', () => {
    const args = ['/bin/program', ...(FEWER[name] === undefined ? [] : [String(FEWER[name])])]
    const runs = [
      ...ENGINES.map((engine) => run({ files, args, engine })),
      run({ files, args, engine: 'jit', slice: 997 }),
    ]
    const facts = runs.map(({ output, status, retired, counts, calls, kernel }) => ({
      output,
      status,
      retired,
      counts,
      calls,
      walks: { ...kernel.cpu.paging.mmu.counts },
    }))
    for (const fact of facts.slice(1)) expect(fact).toEqual(facts[0])
    for (const { wrong } of runs) expect(wrong).toEqual([])
  }, 120_000)
})
