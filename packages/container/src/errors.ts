/** Errors of containers. */
import { VmexitError } from '@vmexit/core'

/**
 * `container-options`: what was asked for makes no sense; `container-image`: the image cannot be run; `container-user`: it has no
 * such user; `container-program-missing`: the program is not there; `container-program`: it cannot be executed; `container-ended`: it has ended;
 * `container-layer`: what it has changed cannot be brought back; `container-file`: it has no such file;
 * `container-switch`: a switch of another process refuses it; `container-switch-gone`: there is none.
 */
export type ContainerErrorCode =
  `container-${'options' | 'image' | 'user' | 'program' | 'program-missing' | 'ended' | 'layer' | 'file' | 'switch' | 'switch-gone'}`

export function containerError(
  kind: ContainerErrorCode extends `container-${infer Kind}` ? Kind : never,
  problem: string,
  remedy: string,
): never {
  throw new VmexitError<ContainerErrorCode>(`container-${kind}`, { problem, remedy })
}
