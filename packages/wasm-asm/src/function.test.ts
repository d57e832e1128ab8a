import { describe, expect, test } from 'vitest'
import { instantiate } from '../test/instance.ts'
import { type FunctionBuilder, Load, ModuleBuilder, Op, Store, type ValueType, WasmAsmError } from './index.ts'

/** One exported function `run`, with a memory of a page. */
function build(
  params: readonly ValueType[],
  results: readonly ValueType[],
  emit: (fn: FunctionBuilder, module: ModuleBuilder) => void,
): (...operands: (number | bigint)[]) => unknown {
  const module = new ModuleBuilder()
  module.memory({ initial: 1, maximum: 2 })
  const fn = module.func(params, results, 'run')
  emit(fn, module)
  module.exportFunction('run', fn.index)
  return instantiate(module).run
}

function errorOf(act: () => void): WasmAsmError {
  try {
    act()
  } catch (error) {
    if (error instanceof WasmAsmError) return error
    throw error
  }
  return expect.fail('no error was thrown')
}

const function7 = (): FunctionBuilder => {
  const module = new ModuleBuilder()
  for (let i = 0; i < 7; i++) module.func([], [])
  return module.func(['i32'], ['i32'], 'entry')
}

describe('constants', () => {
  const integers = [0, -1, 63, 64, -64, -65, 127, 128, -128, -129, 8191, 8192, -8193, 2 ** 31 - 1, -(2 ** 31)]

  test.each([...integers, 2 ** 31, 2 ** 32 - 1])('i32 %i', (value) => {
    expect(build([], ['i32'], (fn) => fn.i32Const(value))()).toBe(value | 0)
  })

  test.each([...integers, 2 ** 32, -(2 ** 32) - 1, 2 ** 53 - 1, -(2 ** 53) + 1])(
    'i64 %i as number and bigint',
    (value) => {
      expect(build([], ['i64'], (fn) => fn.i64Const(value))()).toBe(BigInt(value))
      expect(build([], ['i64'], (fn) => fn.i64Const(BigInt(value)))()).toBe(BigInt(value))
    },
  )

  test.each([1n << 62n, -(1n << 62n) - 1n, (1n << 63n) - 1n, -(1n << 63n), 1n << 63n, (1n << 64n) - 1n])(
    'i64 %i',
    (value) => {
      expect(build([], ['i64'], (fn) => fn.i64Const(value))()).toBe(BigInt.asIntN(64, value))
    },
  )

  test.each([0, -0, 1.1, 1e-45, 3.5e38, Number.NEGATIVE_INFINITY, Number.NaN])('f32 and f64 %d', (value) => {
    expect(build([], ['f32'], (fn) => fn.f32Const(value))()).toBe(Math.fround(value))
    expect(build([], ['f64'], (fn) => fn.f64Const(value))()).toBe(value)
  })

  test('raw bits keep the payload of a signalling NaN; a number NaN is canonical', () => {
    const bits32 = (emit: (fn: FunctionBuilder) => void): unknown =>
      build([], ['i32'], (fn) => (emit(fn), fn.op(Op.i32ReinterpretF32)))()
    const bits64 = (emit: (fn: FunctionBuilder) => void): unknown =>
      build([], ['i64'], (fn) => (emit(fn), fn.op(Op.i64ReinterpretF64)))()
    expect(bits32((fn) => fn.f32Bits(0x7f812345))).toBe(0x7f812345)
    expect(bits32((fn) => fn.f32Bits(0xffc00001))).toBe(0xffc00001 | 0)
    expect(bits32((fn) => fn.f32Const(Number.NaN))).toBe(0x7fc00000)
    expect(bits64((fn) => fn.f64Bits(0x89abcdef, 0x7ff12345))).toBe(0x7ff1234589abcdefn)
    expect(bits64((fn) => fn.f64Const(Number.NaN))).toBe(0x7ff8000000000000n)
  })
})

