/** What filters a container's calls: Docker's `--security-opt`. */
import { readFileSync } from 'node:fs'
import { type ContainerOptions, capabilitiesOf, defaultSeccomp } from '@vmexit/container'
import { readSeccompProfile } from '@vmexit/container/oci'
import { VmexitError } from '@vmexit/core'
import type { OciSeccomp } from '@vmexit/linux'
import type { Command } from 'commander'
import { collect } from './flag-values.ts'
import type { LimitFlags, LimitPart } from './limit-flags.ts'

/** As commander gives them. */
export interface SecurityFlags {
  readonly securityOpt?: readonly string[]
}

/** As they are kept. */
export interface SecurityPart {
  /** In the place of the filter that containers have; `unconfined` is none. */
  readonly seccomp?: OciSeccomp | 'unconfined'
}

export function securityFlags(command: Command): Command {
  return command.option(
    '--security-opt <option>',
    "seccomp=FILE, a profile of Docker's or of an OCI configuration, or unconfined, in the place of the default one; no-new-privileges",
    collect,
  )
}

/** What is kept, and whether new privileges are refused. @throws VmexitError `run-security`, `container-config`. */
export function securityPart({
  securityOpt = [],
  capDrop,
  capAdd,
  newPrivileges,
}: SecurityFlags & LimitFlags): SecurityPart & Pick<LimitPart, 'noNewPrivileges'> {
  let seccomp: SecurityPart['seccomp']
  let noNewPrivileges = !newPrivileges
  for (const option of securityOpt) {
    const [name = '', value = ''] = option.split(/[=:](.*)/s, 2)
    if (name === 'no-new-privileges' && ['', 'true', 'false'].includes(value)) noNewPrivileges ||= value !== 'false'
    else if (name === 'seccomp' && value === 'unconfined') seccomp = value
    else if (name === 'seccomp' && value !== '')
      seccomp = readSeccompProfile(readProfile(value), capabilitiesOf(capDrop, capAdd))
    else {
      process.exitCode = 125
      throw new VmexitError('run-security', {
        problem: `there is no --security-opt ${option}`,
        remedy: 'give seccomp=FILE, seccomp=unconfined or no-new-privileges',
      })
    }
  }
  return { noNewPrivileges, ...(seccomp !== undefined && { seccomp }) }
}

function readProfile(path: string): Uint8Array {
  try {
    return readFileSync(path)
  } catch (cause) {
    throw new VmexitError('run-security', {
      problem: `the seccomp profile cannot be read (${(cause as Error).message})`,
      remedy: 'name a file, or unconfined',
      cause,
    })
  }
}

export function securityOptions({ seccomp, capDrop, capAdd }: SecurityPart & LimitPart): Partial<ContainerOptions> {
  if (seccomp === 'unconfined') return {}
  return { seccomp: seccomp ?? defaultSeccomp(capabilitiesOf(capDrop, capAdd)) }
}
