/** What is told of a container (runtime-spec, "State"), as `state` prints it and hooks read it. */
import { readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type OciConfig, readOciConfig } from '@vmexit/container/oci'
import { VmexitError } from '@vmexit/core'
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

/** `config.json` of a bundle. @throws VmexitError `oci-bundle`, `container-config`. */
export function readBundle(bundle: string): OciConfig {
  return readOciConfig(readSmall(join(bundle, 'config.json')))
}

/** Beyond this nobody's document is read. */
const LARGEST = 16 << 20

function readSmall(path: string): Uint8Array {
  try {
    const stats = statSync(path)
    // A FIFO would be waited for, and a device has no end.
    if (!stats.isFile() || stats.size > LARGEST) throw new Error('it is no file of a bundle')
    return readFileSync(path)
  } catch (cause) {
    throw new VmexitError('oci-bundle', {
      problem: `${path} cannot be read (${(cause as Error).message})`,
      remedy: 'give a folder that has one by --bundle; vmexit oci spec makes one',
      cause,
    })
  }
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