describe('control', () => {
  test('a loop counts, with branches out of two blocks', () => {
    const triangle = build(['i32'], ['i32'], (fn) => {
      const sum = fn.local('i32')
      const done = fn.block()
      const again = fn.loop()
      fn.localGet(0).op(Op.i32Eqz).brIf(done)
      fn.localGet(sum).localGet(0).op(Op.i32Add).localSet(sum)
      fn.localGet(0).i32Const(1).op(Op.i32Sub).localSet(0)
      fn.br(again)
      fn.end().end().localGet(sum)
    })
    expect(triangle(100)).toBe(5050)
  })

  test('if and else leave a value', () => {
    const sign = build(['i64'], ['i32'], (fn) => {
      fn.localGet(0).i64Const(0).op(Op.i64LtS).if_('i32')
      fn.i32Const(-1).else_()
      fn.i32Const(1).end()
    })
    expect([sign(-5n), sign(5n)]).toEqual([-1, 1])
  })

  test('br_table picks among labels at their depth', () => {
    const pick = build(['i32'], ['i32'], (fn) => {
      const outer = fn.block()
      const middle = fn.block()
      const inner = fn.block()
      expect([outer, middle, inner, fn.depth]).toEqual([1, 2, 3, 4])
      fn.localGet(0).brTable([inner, middle, outer], middle).end()
      fn.i32Const(10).return_().end()
      fn.i32Const(20).return_().end()
      fn.i32Const(30)
    })
    expect([0, 1, 2, 3, -1].map((i) => pick(i))).toEqual([10, 20, 30, 20, 20])
  })

  test('a branch to label 0 returns', () => {
    expect(
      build([], ['i32'], (fn) => (fn.i32Const(3).block(), fn.i32Const(4).br(0).end().drop(), fn.i32Const(5)))(),
    ).toBe(4)
  })

  test('blocks take and leave several values', () => {
    const swapped = build(['i32', 'i64'], ['i64', 'i32'], (fn, module) => {
      const pair = module.type(['i32', 'i64'], ['i64', 'i32'])
      const i64 = fn.temp('i64')
      const i32 = fn.temp('i32')
      fn.localGet(0).localGet(1).block(pair)
      fn.localSet(i64).localSet(i32).localGet(i64).localGet(i32).end()
    })
    expect(swapped(1, 2n)).toEqual([2n, 1])
  })

  test('select, drop and unreachable', () => {
    expect(build(['i32'], ['i32'], (fn) => fn.i32Const(1).i32Const(2).localGet(0).select())(0)).toBe(2)
    expect(build([], ['i32'], (fn) => fn.i32Const(1).i32Const(2).drop())()).toBe(1)
    expect(build([], [], (fn) => fn.unreachable())).toThrow(WebAssembly.RuntimeError)
  })
})

describe('calls', () => {
  test('tail calls run in constant stack, directly and through a table', () => {
    const module = new ModuleBuilder()
    const count = module.type(['i32'], ['i32'])
    const table = module.table({ element: 'funcref', initial: 2 })
    const direct = module.func(['i32'], ['i32'])
    const indirect = module.func(['i32'], ['i32'])
    for (const fn of [direct, indirect]) {
      fn.localGet(0).op(Op.i32Eqz).if_()
      fn.i32Const(42).return_().end()
      fn.localGet(0).i32Const(1).op(Op.i32Sub)
    }
    direct.returnCall(direct.index)
    indirect.i32Const(1).returnCallIndirect(count, table)
    module.element(table, 1, [indirect.index])
    module.exportFunction('direct', direct.index)
    module.exportFunction('indirect', indirect.index)
    const { direct: runDirect, indirect: runIndirect } = instantiate(module)
    expect([runDirect(300_000), runIndirect(300_000)]).toEqual([42, 42])
  })

  test('a function calls one that is built later, by index and through the second table', () => {
    const module = new ModuleBuilder()
    module.table({ element: 'funcref', initial: 1 })
    const table = module.table({ element: 'funcref', initial: 300 })
    const type = module.type(['i32'], ['i32'])
    const caller = module.func(['i32'], ['i32'])
    const callee = module.func(['i32'], ['i32'])
    caller.localGet(0).call(callee.index).i32Const(299).callIndirect(type, table)
    callee.localGet(0).i32Const(3).op(Op.i32Mul)
    module.element(table, 299, [callee.index])
    module.exportFunction('run', caller.index)
    expect(instantiate(module).run(5)).toBe(45)
  })
})

