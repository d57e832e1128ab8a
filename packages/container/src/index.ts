/**
 * `@vmexit/container`: containers of OCI images on a kernel in TypeScript.
 *
 * @packageDocumentation
 */
export type { CapabilityName } from './capabilities.ts'
export {
  Container,
  type ContainerOptions,
  createContainer,
  type ExecOptions,
  type ExecResult,
} from './container.ts'
export type { ContainerErrorCode } from './errors.ts'
export type { Limits } from './group.ts'
export { ContainerHost, type ContainerHostOptions } from './host.ts'
export { ContainerProcess, type ExitStatus, type SignalName, type TerminalSize } from './process.ts'
export type { ProgramOptions } from './program.ts'
