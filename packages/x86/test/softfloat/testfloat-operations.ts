/** TestFloat's operations in terms of our routines, fields in hex as in its files. */
import type { Value } from '../../src/ops/evaluate.ts'
import type { Routine } from '../../src/ops/ops.ts'
import {
  type BinaryArithmetic,
  f32,
  f32ToF64,
  f32ToF80,
  f64,
  f64ToF32,
  f64ToF80,
  f80Add,
  f80Compare,
  f80CompareQuiet,
  f80Div,
  f80FromI64,
  f80Mul,
  f80RemainderNearest,
  f80RoundToInteger,
  f80Sqrt,
  f80Sub,
  f80ToF32,
  f80ToF64,
  f80ToI32,
  f80ToI64,
} from '../../src/softfloat/index.ts'
import type { Run } from './engines.ts'

export interface Answer {
  readonly result: string
  /** x86 layout. */
  readonly flags: number
}
/** `rounding` is RC, 0–3. */
export type Operation = (run: Run, fields: readonly string[], rounding: number) => Answer

const mxcsr = (rounding: number): number => 0x1f80 | (rounding << 13)

function parse(field: string): Value {
  const bits = BigInt('0x' + field)
  return field.length > 8 ? BigInt.asIntN(64, bits) : Number(BigInt.asIntN(32, bits))
}
function hex(value: Value): string {
  return typeof value === 'bigint'
    ? BigInt.asUintN(64, value).toString(16).toUpperCase().padStart(16, '0')
    : ((value as number) >>> 0).toString(16).toUpperCase().padStart(8, '0')
}

/** A routine of binary operands and MXCSR. */
function sse(routine: Routine): Operation {
  return (run, fields, rounding) => {
    const [result, flags] = run(routine, [...fields.map(parse), mxcsr(rounding)])
    return { result: hex(result!), flags: flags as number }
  }
}
function relation(routine: Routine, images: readonly number[]): Operation {
  return (run, fields) => {
    const [image, flags] = run(routine, [...fields.map(parse), mxcsr(0)])
    return { result: images.includes(image as number) ? '1' : '0', flags: flags as number }
  }
}

function binary(name: string, f: BinaryArithmetic): Record<string, Operation> {
  return {
    [`${name}_add`]: sse(f.add),
    [`${name}_sub`]: sse(f.sub),
    [`${name}_mul`]: sse(f.mul),
    [`${name}_div`]: sse(f.div),
    [`${name}_sqrt`]: sse(f.sqrt),
    [`${name}_eq`]: relation(f.compareQuiet, [0x40]),
    [`${name}_le_quiet`]: relation(f.compareQuiet, [0x40, 1]),
    [`${name}_lt_quiet`]: relation(f.compareQuiet, [1]),
    [`${name}_eq_signaling`]: relation(f.compare, [0x40]),
    [`${name}_le`]: relation(f.compare, [0x40, 1]),
    [`${name}_lt`]: relation(f.compare, [1]),
    [`${name}_to_i32`]: sse(f.toI32),
    [`${name}_to_i64`]: sse(f.toI64),
    [`i32_to_${name}`]: sse(f.fromI32),
    [`i64_to_${name}`]: sse(f.fromI64),
  }
}

/** All exceptions masked, 64 bits. */
const fcw = (rounding: number): number => 0x37f | (rounding << 10)

type Extended = readonly [significand: Value, se: Value]
function parse80(field: string): Extended {
  return [BigInt.asIntN(64, BigInt(`0x${field.slice(4)}`)), parseInt(field.slice(0, 4), 16)]
}
function hex80([significand, se]: readonly Value[]): string {
  return (se as number).toString(16).toUpperCase().padStart(4, '0') + hex(significand!)
}

/** A routine of extended operands and the control word, with a result of any kind. */
function x87(routine: Routine): Operation {
  return (run, fields, rounding) => {
    const results = run(routine, [...fields.flatMap(parse80), fcw(rounding)])
    const flags = results.at(-1) as number
    return { result: results.length === 3 ? hex80(results) : hex(results[0]!), flags }
  }
}
function x87Relation(routine: Routine, images: readonly number[]): Operation {
  return (run, fields) => {
    const [image, flags] = run(routine, fields.flatMap(parse80))
    return { result: images.includes(image as number) ? '1' : '0', flags: flags as number }
  }
}

/** FLD of a binary operand: a signalling NaN becomes quiet. */
function load(run: Run, routine: Routine, field: string): { value: Extended; flags: number } {
  const [significand, se, flags] = run(routine, [parse(field)]) as [bigint, number, number]
  return { value: [flags & 1 ? significand | (1n << 62n) : significand, se], flags }
}