describe('memory', () => {
  test('offsets are unsigned 32-bit: the last one is out of bounds, not negative', () => {
    const at = (offset: number): unknown => build(['i32'], ['i32'], (fn) => fn.localGet(0).load(Load.i32Load8U, offset))
    expect((at(65535) as (address: number) => number)(0)).toBe(0)
    expect(() => (at(2 ** 32 - 1) as (address: number) => number)(1)).toThrow(WebAssembly.RuntimeError)
  })

  test('size, grow, fill and copy', () => {
    expect(build(['i32'], ['i32', 'i32'], (fn) => fn.localGet(0).memoryGrow().memorySize())(1)).toEqual([1, 2])
    const moved = build([], ['i64'], (fn) => {
      fn.i32Const(16).i32Const(0xab).i32Const(4).memoryFill()
      fn.i32Const(102).i32Const(14).i32Const(4).memoryCopy()
      fn.i32Const(100).load(Load.i64Load)
    })
    expect(moved()).toBe(0x0000abab00000000n)
  })

  test('an alignment up to the natural one is accepted', () => {
    expect(build([], ['i64'], (fn) => fn.i32Const(3).load(Load.i64Load, 0, 0))()).toBe(0n)
    const { code, message } = errorOf(() => function7().store(Store.i32Store16, 0, 2))
    expect(code).toBe('immediate-out-of-range')
    expect(message).toContain('0 … 1')
  })
})

describe('locals', () => {
  test('temporaries are used again by type, and declared once', () => {
    const run = build(['f64'], ['i64'], (fn) => {
      const a = fn.temp('i32')
      const b = fn.temp('i64')
      fn.free(a)
      fn.free(b)
      expect([fn.temp('i64'), fn.temp('i32'), fn.temp('i32'), fn.temp('v128')]).toEqual([b, a, 3, 4])
      fn.i64Const(7).localTee(b)
    })
    expect(run(0)).toBe(7n)
  })

  test('hundreds of locals of mixed types keep their indices', () => {
    const types = ['i32', 'i64', 'f32', 'f64'] as const
    const run = build(['i32'], ['f64'], (fn) => {
      const locals = Array.from({ length: 400 }, (_, i) => fn.local(types[Math.floor(i / 3) % 4]))
      expect(locals[399]).toBe(400)
      fn.f64Const(2.5).localSet(locals[395]).localGet(locals[395])
    })
    expect(run(0)).toBe(2.5)
  })

  test('what is not there to use or to free is refused', () => {
    const fn = function7()
    const temporary = fn.temp('i32')
    fn.free(temporary)
    expect(errorOf(() => fn.localGet(temporary)).code).toBe('unknown-local')
    expect(errorOf(() => fn.localSet(99)).code).toBe('unknown-local')
    expect(errorOf(() => fn.free(temporary)).code).toBe('not-a-temporary')
    expect(errorOf(() => fn.free(0)).code).toBe('not-a-temporary')
    expect(errorOf(() => fn.free(99)).code).toBe('not-a-temporary')
  })
})

