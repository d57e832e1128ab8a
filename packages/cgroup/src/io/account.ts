/**
 * The I/O controller ("Control Group v2", *IO*): rates of bytes and requests per device. Each rate is a queue in virtual
 * time: a request may go when those before it, at this rate, are through; a group's requests obey all groups above it.
 */
import { Account } from '../account.ts'
import type { Shared } from '../controller.ts'

/** The rates of `io.max`, in the order of its lines. */
export const rateNames = ['rbps', 'wbps', 'riops', 'wiops'] as const

/** One of {@link rateNames}. */
export type RateName = (typeof rateNames)[number]

/** The figures of `io.stat`, in the order of its lines. */
export const ioStatNames = ['rbytes', 'wbytes', 'rios', 'wios', 'dbytes', 'dios'] as const

/** Figures of one device. */
export type IoStat = Record<(typeof ioStatNames)[number], number>

/** What a request does. */
export type IoOperation = 'read' | 'write' | 'discard'

/** What the controller knows of the machine. */
export interface IoNeeds extends Shared {
  /** Whether there is such a block device: `8:0`. */
  hasDevice(device: string): boolean
}

/** A group's share of one device. */
export class DeviceShare {
  /** Per second; Infinity for no limit. */
  readonly rates: Record<RateName, number> = { rbps: Infinity, wbps: Infinity, riops: Infinity, wiops: Infinity }
  /** When the next request may go by each rate, in nanoseconds. */
  readonly free: Record<RateName, number> = { rbps: 0, wbps: 0, riops: 0, wiops: 0 }
  readonly stat: IoStat = { rbytes: 0, wbytes: 0, rios: 0, wios: 0, dbytes: 0, dios: 0 }
  /** Undefined for the group's. */
  weight: number | undefined

  get limited(): boolean {
    return rateNames.some((rate) => this.rates[rate] !== Number.POSITIVE_INFINITY)
  }
}

/** I/O of one group and of all below it. */
export class IoAccount extends Account<IoAccount, IoNeeds> {
  /** By device, `8:0`. */
  readonly devices: Map<string, DeviceShare> = new Map()
  /** `io.weight`, 1 to 10000. */
  weight = 100

  /** Counts a request and answers for how many nanoseconds it has to wait; 0: it may go. */
  charge(device: string, operation: IoOperation, bytes: number): number {
    if (this.removed) return this.living.charge(device, operation, bytes)
    const now = this.shared.now()
    let go = now
    for (let account: IoAccount | null = this; account !== null; account = account.parent) {
      const share = account.share(device)
      count(share.stat, operation, bytes)
      if (operation === 'discard') continue
      const [bps, iops] = operation === 'read' ? (['rbps', 'riops'] as const) : (['wbps', 'wiops'] as const)
      go = Math.max(go, queued(share, bps, bytes, now), queued(share, iops, 1, now))
    }
    return Math.ceil(go - now)
  }

  /** Weight of the group's requests to a device against those of its siblings. */
  weightFor(device: string): number {
    return this.devices.get(device)?.weight ?? this.weight
  }

  /** The group's share of a device. */
  share(device: string): DeviceShare {
    let share = this.devices.get(device)
    if (share === undefined) this.devices.set(device, (share = new DeviceShare()))
    return share
  }

  hasDevice(device: string): boolean {
    return this.shared.hasDevice(device)
  }
}

/** When a request may go by one rate; the next one may when this one is through. */
function queued(share: DeviceShare, rate: RateName, amount: number, now: number): number {
  const perSecond = share.rates[rate]
  if (perSecond === Number.POSITIVE_INFINITY) return now
  const start = Math.max(now, share.free[rate])
  share.free[rate] = start + (amount * 1e9) / perSecond
  return start
}

function count(stat: IoStat, operation: IoOperation, bytes: number): void {
  if (operation === 'read') (stat.rbytes += bytes), stat.rios++
  else if (operation === 'write') (stat.wbytes += bytes), stat.wios++
  else (stat.dbytes += bytes), stat.dios++
}
