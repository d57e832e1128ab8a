/** What a container may take and do: limits of its control group, and rights. */
import type { ContainerOptions } from '@vmexit/container'
import { type Command, InvalidArgumentError } from 'commander'
import { collect, number, size, whole } from './flag-values.ts'

/** As commander gives them. */
export interface LimitFlags {
  readonly memory?: string
  readonly pidsLimit?: number
  readonly cpus?: number
  readonly cpuShares?: number
  readonly readOnly?: true
  readonly capDrop?: readonly string[]
  readonly capAdd?: readonly string[]
  /** False by `--no-new-privileges`. */
  readonly newPrivileges: boolean
}

/** As they are kept. */
export interface LimitPart {
  readonly memory?: string
  readonly pids?: number
  readonly cpus?: number
  /** Of its control group. */
  readonly weight?: number
  readonly readOnly: boolean
  readonly capDrop: readonly string[]
  readonly capAdd: readonly string[]
  readonly noNewPrivileges: boolean
}

export function limitFlags(command: Command): Command {
  return command
    .optionsGroup('What it may:')
    .option('-m, --memory <size>', 'memory: bytes, or with K, M, G', size)
    .option('--pids-limit <number>', 'processes and threads', whole)
    .option('--cpus <number>', 'parts of the CPU: 0.5 is every second instruction', number)
    .option(
      '-c, --cpu-shares <number>',
      'its part where others of its kernel want the CPU too; 1024 is the usual one',
      shares,
    )
    .option('--read-only', 'it writes nothing to its root')
    .option('--cap-drop <name>', 'a capability that root has not, or ALL', collect)
    .option('--cap-add <name>', 'a capability that root has beside the usual ones, or ALL', collect)
    .option('--no-new-privileges', 'set-user-ID and the like give nothing')
}

export function limitPart(flags: LimitFlags): LimitPart {
  const { memory, pidsLimit, cpus, cpuShares, readOnly = false, capDrop = [], capAdd = [], newPrivileges } = flags
  return {
    ...(memory !== undefined && { memory }),
    ...(pidsLimit !== undefined && { pids: pidsLimit }),
    ...(cpus !== undefined && { cpus }),
    ...(cpuShares !== undefined && { weight: weightOf(cpuShares) }),
    ...{ readOnly, capDrop, capAdd, noNewPrivileges: !newPrivileges },
  }
}

export function limitOptions(part: LimitPart): Partial<ContainerOptions> {
  const { memory, pids, cpus, weight, readOnly, capDrop, capAdd, noNewPrivileges } = part
  return {
    ...(memory !== undefined && { memory }),
    ...(pids !== undefined && { pids }),
    ...(cpus !== undefined && { cpus }),
    ...(weight !== undefined && { weight }),
    ...{ readOnly, capDrop, capAdd, noNewPrivileges },
  }
}

/** Shares of cgroup v1, of which 1024 are what a weight of 100 is, as systemd converts them. */
function weightOf(shares: number): number {
  return Math.min(10_000, Math.max(1, Math.round((shares * 100) / 1024)))
}

function shares(text: string): number {
  const value = whole(text)
  if (value >= 2 && value <= 262_144) return value
  throw new InvalidArgumentError('It must be a whole number from 2 to 262144.')
}
