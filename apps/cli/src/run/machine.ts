/** A kernel for containers, as the flags of a machine have it, that keeps pace with this machine. */
import { ContainerHost } from '@vmexit/container'
import { hostOf } from '../run-elf/run.ts'
import type { MachinePart } from './machine-flags.ts'

export function openHost({ engine, ram, seed, time, idle }: MachinePart): ContainerHost {
  return new ContainerHost({
    ...{ engine, memory: ram, seed },
    ...(time !== undefined && { epoch: time }),
    pace: (came) =>
      hostOf(
        { came },
        () => false,
        { idle },
        () => false,
      ),
  })
}