/** The IEEE remainder: FPREM1 until C2 is clear. */
function remainder(run: Run, a: Extended, b: Extended): { value: Extended; flags: number } {
  let value = a
  let flags = 0
  for (;;) {
    const [significand, se, codes, raised] = run(f80RemainderNearest, [...value, ...b, fcw(0)])
    value = [significand!, se!]
    flags |= raised as number
    if (!((codes as number) & 0x400)) return { value, flags }
  }
}

/** What a program does with a binary format's operands on the x87: load, compute, store. */
function throughX87(
  widen: Routine,
  narrow: Routine,
  compute: (run: Run, operands: readonly Extended[], rounding: number) => { value: Extended; flags: number },
): Operation {
  return (run, fields, rounding) => {
    const loaded = fields.map((field) => load(run, widen, field))
    const { value, flags } = compute(
      run,
      loaded.map((l) => l.value),
      rounding,
    )
    const [result, raised] = run(narrow, [...value, fcw(rounding)])
    return { result: hex(result!), flags: loaded.reduce((sum, l) => sum | l.flags, flags | (raised as number)) }
  }
}
/** The x86 has no remainder of a binary format: numbers go through the x87; NaNs follow SSE's rule, which the vectors have. */
function binaryRemainder(widen: Routine, narrow: Routine, f: BinaryArithmetic): Operation {
  const ofNumbers = throughX87(widen, narrow, (run, [a, b]) => remainder(run, a!, b!))
  const isNan = (field: string): boolean =>
    (BigInt(`0x${field}`) << 1n) % (1n << BigInt(field.length * 4)) >
    BigInt(`0x${field.length > 8 ? 'FFE' : 'FF'}`.padEnd(field.length + 2, '0'))
  return (run, fields, rounding) => (fields.some(isNan) ? sse(f.add) : ofNumbers)(run, fields, rounding)
}
const binaryRoundToInteger = (widen: Routine, narrow: Routine): Operation =>
  throughX87(widen, narrow, (run, [a], rounding) => {
    const [significand, se, flags] = run(f80RoundToInteger, [...a!, fcw(rounding)])
    return { value: [significand!, se!], flags: flags as number }
  })
const fromBinary =
  (routine: Routine): Operation =>
  (run, fields) => {
    const { value, flags } = load(run, routine, fields[0]!)
    return { result: hex80(value), flags }
  }
const fromInteger: Operation = (run, fields) => {
  const value = parse(fields[0]!)
  return { result: hex80(run(f80FromI64, [BigInt(value as number | bigint)])), flags: 0 }
}

/** By the name of TestFloat's file, without the rounding mode. */
export const operations: Readonly<Record<string, Operation>> = {
  ...binary('f32', f32),
  ...binary('f64', f64),
  f32_to_f64: sse(f32ToF64),
  f64_to_f32: sse(f64ToF32),
  f32_rem: binaryRemainder(f32ToF80, f80ToF32, f32),
  f64_rem: binaryRemainder(f64ToF80, f80ToF64, f64),
  f32_roundToInt: binaryRoundToInteger(f32ToF80, f80ToF32),
  f64_roundToInt: binaryRoundToInteger(f64ToF80, f80ToF64),
  f32_to_extF80: fromBinary(f32ToF80),
  f64_to_extF80: fromBinary(f64ToF80),
  i32_to_extF80: fromInteger,
  i64_to_extF80: fromInteger,
  extF80_add: x87(f80Add),
  extF80_sub: x87(f80Sub),
  extF80_mul: x87(f80Mul),
  extF80_div: x87(f80Div),
  extF80_sqrt: x87(f80Sqrt),
  extF80_roundToInt: x87(f80RoundToInteger),
  extF80_rem: (run, fields) => {
    const { value, flags } = remainder(run, parse80(fields[0]!), parse80(fields[1]!))
    return { result: hex80(value), flags }
  },
  extF80_to_f32: x87(f80ToF32),
  extF80_to_f64: x87(f80ToF64),
  extF80_to_i32: x87(f80ToI32),
  extF80_to_i64: x87(f80ToI64),
  extF80_eq: x87Relation(f80CompareQuiet, [0x40]),
  extF80_le_quiet: x87Relation(f80CompareQuiet, [0x40, 1]),
  extF80_lt_quiet: x87Relation(f80CompareQuiet, [1]),
  extF80_eq_signaling: x87Relation(f80Compare, [0x40]),
  extF80_le: x87Relation(f80Compare, [0x40, 1]),
  extF80_lt: x87Relation(f80Compare, [1]),
}
