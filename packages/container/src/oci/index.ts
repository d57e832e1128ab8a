/**
 * `@vmexit/container/oci`: containers of OCI bundles.
 *
 * @packageDocumentation
 */
export {
  HOOK_TIMES,
  type HookTime,
  type OciCapabilities,
  type OciConfig,
  type OciCpu,
  type OciDevice,
  type OciDeviceRule,
  type OciHook,
  type OciHooks,
  type OciIdMapping,
  type OciLinux,
  type OciMemory,
  type OciMount,
  type OciNamespace,
  type OciProcess,
  type OciResources,
  type OciRlimit,
  type OciSeccompArgument,
  type OciSeccompProfile,
  type OciSeccompRule,
  type OciTimeOffset,
  type OciUser,
  readOciConfig,
  readOciProcess,
} from './config.ts'
export type { HostPlace, OciMountContext } from './mounts.ts'
export { OciContainer, type OciContainerOptions } from './oci-container.ts'
export { HOST_HOOKS } from './refusals.ts'
export { readSeccompProfile } from './seccomp-profile.ts'
