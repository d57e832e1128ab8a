/** Containers among the instances, and what goes wrong with one that is to be dealt with. */
import type { ContainerErrorCode } from '@vmexit/container'
import { isVmexitError, VmexitError } from '@vmexit/core'
import { notRunning, silent } from '../hosted/errors.ts'
import { type Found, StateDirectory } from '../hosted/state-directory.ts'
import { type Answering, answers, isAlive, statusOf } from '../hosted/status.ts'
import type { ContainerSpec } from './spec.ts'

/** What is wrong with the container itself, as Docker has it. */
const FAILED = 125
const CODES: Partial<Record<ContainerErrorCode, number>> = {
  'container-program': 126,
  'container-program-missing': 127,
}

/** The exit code of an error before a program runs. */
export function codeOfError(error: unknown): number {
  return isVmexitError(error) ? (CODES[error.code as ContainerErrorCode] ?? FAILED) : FAILED
}

/** A container, and what it is to be. Throws a {@link VmexitError} `no-container` for others. */
export function containerNamed(word: string): Found & { readonly spec: ContainerSpec } {
  return asContainer(new StateDirectory().find(word))
}

export function asContainer(found: Found): Found & { readonly spec: ContainerSpec } {
  const { name, kind, what, options } = found.instance
  if (kind === 'container') return { ...found, spec: options as ContainerSpec }
  throw new VmexitError('no-container', {
    problem: `${name} is no container, but ${what}`,
    remedy: 'take one of `vmexit ps -a --filter kind=container`',
  })
}

/** The ID of the image that a container is of. */
export function imageIdOf({ instance: { kind, options } }: Found): string | undefined {
  return kind === 'container' ? (options as ContainerSpec | undefined)?.image?.id : undefined
}

/** That it runs and answers. Throws a {@link VmexitError} `not-running` or `silent`. */
export async function running(found: Found): Promise<Answering> {
  const status = await statusOf(found)
  if (answers(status)) return status
  throw isAlive(status) ? silent(found, status) : notRunning(found, status)
}
