/** The files of the CPU controller ("Control Group v2", *CPU Interface Files*). `cpu.stat` is there without it, too. */
import type { StateValue } from '@vmexit/core'
import { type ControlFile, type Controller, take } from '../controller.ts'
import { Errno } from '../errno.ts'
import { MAX, parseSigned, parseUnsigned, strip, words } from '../text.ts'
import { CpuAccount, niceWeights } from './account.ts'
import type { BandwidthState } from './bandwidth.ts'

const MICROSECOND = 1000
/** A quota and a period are at least a millisecond, a period at most a second; in microseconds. */
const LEAST = 1000
const LONGEST_PERIOD = 1_000_000
const LARGEST_QUOTA = 2 ** 44 - 1

const files: readonly ControlFile<CpuAccount>[] = [
  {
    name: 'cpu.max',
    where: 'below-root',
    read: ({ bandwidth: { limited, quota, period } }) =>
      `${limited ? quota / MICROSECOND : MAX} ${period / MICROSECOND}\n`,
    write: writeMax,
  },
  {
    name: 'cpu.max.burst',
    where: 'below-root',
    read: ({ bandwidth }) => `${bandwidth.burst / MICROSECOND}\n`,
    write: (cpu, text) => take(parseUnsigned(strip(text)), (burst) => setBurst(cpu, burst * MICROSECOND)),
  },
  {
    name: 'cpu.stat.local',
    where: 'everywhere',
    read: (cpu) => `throttled_usec ${microseconds(cpu.bandwidth.throttledTime(cpu.now))}\n`,
  },
  {
    name: 'cpu.weight',
    where: 'below-root',
    read: ({ weight }) => `${weight}\n`,
    write: (cpu, text) =>
      take(parseUnsigned(strip(text)), (weight) => {
        if (weight < 1 || weight > 10000) return -Errno.ERANGE
        cpu.weight = weight
        return 0
      }),
  },
  {
    name: 'cpu.weight.nice',
    where: 'below-root',
    read: ({ weight }) => `${nearestNice(weight)}\n`,
    write: (cpu, text) =>
      take(parseSigned(strip(text), 64), (nice) => {
        if (nice < -20 || nice > 19) return -Errno.ERANGE
        cpu.weight = Math.max(1, Math.round((niceWeights[nice + 20]! * 100) / 1024))
        return 0
      }),
  },
]

/** `QUOTA`, `max`, or either with a period. What comes after the first two words, or is no number, is not looked at. */
function writeMax(cpu: CpuAccount, text: string): number {
  const { bandwidth } = cpu
  const [first = '', second = ''] = words(text)
  const quota = first === MAX ? Number.POSITIVE_INFINITY : leadingNumber(first)
  const period = leadingNumber(second) ?? bandwidth.period / MICROSECOND
  if (quota === undefined || quota < LEAST || (first !== MAX && quota > LARGEST_QUOTA)) return -Errno.EINVAL
  if (period < LEAST || period > LONGEST_PERIOD) return -Errno.EINVAL
  if (bandwidth.burst > quota * MICROSECOND) return -Errno.EINVAL
  cpu.setBandwidth(quota * MICROSECOND, period * MICROSECOND, bandwidth.burst)
  return 0
}

function setBurst(cpu: CpuAccount, burst: number): number {
  const { quota, period } = cpu.bandwidth
  if (burst > LARGEST_QUOTA * MICROSECOND || burst > quota) return -Errno.EINVAL
  cpu.setBandwidth(quota, period, burst)
  return 0
}

function leadingNumber(word: string): number | undefined {
  const digits = /^\d+/.exec(word.slice(0, 20))
  return digits === null ? undefined : Number(digits[0])
}

/** The first nice value from −20 on, after which the weights only become more different. */
function nearestNice(weight: number): number {
  const wanted = (weight * 1024) / 100
  const away = (at: number): number => Math.abs(niceWeights[at]! - wanted)
  let at = 0
  while (at < 39 && away(at + 1) < away(at)) at++
  return at - 20
}

const microseconds = (nanoseconds: number): number => Math.floor(nanoseconds / MICROSECOND)

/** The lines that the controller adds to `cpu.stat`. */
export function formatBandwidth({ bandwidth, now }: CpuAccount): string {
  const { periods, throttled, bursts, burstTime } = bandwidth.stat
  const time = `throttled_usec ${microseconds(bandwidth.throttledTime(now))}\n`
  const burst = `nr_bursts ${bursts}\nburst_usec ${microseconds(burstTime)}\n`
  return `nr_periods ${periods}\nnr_throttled ${throttled}\n${time}${burst}`
}

type CpuState = {
  readonly weight: number
  readonly vruntime: number
  readonly floor: number
  readonly bandwidth: BandwidthState
}

/** The CPU controller. */
export const cpuController: Controller<CpuAccount> = {
  name: 'cpu',
  create: (id, group, parent, shared) => new CpuAccount(id, group, parent, shared),
  files,
  save: ({ weight, vruntime, queue: { floor }, bandwidth }): CpuState => ({
    ...{ weight, vruntime, floor, bandwidth: bandwidth.save() },
  }),
  restore(cpu, saved: StateValue) {
    const state = saved as CpuState
    cpu.weight = state.weight
    cpu.vruntime = state.vruntime
    cpu.queue.floor = state.floor
    cpu.bandwidth.restore(state.bandwidth)
  },
}