describe('prologue', () => {
  test('emitted last, it runs first, and may use locals of the body', () => {
    const run = build(['i32'], ['i32'], (fn) => {
      const register = fn.local('i32')
      fn.localGet(register).i32Const(1).op(Op.i32Add)
      fn.prologue((entry) => {
        const copy = entry.local('i32')
        entry.localGet(0).localSet(copy).localGet(copy).i32Const(10).op(Op.i32Mul).localSet(register)
      })
      fn.prologue(({ depth }) => expect(depth).toBe(1))
    })
    expect(run(4)).toBe(41)
  })

  test('its blocks are its own, whatever is open in the body', () => {
    const run = build(['i32'], ['i32'], (fn) => {
      const outer = fn.block()
      fn.prologue((entry) => {
        expect(entry.block()).toBe(outer)
        entry.localGet(0).brIf(1).i32Const(99).br(0).end()
      })
      expect(fn.depth).toBe(2)
      fn.br(outer).end().i32Const(5)
    })
    expect([run(0), run(1)]).toEqual([99, 5])
  })

  test('must close its blocks, and may not hold another', () => {
    expect(errorOf(() => function7().prologue((fn) => void fn.block())).code).toBe('unclosed-block')
    expect(errorOf(() => function7().prologue((fn) => void fn.end())).code).toBe('unbalanced-end')
    expect(errorOf(() => function7().prologue((fn) => fn.prologue(() => {}))).code).toBe('nested-prologue')
    expect(errorOf(() => function7().prologue((fn) => void fn.hint(true))).code).toBe('dangling-hint')
  })
})

describe('mistakes are named with their function', () => {
  const cases: [string, (fn: FunctionBuilder) => void, WasmAsmError['code']][] = [
    ['an end too many', (fn) => (fn.block(), fn.end().end()), 'unbalanced-end'],
    ['a label that is not open yet', (fn) => fn.br(1), 'label-out-of-scope'],
    ['a label whose block was closed', (fn) => fn.brIf((fn.block(), fn.block(), fn.end(), 2)), 'label-out-of-scope'],
    ['a negative label', (fn) => fn.brTable([0, -1], 0), 'label-out-of-scope'],
    ['an else without if', (fn) => (fn.block(), fn.else_()), 'misplaced-else'],
    ['a second else', (fn) => (fn.if_(), fn.else_().else_()), 'misplaced-else'],
    ['an i32 of 33 bits', (fn) => fn.i32Const(2 ** 32), 'immediate-out-of-range'],
    ['a fraction', (fn) => fn.i32Const(0.5), 'immediate-out-of-range'],
    ['an unsafe integer', (fn) => fn.i64Const(2 ** 53), 'immediate-out-of-range'],
    ['an i64 of 65 bits', (fn) => fn.i64Const(1n << 64n), 'immediate-out-of-range'],
    ['an offset of 33 bits', (fn) => fn.load(Load.i32Load, 2 ** 32), 'immediate-out-of-range'],
    ['a negative offset', (fn) => fn.store(Store.i32Store, -1), 'immediate-out-of-range'],
    ['an index that was never set', (fn) => fn.call(undefined as unknown as number), 'immediate-out-of-range'],
    ['a vector of 15 bytes', (fn) => fn.v128Const(new Uint8Array(15)), 'immediate-out-of-range'],
    ['a shuffle of 3 lanes', (fn) => fn.shuffle([1, 2, 3]), 'immediate-out-of-range'],
    ['a shuffle lane of 32', (fn) => fn.shuffle(new Array(16).fill(32)), 'immediate-out-of-range'],
  ]

  test.each(cases)('%s', (_, emit, code) => {
    const error = errorOf(() => emit(function7()))
    expect(error.code).toBe(code)
    expect(error.message).toMatch(/^function 7 \(entry\): /)
  })

  test('blocks left open, and a hint without a branch, when the module is written', () => {
    const module = new ModuleBuilder()
    const fn = module.func([], [])
    fn.block()
    fn.loop()
    const { code, message } = errorOf(() => module.toBytes())
    expect(code).toBe('unclosed-block')
    expect(message).toContain('function 0: ')
    expect(message).toContain('block, loop')
    fn.end().end().hint(true)
    expect(errorOf(() => module.toBytes()).code).toBe('dangling-hint')
  })
})
