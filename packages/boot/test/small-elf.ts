/** Kernels as ELF files with one segment, for tests; fields as in the generic ABI 4.1, chapters 4 and 5. */

/** What a test wants of a kernel. */
export interface WantedElf {
  readonly bits?: 32 | 64
  readonly type?: number
  readonly machine?: number
  readonly entry?: number
  readonly virtual?: number
  readonly physical?: number
  readonly code?: Uint8Array
  readonly fileBytes?: number
  readonly memoryBytes?: number
}

const HEADERS = 52 + 32

export function smallElf(wanted: WantedElf = {}): Uint8Array {
  const {
    bits = 32,
    type = 2,
    machine = 3,
    entry = 0x10_0000,
    physical = 0x10_0000,
    code = Uint8Array.of(0xf4),
  } = wanted
  if (bits === 64) return large(type)
  const bytes = new Uint8Array(HEADERS + code.length)
  const view = new DataView(bytes.buffer)
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1])
  for (const [at, value] of [
    [16, type],
    [18, machine],
    [40, 52],
    [42, 32],
    [44, 1],
  ] as const)
    view.setUint16(at, value, true)
  const fileBytes = wanted.fileBytes ?? code.length
  const segment = [1, HEADERS, wanted.virtual ?? physical, physical, fileBytes, wanted.memoryBytes ?? fileBytes, 7, 1]
  for (const [at, value] of [
    [20, 1],
    [24, entry],
    [28, 52],
  ] as const)
    view.setUint32(at, value, true)
  for (const [i, value] of segment.entries()) view.setUint32(52 + i * 4, value, true)
  bytes.set(code, HEADERS)
  return bytes
}

/** The header of an x86-64 file, with nothing in it. */
function large(type: number): Uint8Array {
  const bytes = new Uint8Array(64)
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
  bytes.set([type, 0, 62, 0, 1], 16)
  return bytes
}
