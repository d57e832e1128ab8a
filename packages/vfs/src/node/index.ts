/// <reference types="node" />
/**
 * `@vmexit/vfs/node`: directories of the host.
 *
 * @packageDocumentation
 */

export { type HostDirectory, type HostDirectoryOptions, hostDirectory } from './host-directory.ts'
export { type HostVolume, type HostVolumeOptions, hostVolume } from './host-volume.ts'
