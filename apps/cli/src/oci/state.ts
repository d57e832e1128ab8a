/** What is told of a container (runtime-spec, "State"), as `state` prints it and hooks read it. */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type OciConfig, readOciConfig } from '@vmexit/container/oci'
import type { ContainerFolder, Phase } from './directory.ts'

/** The version of the specification that is followed. */
export const OCI_VERSION = '1.2.0'

/** The state of a container. */
export interface OciState {
  readonly ociVersion: string
  readonly id: string
  readonly status: Phase
  /** The host process; 0 where there is none. */
  readonly pid: number
  readonly bundle: string
  readonly annotations: Readonly<Record<string, string>>
}

/** `config.json` of a bundle. @throws VmexitError `container-config`. */
export function readBundle(bundle: string): OciConfig {
  return readOciConfig(readFileSync(join(bundle, 'config.json')))
}

/** The folder of its root. */
export function rootOf(bundle: string, { root }: OciConfig): string {
  return resolve(bundle, root.path)
}

export function stateOf(
  folder: ContainerFolder,
  config: OciConfig | undefined,
  status: Phase = folder.phase,
): OciState {
  const { id, bundle } = folder.creation
  const pid = status === 'stopped' ? 0 : (folder.pid ?? 0)
  return { ociVersion: OCI_VERSION, id, status, pid, bundle, annotations: config?.annotations ?? {} }
}

/** What `state` prints: what runc adds is added. */
export function printedState(folder: ContainerFolder): object {
  const { bundle, created } = folder.creation
  const config = readIfThere(bundle)
  const rootfs = config === undefined ? undefined : rootOf(bundle, config)
  return { ...stateOf(folder, config), ...(rootfs !== undefined && { rootfs }), created }
}

/** Whoever made a bundle may have deleted it. */
function readIfThere(bundle: string): OciConfig | undefined {
  try {
    return readBundle(bundle)
  } catch {
    return undefined
  }
}
