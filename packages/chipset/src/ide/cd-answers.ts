/**
 * What a CD drive answers to packet commands that ask what it is and what is in it (MMC-3, T10 1363-D; SFF-8020i).
 * A disc has one track of data in one session. Numbers are big-endian.
 */

const sectorBytes = 2048
/** Sectors before the first one that is counted. */
const pregap = 150
/** The number that stands for the lead-out where tracks are numbered. */
const leadOut = 0xaa
/** More sectors than the longest CD has. */
const longestCd = 450_000

/** INQUIRY: a CD drive with a medium that can be taken out. The first word of `model` is who made it. */
export function inquiry(model: string): Uint8Array {
  const [maker = '', ...product] = model.split(' ')
  const bytes = new Uint8Array(36)
  bytes.set([0x05, 0x80, 0x00, 0x21, 31])
  bytes.fill(0x20, 8)
  putText(bytes, 8, 8, maker)
  putText(bytes, 16, 16, product.join(' '))
  putText(bytes, 32, 4, '1.0')
  return bytes
}

/** READ CAPACITY: the last sector, and bytes in a sector. */
export function capacity(sectors: number): Uint8Array {
  return Uint8Array.of(...be32(sectors - 1), ...be32(sectorBytes))
}

/** READ TOC/PMA/ATIP; undefined for what there is not. `inTime` asks for minutes, seconds and frames. */
export function tableOfContents(
  sectors: number,
  { format, inTime, from }: { readonly format: number; readonly inTime: boolean; readonly from: number },
): Uint8Array | undefined {
  const address = (sector: number) => (inTime ? [0, ...time(sector)] : be32(sector))
  // A track's descriptor: data that may not be copied in bits of control 4, position in the Q sub-channel.
  const track = (number: number, sector: number) => [0, 0x14, number, 0, ...address(sector)]
  switch (format) {
    case 0:
      if (from > 1 && from !== leadOut) return undefined
      return table(from === leadOut ? [] : track(1, 0), track(leadOut, sectors))
    case 1:
      return table(track(1, 0))
    case 2: {
      const point = (number: number, position: readonly number[]) => [1, 0x14, 0, number, 0, 0, 0, 0, ...position]
      const points = [point(0xa0, [1, 0, 0]), point(0xa1, [1, 0, 0]), point(0xa2, time(sectors)), point(1, time(0))]
      return table(...points)
    }
    default:
      return undefined
  }
}

/** READ DISC INFORMATION: one closed session. */
export function discInformation(): Uint8Array {
  const bytes = new Uint8Array(34)
  bytes.set([0, 32, 0x0e, 1, 1, 1, 1, 0x20])
  bytes.fill(0xff, 16, 24)
  return bytes
}

/** READ TRACK INFORMATION of the only track. */
export function trackInformation(sectors: number): Uint8Array {
  const bytes = new Uint8Array(36)
  bytes.set([0, 34, 1, 1, 0, 0x04, 0x01])
  bytes.set(be32(sectors), 24)
  return bytes
}

/** MECHANISM STATUS: no changer. */
export function mechanismStatus(trayOpen: boolean): Uint8Array {
  return Uint8Array.of(0, trayOpen ? 0x10 : 0, 0, 0, 0, 0, 0, 0)
}

/** What has happened to the medium. */
export const mediaEvent = { none: 0, ejectRequest: 1, newMedium: 2, removal: 3 } as const

/** GET EVENT STATUS NOTIFICATION: events of the medium, the only class there is. */
export function eventStatus(classes: number, event: number, present: boolean, trayOpen: boolean): Uint8Array {
  const supported = 0x10
  if (!(classes & supported)) return Uint8Array.of(0, 2, 0x80, supported)
  return Uint8Array.of(0, 6, 0x04, supported, event, (present ? 2 : 0) | (trayOpen ? 1 : 0), 0, 0)
}

