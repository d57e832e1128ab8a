/** `vmexit explain`: one event of a workload under one technique, step by step. */
import { type CostProfile, VmexitError } from '@vmexit/core'
import type { StartRequest, Technique } from '../technique.ts'
import type { Workload } from '../workload.ts'
import { type EventKind, type Explanation, Steps } from './explanation.ts'

/** What is to be explained. */
export interface ExplainOptions extends Pick<StartRequest, 'kernel'>, Partial<Omit<StartRequest, 'kernel'>> {
  readonly workload: Workload
  readonly technique: Technique
  readonly profile: CostProfile
  /** What the workload is there for, unless stated. */
  readonly what?: EventKind | undefined
}

/** What workloads are there for; all others make system calls. */
const TELLING: Readonly<Record<string, EventKind>> = {
  pgfault: 'fault',
  mmap: 'fault',
  random: 'fault',
  ptemod: 'pte-write',
  fork: 'pte-write',
  in: 'io',
}

/** Traces one event. @throws VmexitError `explain-event` where there is none, `explain-technique`, and what techniques throw. */
export async function explainEvent(options: ExplainOptions): Promise<Explanation> {
  const { workload, technique, profile, kernel, engine, signal, what = TELLING[workload.name] ?? 'syscall' } = options
  if (technique.explain === undefined || technique.refuses?.(kernel) !== undefined) {
    throw new VmexitError('explain-technique', {
      problem: `an event under ${technique.name} cannot be explained`,
      remedy: 'name another technique: those of a guest, process, or container',
    })
  }
  const steps = new Steps(technique, kernel.name, profile)
  await technique.explain({ kernel, engine, signal, workload, what }, steps)
  return {
    ...{
      version: 1,
      workload: workload.name,
      technique: technique.name,
      kernel: kernel.name,
      profile: profile.name,
      what,
    },
    steps: steps.all,
    ...steps.total(),
  }
}
