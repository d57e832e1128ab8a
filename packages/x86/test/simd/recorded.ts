/** Reads what `vectors/simd/generate.c` has recorded, and makes its inputs again. */

/** One vector's inputs, 16 bytes each, and MXCSR. */
export interface Inputs {
  readonly destination: Uint32Array
  readonly source: Uint32Array
  readonly mxcsr: number
}

/** One form of an instruction with its vectors. */
export interface Form {
  readonly name: string
  readonly code: Uint8Array
  readonly outputs: string
  readonly vectors: readonly { readonly inputs: Inputs; readonly outputs: Uint8Array }[]
}

const words = [0, 1, 0x7fff, 0x8000, 0xffff, 0x00ff, 0x0100, 0xff80]
const singles = [
  0, 1, 0x007fffff, 0x00800000, 0x00800001, 0x3f800000, 0x3f000000, 0x3fc00000, 0x40400000, 0x4b000001, 0x4f000000,
  0x7f7fffff, 0x7f800000, 0x7f800001, 0x7fc00000, 0x7fd23456,
]
const doubles = [
  [0, 0],
  [1, 0],
  [0xffffffff, 0x000fffff],
  [0, 0x00100000],
  [1, 0x00100000],
  [0, 0x3ff00000],
  [0, 0x3fe00000],
  [0, 0x3ff80000],
  [0, 0x40080000],
  [1, 0x43300000],
  [0xffc00000, 0x41dfffff],
  [0xffffffff, 0x7fefffff],
  [0, 0x7ff00000],
  [1, 0x7ff00000],
  [0, 0x7ff80000],
  [0x56789abc, 0x7ffd1234],
]

/** The generator of `generate.c`, number for number. */
class Inputter {
  #seed: number

  constructor(form: number) {
    this.#seed = 0x9e3779b9 ^ Math.imul(form + 1, 0x01000193)
  }

  next(): number {
    this.#seed ^= this.#seed << 13
    this.#seed ^= this.#seed >>> 17
    this.#seed ^= this.#seed << 5
    return this.#seed >>> 0
  }

  single(): number {
    const how = this.next() & 7
    const bits = this.next()
    if (how < 3) return singles[bits & 15] | (bits & 0x80000000)
    if (how < 6) {
      return (bits & 0x807c0000) | ((127 - 16 + ((bits >>> 8) & 31)) << 23) | (how === 3 ? bits & 0xff : 0)
    }
    if (how === 6) return (bits & 0x807fffff) | ((127 + ((bits >>> 24) & 3) * 30) << 23)
    return bits
  }

  double(): [low: number, high: number] {
    const how = this.next() & 7
    const low = this.next()
    const high = this.next()
    if (how < 3) return [doubles[high & 15][0], doubles[high & 15][1] | (high & 0x80000000)]
    const near = (high & 0x800f0000) | ((1023 - 16 + ((high >>> 4) & 63)) << 20)
    const far = (high & 0x800fffff) | ((1023 + ((high >>> 24) & 3) * 60) << 20)
    return [how < 5 ? 0 : how === 5 ? low & 0xff : low, how < 6 ? near : how === 6 ? far : high]
  }

  fill(kind: string): Uint32Array {
    const how = this.next() & 3
    if (kind === 'd') return Uint32Array.from([...this.double(), ...this.double()])
    return new Uint32Array(4).map((_, i) => {
      if (kind === 's') return this.single()
      if (kind === 'k') return how === 3 || i > 1 ? this.next() : i === 0 ? this.next() % 72 : 0
      if (how === 0) {
        const low = words[this.next() & 7]
        return low | (words[this.next() & 7] << 16)
      }
      if (how === 1) {
        const base = this.next() & 1 ? 0x80000000 : 0
        return base + (this.next() % 3) - 1
      }
      return this.next()
    })
  }

  control(): number {
    const how = this.next() & 3
    const bits = this.next()
    if (how < 2) return how ? 0x1f80 : 0x1fa0
    return how === 2 ? (bits & 0xe07f) | 0x1f80 : bits & 0xffc0
  }
}

/** Bytes of each output: registers, memory, flags, the x87 unit's TOP, tags and exponent. */
const sizes: Readonly<Record<string, number>> = { x: 16, a: 16, m: 8, t: 4, r: 8, M: 16, c: 2, f: 3 }

/** All forms of a recording (see `generate.c` for its layout). */
export function readRecording(file: Uint8Array): Form[] {
  const bytes = Uint8Array.from(file)
  const forms: Form[] = []
  let at = 0
  while (at < bytes.length) {
    const end = bytes.indexOf(10, at)
    const line = new TextDecoder().decode(bytes.subarray(at, end))
    at = end + 1
    const [name, code, kinds, outputs, count] = line.split(' ')
    const inputter = new Inputter(forms.length)
    const size = [...outputs].reduce((sum, letter) => sum + sizes[letter], 0)
    const vectors = Array.from({ length: Number(count) }, () => {
      const destination = inputter.fill(kinds[0])
      const source = inputter.fill(kinds[1])
      const inputs = { destination, source, mxcsr: outputs.includes('f') ? inputter.control() : 0x1f80 }
      at += size
      return { inputs, outputs: bytes.subarray(at - size, at) }
    })
    forms.push({
      name,
      code: Uint8Array.from(code.match(/../g)!, (byte) => Number.parseInt(byte, 16)),
      outputs,
      vectors,
    })
  }
  return forms
}
