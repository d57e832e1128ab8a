/** An encoder of the ACPI machine language (ACPI 6.4, chapter 20): as much of it as describes a PC's devices. */

/** Encoded terms. */
export type Aml = readonly number[]

/** A name of up to four characters, filled with `_`; or a path such as `\\_SB_` or `\\_SB_.PCI0`. */
export function nameString(path: string): Aml {
  const rooted = path.startsWith('\\')
  const segments = (rooted ? path.slice(1) : path).split('.').map((segment) => segment.padEnd(4, '_'))
  const bytes = segments.flatMap((segment) => [...segment].map((character) => character.charCodeAt(0)))
  const prefix = segments.length === 1 ? [] : segments.length === 2 ? [0x2e] : [0x2f, segments.length]
  return [...(rooted ? [0x5c] : []), ...prefix, ...bytes]
}

/** A length and what it is the length of, itself included: one byte up to 63, else two to four. */
function packaged(content: Aml): Aml {
  if (content.length + 1 < 64) return [content.length + 1, ...content]
  for (let more = 1; more <= 3; more++) {
    const length = content.length + 1 + more
    if (length >= 2 ** (4 + 8 * more)) continue
    const rest = Array.from({ length: more }, (_, i) => (length >>> (4 + 8 * i)) & 0xff)
    return [(more << 6) | (length & 0x0f), ...rest, ...content]
  }
  throw new RangeError(`an AML package cannot have ${content.length} bytes`)
}

/** A number, in as few bytes as it needs. Up to 2^32 − 1. */
export function integer(value: number): Aml {
  if (value === 0) return [0x00]
  if (value === 1) return [0x01]
  if (value <= 0xff) return [0x0a, value]
  if (value <= 0xffff) return [0x0b, ...littleEndian(value, 2)]
  return [0x0c, ...littleEndian(value, 4)]
}

/** `Name (path, value)`. */
export function name(path: string, value: Aml): Aml {
  return [0x08, ...nameString(path), ...value]
}

/** `Package () { … }` of up to 255 elements. */
export function packageOf(...elements: readonly Aml[]): Aml {
  return [0x12, ...packaged([elements.length, ...elements.flat()])]
}

/** `Buffer () { … }`. */
export function buffer(bytes: Aml): Aml {
  return [0x11, ...packaged([...integer(bytes.length), ...bytes])]
}

/** `Scope (path) { … }`. */
export function scope(path: string, ...terms: readonly Aml[]): Aml {
  return [0x10, ...packaged([...nameString(path), ...terms.flat()])]
}

/** `Device (path) { … }`. */
export function device(path: string, ...terms: readonly Aml[]): Aml {
  return [0x5b, 0x82, ...packaged([...nameString(path), ...terms.flat()])]
}

/** The number that an EISA ID such as `PNP0A03` is compressed to. */
export function eisaId(id: string): Aml {
  const letters = [0, 1, 2].map((i) => id.charCodeAt(i) - 0x40)
  const vendor = (letters[0]! << 10) | (letters[1]! << 5) | letters[2]!
  const product = Number.parseInt(id.slice(3), 16)
  return [0x0c, vendor >> 8, vendor & 0xff, product >> 8, product & 0xff]
}

/** A list of resources, as a buffer with its end tag. */
export function resources(...descriptors: readonly Aml[]): Aml {
  return buffer([...descriptors.flat(), 0x79, 0x00])
}

/** `IO (Decode16, first, first, 1, count)`. */
export function io(first: number, count: number): Aml {
  return [0x47, 0x01, ...littleEndian(first, 2), ...littleEndian(first, 2), 1, count]
}

/** `IRQNoFlags () { irq }`. */
export function irq(number: number): Aml {
  return [0x22, ...littleEndian(1 << number, 2)]
}

/** `WordBusNumber`: the buses `first` to `last` behind a bridge. */
export function busNumbers(first: number, last: number): Aml {
  return addressSpace({ tag: 0x88, bytes: 2, type: 2, specific: 0, first, last })
}

/** `WordIO` that a bridge passes on. */
export function ioRange(first: number, last: number): Aml {
  return addressSpace({ tag: 0x88, bytes: 2, type: 1, specific: 3, first, last })
}

/** `DWordMemory` that a bridge passes on, for reading and writing. */
export function memoryRange(first: number, last: number): Aml {
  return addressSpace({ tag: 0x87, bytes: 4, type: 0, specific: 1, first, last })
}

/** An address space descriptor (ACPI 6.4, 6.4.3.5) with fixed limits, decoded positively, produced for what is behind. */
function addressSpace(range: {
  readonly tag: number
  readonly bytes: 2 | 4
  readonly type: number
  readonly specific: number
  readonly first: number
  readonly last: number
}): Aml {
  const { tag, bytes, type, specific, first, last } = range
  const fields = [0, first, last, 0, last - first + 1].flatMap((value) => littleEndian(value, bytes))
  return [tag, ...littleEndian(3 + fields.length, 2), type, 0x0c, specific, ...fields]
}

/** A number of so many bytes. */
export function littleEndian(value: number, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, i) => Math.trunc(value / 2 ** (8 * i)) & 0xff)
}
