/** The files of the I/O controller ("Control Group v2", *IO Interface Files*). */
import type { StateValue } from '@vmexit/core'
import { type Controller, take } from '../controller.ts'
import { finite } from '../counter.ts'
import { Errno } from '../errno.ts'
import { formatNumber, MAX, type Parsed, parseUnsigned, words } from '../text.ts'
import { IoAccount, type IoNeeds, type IoStat, ioStatNames, type RateName, rateNames } from './account.ts'

/** Requests per second are numbers of 32 bits, the last of which is no limit. */
const NO_IOPS = 2 ** 32 - 1
const NO_BPS = 2 ** 64

/** `8:0 rbps=1048576 wiops=max`: what is not named stays. */
function writeMax(io: IoAccount, text: string): number {
  const [first = '', ...settings] = words(text)
  const { value: device, errno } = parseDevice(io, first)
  if (device === undefined) return errno
  if (settings.length === 0) return -Errno.EINVAL
  const rates: Partial<Record<RateName, number>> = {}
  for (const setting of settings) {
    const match = /^(rbps|wbps|riops|wiops)=(max|\d{1,40})$/.exec(setting)
    if (/^\w+=0+$/.test(setting)) return -Errno.ERANGE
    if (match === null) return -Errno.EINVAL
    const rate = match[1] as RateName
    const value = match[2] === MAX ? Number.POSITIVE_INFINITY : Number(match[2])
    rates[rate] = value >= (rate.endsWith('iops') ? NO_IOPS : NO_BPS) ? Number.POSITIVE_INFINITY : value
  }
  const share = io.share(device)
  Object.assign(share.rates, rates)
  // Requests that have been promised a time keep it; later ones start at the new rate.
  for (const rate of Object.keys(rates) as RateName[]) share.free[rate] = 0
  return 0
}

/** `default 200`, `200`, `8:0 200` or `8:0 default`. */
function writeWeight(io: IoAccount, text: string): number {
  const [first = '', second] = words(text)
  if (first === 'default' || !first.includes(':')) {
    const word = first === 'default' ? (second ?? '') : first
    return take(parseWeight(word), (weight) => void (io.weight = weight))
  }
  if (second === undefined) return -Errno.EINVAL
  return take(parseDevice(io, first), (device) => {
    if (second === 'default') {
      io.share(device).weight = undefined
      return 0
    }
    return take(parseWeight(second), (weight) => void (io.share(device).weight = weight))
  })
}

function parseWeight(word: string): Parsed<number> {
  const result = parseUnsigned(word)
  const ok = result.value !== undefined && result.value >= 1 && result.value <= 10000
  return ok ? result : { value: undefined, errno: -Errno.EINVAL }
}

/** A device that there is, as `8:0`: EINVAL for what is no number of one, ENODEV for one that is not there. */
function parseDevice(io: IoAccount, word: string): Parsed<string> {
  const match = /^(\d{1,10}):(\d{1,10})$/.exec(word)
  if (match === null) return { value: undefined, errno: -Errno.EINVAL }
  const device = `${Number(match[1])}:${Number(match[2])}`
  return io.hasDevice(device) ? { value: device, errno: 0 } : { value: undefined, errno: -Errno.ENODEV }
}

function formatMax(io: IoAccount): string {
  let text = ''
  for (const [device, { limited, rates }] of io.devices) {
    if (!limited) continue
    const settings = rateNames.map(
      (rate) => `${rate}=${Number.isFinite(rates[rate]) ? formatNumber(rates[rate]) : MAX}`,
    )
    text += `${device} ${settings.join(' ')}\n`
  }
  return text
}

function formatWeight(io: IoAccount): string {
  let text = `default ${io.weight}\n`
  for (const [device, { weight }] of io.devices) if (weight !== undefined) text += `${device} ${weight}\n`
  return text
}

function formatStat(io: IoAccount): string {
  let text = ''
  for (const [device, { stat }] of io.devices) {
    if (ioStatNames.every((name) => stat[name] === 0)) continue
    text += `${device} ${ioStatNames.map((name) => `${name}=${formatNumber(stat[name])}`).join(' ')}\n`
  }
  return text
}

type IoState = {
  readonly weight: number
  readonly devices: {
    readonly [device: string]: {
      readonly rates: { readonly [rate: string]: number | null }
      readonly free: { readonly [rate: string]: number }
      readonly stat: IoStat
      readonly weight: number | null
    }
  }
}

/** The I/O controller. */
export const ioController: Controller<IoAccount, IoNeeds> = {
  name: 'io',
  create: (id, group, parent, shared) => new IoAccount(id, group, parent, shared),
  files: [
    { name: 'io.max', where: 'below-root', read: formatMax, write: writeMax },
    { name: 'io.stat', where: 'everywhere', read: formatStat },
    { name: 'io.weight', where: 'below-root', read: formatWeight, write: writeWeight },
  ],
  save({ weight, devices }): IoState {
    const shares = [...devices].map(([device, share]) => {
      const rates = Object.fromEntries(rateNames.map((rate) => [rate, finite(share.rates[rate])]))
      return [
        device,
        { rates, free: { ...share.free }, stat: { ...share.stat }, weight: share.weight ?? null },
      ] as const
    })
    return { weight, devices: Object.fromEntries(shares) }
  },
  restore(io, saved: StateValue) {
    const { weight, devices } = saved as IoState
    io.weight = weight
    for (const [device, { rates, free, stat, weight }] of Object.entries(devices)) {
      const share = io.share(device)
      for (const rate of rateNames) share.rates[rate] = rates[rate] ?? Number.POSITIVE_INFINITY
      Object.assign(share.free, free)
      Object.assign(share.stat, stat)
      share.weight = weight ?? undefined
    }
  },
}
