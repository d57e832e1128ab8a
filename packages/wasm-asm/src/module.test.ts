import { expect, test } from 'vitest'
import { instantiate } from '../test/instance.ts'
import { Load, ModuleBuilder, Op, Store } from './index.ts'

test('an empty module is the preamble', () => {
  expect([...new ModuleBuilder().toBytes()]).toEqual([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])
})

test('equal types share an index, whoever asks', () => {
  const module = new ModuleBuilder()
  const type = module.type(['i32', 'i64'], ['f32'])
  expect(module.type(['i32', 'i64'], ['f32'])).toBe(type)
  expect(module.type(['i32'], ['i64', 'f32'])).not.toBe(type)
  expect(module.func(['i32', 'i64'], ['f32']).unreachable().type).toBe(type)
  expect(WebAssembly.validate(module.toBytes())).toBe(true)
})

test('imports of every kind come before the own ones in the index spaces', () => {
  const module = new ModuleBuilder()
  const log = module.importFunction('host', 'log', ['i32'], [])
  module.importMemory('host', 'memory', { initial: 1, maximum: 4 })
  const hostTable = module.importTable('host', 'table', { element: 'funcref', initial: 4 })
  const base = module.importGlobal('host', 'base', { type: 'i32' })
  const counter = module.importGlobal('host', 'counter', { type: 'i64', mutable: true })
  const ownTable = module.table({ element: 'funcref', initial: 1, maximum: 1 })
  const own = module.global({ type: 'i32', mutable: true }, 7)
  const fn = module.func(['i32'], ['i32'])
  expect([log, fn.index, hostTable, ownTable, base, counter, own]).toEqual([0, 1, 0, 1, 0, 1, 2])

  fn.localGet(0).call(log)
  fn.globalGet(counter).i64Const(1).op(Op.i64Add).globalSet(counter)
  fn.globalGet(own).globalGet(base).op(Op.i32Add).globalSet(own)
  fn.i32Const(8).globalGet(own).store(Store.i32Store).globalGet(own)
  module.element(hostTable, 3, [fn.index])
  module.exportFunction('run', fn.index)
  module.exportTable('own', ownTable)
  module.exportGlobal('sum', own)

  const seen: number[] = []
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 4 })
  const table = new WebAssembly.Table({ element: 'anyfunc', initial: 4 })
  const count = new WebAssembly.Global({ value: 'i64', mutable: true }, 40n)
  const host = { log: (x: number) => seen.push(x), memory, table, base: 5, counter: count }
  const exports = instantiate(module, { host })
  expect(exports.run(33)).toBe(12)
  expect((table.get(3) as (x: number) => number)(34)).toBe(17)
  expect(seen).toEqual([33, 34])
  expect(count.value).toBe(42n)
  expect(new Uint32Array(memory.buffer)[2]).toBe(17)
  expect((exports.sum as unknown as WebAssembly.Global).value).toBe(17)
  expect((exports.own as unknown as WebAssembly.Table).length).toBe(1)
})

test('globals of every type start as stated', () => {
  const module = new ModuleBuilder()
  module.memory({ initial: 1 })
  const bytes = Uint8Array.from({ length: 16 }, (_, i) => 240 + i)
  const vector = module.global({ type: 'v128' }, bytes)
  module.exportGlobal('i32', module.global({ type: 'i32' }, -5))
  module.exportGlobal('i64', module.global({ type: 'i64' }, 1n << 62n))
  module.exportGlobal('f32', module.global({ type: 'f32' }, 0.5))
  module.exportGlobal('f64', module.global({ type: 'f64' }, -0))
  const fn = module.func([], ['i64'])
  fn.i32Const(0).globalGet(vector).store(Store.v128Store).i32Const(8).load(Load.i64Load)
  module.exportFunction('high', fn.index)
  const exports = instantiate(module)
  const value = (name: string): unknown => (exports[name] as unknown as WebAssembly.Global).value
  expect([value('i32'), value('i64'), value('f32'), value('f64')]).toEqual([-5, 1n << 62n, 0.5, -0])
  expect(exports.high()).toBe(BigInt.asIntN(64, 0xfffefdfcfbfaf9f8n))
})

test('data segments fill memory, also at high addresses', () => {
  const module = new ModuleBuilder()
  module.memory({ initial: 40_000 })
  module.exportMemory('memory')
  module.data(5, Uint8Array.of(1, 2, 3))
  module.data(2 ** 31 + 7, new Uint8Array(300).fill(9))
  const { memory } = instantiate(module)
  const bytes = new Uint8Array((memory as unknown as WebAssembly.Memory).buffer)
  expect([...bytes.subarray(4, 9)]).toEqual([0, 1, 2, 3, 0])
  expect([bytes[2 ** 31 + 6], bytes[2 ** 31 + 7], bytes[2 ** 31 + 306], bytes[2 ** 31 + 307]]).toEqual([0, 9, 9, 0])
})

test('a shared memory is imported as such', () => {
  const module = new ModuleBuilder()
  module.importMemory('host', 'memory', { initial: 1, maximum: 2, shared: true })
  const bytes = module.toBytes()
  expect(WebAssembly.validate(bytes)).toBe(true)
  expect([...bytes.subarray(-4)]).toEqual([2, 3, 1, 2])
})

/** Reads unsigned LEB128 and names from a section's bytes. */
function reader(section: ArrayBuffer): { u32: () => number; name: () => string; done: () => boolean } {
  const bytes = new Uint8Array(section)
  let at = 0
  const u32 = (): number => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  const name = (): string => {
    const length = u32()
    at += length
    return new TextDecoder().decode(bytes.subarray(at - length, at))
  }
  return { u32, name, done: () => at === bytes.length }
}

