/** bzImages for tests, written field by field from the Linux/x86 boot protocol. */

/** What a test wants of a kernel. */
export interface WantedKernel {
  /** 0x020f unless stated. */
  readonly protocol?: number
  readonly code?: Uint8Array
  readonly loadFlags?: number
  readonly setupSectors?: number
  /** Bytes of the header behind 0x202; 0x6a unless stated, which is that of protocol 2.15. */
  readonly headerEnd?: number
  readonly systemSize?: number
  readonly ramdiskMaximum?: number
  readonly alignment?: number
  readonly relocatable?: number
  readonly extendedLoadFlags?: number
  readonly commandLineSize?: number
  readonly preferredAddress?: bigint
  readonly initSize?: number
  readonly release?: string
}

const RELEASE_AT = 0x300

/** A program that halts, unless it is given another. */
export function bzImage(wanted: WantedKernel = {}): Uint8Array {
  const { code = Uint8Array.of(0xf4), setupSectors = 4, release = '6.1.0-test (somebody) #1' } = wanted
  const setup = ((setupSectors || 4) + 1) * 512
  const bytes = new Uint8Array(setup + code.length)
  const view = new DataView(bytes.buffer)
  // Behind the header there is code, which is not to be taken for a field.
  bytes.fill(0xcc, 0x1f1, 0x400)
  bytes.fill(0, 0x1f1, 0x202 + (wanted.headerEnd ?? 0x6a))
  view.setUint8(0x1f1, setupSectors)
  view.setUint32(0x1f4, wanted.systemSize ?? Math.ceil(code.length / 16), true)
  view.setUint16(0x1fe, 0xaa55, true)
  view.setUint8(0x200, 0xeb)
  view.setUint8(0x201, wanted.headerEnd ?? 0x6a)
  bytes.set(new TextEncoder().encode('HdrS'), 0x202)
  view.setUint16(0x206, wanted.protocol ?? 0x020f, true)
  view.setUint16(0x20e, RELEASE_AT - 0x200, true)
  view.setUint8(0x211, wanted.loadFlags ?? 1)
  view.setUint32(0x214, 0x10_0000, true)
  view.setUint32(0x22c, wanted.ramdiskMaximum ?? 0x7fff_ffff, true)
  if ((wanted.headerEnd ?? 0x6a) >= 0x62) {
    view.setUint32(0x230, wanted.alignment ?? 0x20_0000, true)
    view.setUint8(0x234, wanted.relocatable ?? 1)
    view.setUint16(0x236, wanted.extendedLoadFlags ?? 0, true)
    view.setUint32(0x238, wanted.commandLineSize ?? 2047, true)
    view.setBigUint64(0x258, wanted.preferredAddress ?? 0x100_0000n, true)
    view.setUint32(0x260, wanted.initSize ?? 0x40_0000, true)
  }
  bytes.set(new TextEncoder().encode(`${release}\0`), RELEASE_AT)
  bytes.set(code, setup)
  return bytes
}