/** GET CONFIGURATION: features from number `from` on; `kind` is 0 for all, 1 for the current ones, 2 for that one. */
export function configuration(sectors: number | undefined, kind: number, from: number): Uint8Array {
  const dvd = sectors !== undefined && sectors > longestCd
  const cd = sectors !== undefined && !dvd
  const profile = dvd ? 0x0010 : cd ? 0x0008 : 0
  const always = 0x03
  const feature = (number: number, flags: number, ...data: number[]) => [...be16(number), flags, data.length, ...data]
  const readable = sectors !== undefined ? 1 : 0
  const features: readonly (readonly [number: number, current: boolean, bytes: readonly number[]])[] = [
    [0x0000, true, feature(0x0000, always, 0x00, 0x10, dvd ? 1 : 0, 0, 0x00, 0x08, cd ? 1 : 0, 0)],
    [0x0001, true, feature(0x0001, always, 0, 0, 0, 2)], // core, over ATAPI
    [0x0003, true, feature(0x0003, always, 0x29, 0, 0, 0)], // a tray that can be locked, and ejected
    [0x0010, readable > 0, feature(0x0010, readable, ...be32(sectorBytes), 0, 1, 0, 0)], // readable at random
    [0x001e, cd, feature(0x001e, cd ? 1 : 0)], // CD read
    [0x001f, dvd, feature(0x001f, dvd ? 1 : 0)], // DVD read
    [0x0100, true, feature(0x0100, always)], // power management
  ]
  const wanted = features.filter(([number, current]) =>
    kind === 2 ? number === from : number >= from && (kind === 0 || current),
  )
  const data = wanted.flatMap(([, , bytes]) => bytes)
  return Uint8Array.of(...be32(data.length + 4), 0, 0, ...be16(profile), ...data)
}

const modePages: Readonly<Record<number, readonly number[]>> = {
  1: [0x01, 0x0a, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0], // errors: five retries
  13: [0x0d, 0x06, 0, 13, 0, 60, 0, 75], // seconds in a minute, frames in a second
  14: [0x0e, 0x0e, 0x04, 0, 0, 0, 0, 75, 1, 0xff, 2, 0xff, 0, 0, 0, 0], // audio
  // Capabilities: reads CD-R, DVD-ROM; a tray that is locked and ejected; 8467 kB/s (48x); 256 KiB of buffer.
  42: [0x2a, 0x14, 0x0b, 0, 0x70, 0x01, 0x29, 0, 0x21, 0x13, 0, 2, 1, 0, 0x21, 0x13, 0, 0, 0, 0, 0, 0],
}

/**
 * MODE SENSE, with the short header of the six-byte command or the long one; undefined for a page that is not there.
 * `control` 1 asks which bits can be changed: none.
 */
export function modeSense(page: number, control: number, short: boolean, locked: boolean): Uint8Array | undefined {
  const wanted = page === 0x3f ? Object.keys(modePages).map(Number) : [page]
  const pages = wanted.flatMap((number) => {
    const bytes = [...(modePages[number] ?? [])]
    if (number === 0x2a && locked) bytes[6]! |= 0x02
    return control === 1 ? bytes.map((byte, i) => (i < 2 ? byte : 0)) : bytes
  })
  if (pages.length === 0) return undefined
  const mediumType = 0x01
  if (short) return Uint8Array.of(pages.length + 3, mediumType, 0, 0, ...pages)
  return Uint8Array.of(...be16(pages.length + 6), mediumType, 0, 0, 0, 0, 0, ...pages)
}

function table(...descriptors: readonly (readonly number[])[]): Uint8Array {
  const data = descriptors.flat()
  return Uint8Array.of(...be16(data.length + 2), 1, 1, ...data)
}

/** Minutes, seconds and frames of a sector. */
function time(sector: number): number[] {
  const frames = sector + pregap
  return [Math.floor(frames / 4500) & 0xff, Math.floor(frames / 75) % 60, frames % 75]
}

function be16(value: number): number[] {
  return [(value >>> 8) & 0xff, value & 0xff]
}

function be32(value: number): number[] {
  return [(value >>> 24) & 0xff, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff]
}

function putText(bytes: Uint8Array, at: number, length: number, text: string): void {
  for (let i = 0; i < Math.min(length, text.length); i++) bytes[at + i] = text.charCodeAt(i) & 0x7f
}