test('the name section names the module and its functions, also in stack traces', () => {
  const module = new ModuleBuilder({ name: 'guest ☃', names: true })
  module.importFunction('host', 'log', [], [])
  module.func([], [])
  const trap = module.func([], [], 'trapping — point').unreachable()
  module.exportFunction('run', trap.index)
  const compiled = new WebAssembly.Module(module.toBytes())
  const { u32, name, done } = reader(WebAssembly.Module.customSections(compiled, 'name')[0])
  expect([u32(), u32(), name()]).toEqual([0, 10, 'guest ☃'])
  expect([u32(), u32()]).toEqual([1, expect.any(Number)])
  expect([u32(), u32(), name(), u32(), name()]).toEqual([2, 0, 'log', 2, 'trapping — point'])
  expect(done()).toBe(true)
  const { run } = new WebAssembly.Instance(compiled, { host: { log: () => {} } }).exports
  expect(run).toThrow(WebAssembly.RuntimeError)
})

test('no name section unless asked for', () => {
  const module = new ModuleBuilder()
  module.func([], [], 'named')
  expect(WebAssembly.Module.customSections(new WebAssembly.Module(module.toBytes()), 'name')).toEqual([])
})

/** The code section's bodies, each from the start of its locals' declaration. */
function bodies(module: Uint8Array): Uint8Array[] {
  let at = 8
  const u32 = (): number => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = module[at++]
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  for (;;) {
    const id = module[at++]
    const size = u32()
    if (id === 10) break
    at += size
  }
  return Array.from({ length: u32() }, () => {
    const size = u32()
    at += size
    return module.subarray(at - size, at)
  })
}

test('branch hints point at their branches, behind declarations and prologues of any size', () => {
  const module = new ModuleBuilder()
  module.importFunction('host', 'log', [], [])
  module.func([], [])
  const expected: [number, number[]][] = []
  for (const locals of [0, 1, 300]) {
    for (const loads of [0, 50]) {
      const fn = module.func(['i32'], [])
      for (let i = 0; i < locals; i++) fn.local(i % 2 === 0 ? 'i32' : 'i64')
      const block = fn.block()
      fn.localGet(0).hint(true).if_()
      fn.end().localGet(0).brIf(block)
      fn.localGet(0).hint(false).brIf(block).end()
      const values = [1, 0]
      if (loads > 0) {
        fn.prologue((entry) => {
          for (let i = 0; i < loads; i++) entry.i32Const(1234).drop()
          entry.block()
          entry.localGet(0).hint(false).brIf(1).end()
        })
        values.unshift(0)
      }
      expected.push([fn.index, values])
    }
  }
  const bytes = module.toBytes()
  const code = bodies(bytes)
  const section = WebAssembly.Module.customSections(new WebAssembly.Module(bytes), 'metadata.code.branch_hint')[0]
  const { u32, done } = reader(section)
  expect(u32()).toBe(expected.length)
  for (const [index, values] of expected) {
    expect([u32(), u32()]).toEqual([index, values.length])
    let previous = 0
    for (const value of values) {
      const offset = u32()
      expect([u32(), u32()]).toEqual([1, value])
      expect([0x04, 0x0d]).toContain(code[index - 1][offset])
      expect(code[index - 1].subarray(offset - 2, offset)).toEqual(Uint8Array.of(0x20, 0))
      expect(offset).toBeGreaterThan(previous)
      previous = offset
    }
  }
  expect(done()).toBe(true)
})

test('writing twice gives the same module, and a function may go on in between', () => {
  const module = new ModuleBuilder()
  const fn = module.func([], ['i32'])
  module.exportFunction('run', fn.index)
  fn.i32Const(1)
  const bytes = module.toBytes()
  expect(module.toBytes()).toEqual(bytes)
  fn.i32Const(2).op(Op.i32Add)
  expect(instantiate(module).run()).toBe(3)
})

test('thousands of functions in one module', () => {
  const module = new ModuleBuilder()
  for (let i = 0; i < 5000; i++) module.func([], ['i32']).i32Const(i)
  module.exportFunction('last', 4999)
  expect(instantiate(module).last()).toBe(4999)
})

test.each([
  ['late-import', (m: ModuleBuilder) => (m.func([], []), m.importFunction('host', 'log', [], []))],
  [
    'late-import',
    (m: ModuleBuilder) => (
      m.table({ element: 'funcref', initial: 1 }), m.importTable('host', 't', { element: 'funcref', initial: 1 })
    ),
  ],
  ['late-import', (m: ModuleBuilder) => (m.global({ type: 'i32' }, 1), m.importGlobal('host', 'g', { type: 'i32' }))],
  ['duplicate-export', (m: ModuleBuilder) => (m.exportMemory('x'), m.exportTable('x'))],
  ['second-memory', (m: ModuleBuilder) => (m.importMemory('host', 'm', { initial: 1 }), m.memory({ initial: 1 }))],
  ['second-memory', (m: ModuleBuilder) => (m.memory({ initial: 1 }), m.importMemory('host', 'm', { initial: 1 }))],
  ['shared-without-maximum', (m: ModuleBuilder) => m.importMemory('host', 'm', { initial: 1, shared: true })],
  ['immediate-out-of-range', (m: ModuleBuilder) => m.data(2 ** 32, new Uint8Array(1))],
  ['immediate-out-of-range', (m: ModuleBuilder) => m.global({ type: 'v128' }, new Uint8Array(3))],
])('%s is a typed error that names the module', (code, act) => {
  expect(() => act(new ModuleBuilder({ name: 'guest' }))).toThrow(
    expect.objectContaining({ code, message: expect.stringMatching(/^module guest: /) }),
  )
})
