/** TestFloat's operations in terms of our routines, fields in hex as in its files. */
import type { Value } from '../../src/ops/evaluate.ts'
import type { Routine } from '../../src/ops/ops.ts'
import { type BinaryArithmetic, f32, f32ToF64, f64, f64ToF32 } from '../../src/softfloat/index.ts'
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

export const operations: Readonly<Record<string, Operation>> = {
  ...binary('f32', f32),
  ...binary('f64', f64),
  f32_to_f64: sse(f32ToF64),
  f64_to_f32: sse(f64ToF32),
}
