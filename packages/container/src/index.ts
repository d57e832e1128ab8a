/**
 * `@vmexit/container`: containers of OCI images on a kernel in TypeScript.
 *
 * @packageDocumentation
 */
export { type CapabilityName, capabilitiesOf } from './capabilities.ts'
export type { FileChange } from './changes.ts'
export {
  Container,
  type ContainerOptions,
  type ContainerUsage,
  createContainer,
  type ExecOptions,
  type ExecResult,
} from './container.ts'
export type { ContainerErrorCode } from './errors.ts'
export type { ContainerAction, ContainerEvent, ContainerListener } from './events.ts'
export type { ExitStatus, SignalName } from './exit-status.ts'
export { ContainerFiles, type FileStat, openFiles } from './files.ts'
export type { Limits } from './group.ts'
export { ContainerHost, type ContainerHostOptions } from './host.ts'
export type { Archive } from './layer.ts'
export type { ContainerMount, TmpFsMount, VolumeMount } from './mounts.ts'
export {
  ContainerNetwork,
  createNetwork,
  type Exposure,
  type Joining,
  type NetworkOptions,
} from './network.ts'
export { type Card, type MemberOptions, NetworkMember } from './network-member.ts'
export type { NetworkOfContainer } from './network-of-container.ts'
export type {
  NetworkDenial,
  OpenOutside,
  Outside,
  OutsideOfContainer,
  OutsideOptions,
  Publication,
  PublishedPort,
} from './network-outside.ts'
export type { Uplink } from './network-uplink.ts'
export { ContainerProcess, type TerminalSize } from './process.ts'
export type { ProcessEntry } from './processes.ts'
export type { ProgramOptions } from './program.ts'
export { defaultSeccomp } from './seccomp.ts'
