/** Device numbers as the C library and Node show them (gnu_dev_makedev: 12 bits of major between 8 and 12 of minor). */
import { majorOf, makeDevice, minorOf } from './flags.ts'

/** A kernel's device number as `stat` of Node shows it. */
export function toNodeDevice(device: number): number {
  const [major, minor] = [majorOf(device), minorOf(device)]
  return (minor >>> 8) * 0x10_0000 + (major << 8) + (minor & 0xff)
}

/** What `stat` of Node shows as a kernel's device number. */
export function fromNodeDevice(device: number): number {
  const high = Math.floor(device / 0x10_0000) % 0x1000
  return makeDevice((device >>> 8) & 0xfff, high * 0x100 + (device & 0xff))
}
