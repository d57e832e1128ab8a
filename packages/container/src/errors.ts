/** Errors of containers. */
import { VmexitError } from '@vmexit/core'

/**
 * `container-options`: what was asked for makes no sense; `container-image`: the image cannot be run; `container-user`: it has no
 * such user; `container-program-missing`: the program is not there; `container-program`: it cannot be executed; `container-ended`: it has ended;
 * `container-layer`: what it has changed cannot be brought back; `container-file`: it has no such file; `container-switch`: a switch of another
 * process refuses it; `container-switch-gone`: there is none. Of an OCI bundle, `container-config`: its configuration is not one;
 * `container-unsupported`: it asks for what cannot be had here; `container-hooks`: it runs programs of the host, which was not allowed.
 */
export type ContainerErrorCode =
  | `container-${'options' | 'image' | 'user' | 'program' | 'program-missing' | 'ended' | 'layer' | 'file'}`
  | `container-${'switch' | 'switch-gone' | 'config' | 'unsupported' | 'hooks'}`

type Kind = ContainerErrorCode extends `container-${infer Name}` ? Name : never

export function containerError(kind: Kind, problem: string, remedy: string): never {
  throw new VmexitError<ContainerErrorCode>(`container-${kind}`, { problem, remedy })
}
