/** A WebAssembly module, its sections encoded as they are declared (core specification, section 5.5). */
import { ByteWriter } from './bytes.ts'
import { WasmAsmError } from './error.ts'
import { FunctionBuilder } from './function.ts'
import { Section } from './section.ts'
import {
  type Owner,
  TYPE_CODE,
  type ValueType,
  writeF32Const,
  writeF64Const,
  writeI32Const,
  writeI64Const,
  writeV128Const,
} from './value.ts'

/** Sizes in pages of 64 KB. */
export interface MemoryType {
  readonly initial: number
  readonly maximum?: number
  /** Shared between threads; needs a maximum. */
  readonly shared?: boolean
}

/** Sizes in entries. */
export interface TableType {
  readonly element: 'funcref'
  readonly initial: number
  readonly maximum?: number
}

/** The type of a global. */
export interface GlobalType<T extends ValueType = ValueType> {
  readonly type: T
  readonly mutable?: boolean
}

/** What a global of each type starts as; a vector is sixteen bytes, the lowest lane first. */
export type InitialValue<T extends ValueType> = T extends 'v128'
  ? Uint8Array
  : T extends 'i64'
    ? number | bigint
    : number

/** What is said of a module as a whole. */
export interface ModuleOptions {
  /** Written to the name section. */
  readonly name?: string
  /** Whether to write a name section with the names of functions. */
  readonly names?: boolean
}

/** The kinds of what is imported and exported, as both sections number them. */
const FUNCTION = 0
const TABLE = 1
const MEMORY = 2
const GLOBAL = 3

const FUNCREF = 0x70
const END = 0x0b
const PREAMBLE = new Uint8Array([0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0])

const SECTION = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  element: 9,
  code: 10,
  data: 11,
} as const

/**
 * Builds one module. Indices count imports first, so imports of a kind are declared before the module's own of that
 * kind: else `late-import` is thrown. There is at most one memory (`second-memory`).
 */
export class ModuleBuilder implements Owner {
  /** The module, as error messages name it. */
  readonly owner: string
  private readonly options: ModuleOptions
  private readonly types = new Section(SECTION.type)
  private readonly typeIndices = new Map<string, number>()
  private readonly imports = new Section(SECTION.import)
  private readonly tables = new Section(SECTION.table)
  private readonly memories = new Section(SECTION.memory)
  private readonly globals = new Section(SECTION.global)
  private readonly exports = new Section(SECTION.export)
  private readonly exportNames = new Set<string>()
  private readonly elements = new Section(SECTION.element)
  private readonly dataSegments = new Section(SECTION.data)
  private readonly functions: FunctionBuilder[] = []
  private readonly importedFunctionNames: string[] = []
  private importedTables = 0
  private importedMemories = 0
  private importedGlobals = 0

  constructor(options: ModuleOptions = {}) {
    this.options = options
    this.owner = options.name === undefined ? 'module' : `module ${options.name}`
  }

  /** Index of a function type; the same one for the same type. */
  type(params: readonly ValueType[], results: readonly ValueType[]): number {
    const key = `${params.join()}>${results.join()}`
    const known = this.typeIndices.get(key)
    if (known !== undefined) return known
    const out = this.types.entry()
    out.u8(0x60)
    writeTypes(out, params)
    writeTypes(out, results)
    this.typeIndices.set(key, this.typeIndices.size)
    return this.typeIndices.size - 1
  }

  /** Index of the imported function. */
  importFunction(module: string, name: string, params: readonly ValueType[], results: readonly ValueType[]): number {
    this.requireNoneOwn('function', name, this.functions.length)
    const type = this.type(params, results)
    this.import(module, name, FUNCTION).u32(type)
    return this.importedFunctionNames.push(name) - 1
  }

  importMemory(module: string, name: string, memory: MemoryType): void {
    this.requireFirstMemory()
    this.writeMemory(this.import(module, name, MEMORY), memory)
    this.importedMemories++
  }

  /** Index of the imported table. */
  importTable(module: string, name: string, table: TableType): number {
    this.requireNoneOwn('table', name, this.tables.count)
    this.writeTable(this.import(module, name, TABLE), table)
    return this.importedTables++
  }

  /** Index of the imported global; immutable unless the type says otherwise. */
  importGlobal(module: string, name: string, global: GlobalType): number {
    this.requireNoneOwn('global', name, this.globals.count)
    writeGlobal(this.import(module, name, GLOBAL), global)
    return this.importedGlobals++
  }

  memory(memory: MemoryType): void {
    this.requireFirstMemory()
    this.writeMemory(this.memories.entry(), memory)
  }

  /** Index of the new table. */
  table(table: TableType): number {
    this.writeTable(this.tables.entry(), table)
    return this.importedTables + this.tables.count - 1
  }

  /** Index of the new global; immutable unless the type says otherwise. */
  global<T extends ValueType>(global: GlobalType<T>, initial: InitialValue<T>): number {
    const out = this.globals.entry()
    writeGlobal(out, global)
    const value: unknown = initial
    switch (global.type) {
      case 'i32':
        writeI32Const(out, value as number, this)
        break
      case 'i64':
        writeI64Const(out, value as number | bigint, this)
        break
      case 'f32':
        writeF32Const(out, value as number)
        break
      case 'f64':
        writeF64Const(out, value as number)
        break
      case 'v128':
        writeV128Const(out, value as Uint8Array, this)
        break
    }
    out.u8(END)
    return this.importedGlobals + this.globals.count - 1
  }

  /** A new function, whose body may be emitted at any time before `toBytes`. */
  func(params: readonly ValueType[], results: readonly ValueType[], name?: string): FunctionBuilder {
    const index = this.importedFunctionNames.length + this.functions.length
    const fn = new FunctionBuilder(index, this.type(params, results), params, name)
    this.functions.push(fn)
    return fn
  }

  /** Throws `duplicate-export`, as every export does. */
  exportFunction(name: string, index: number): void {
    this.export(name, FUNCTION, index)
  }

  exportMemory(name: string): void {
    this.export(name, MEMORY, 0)
  }

  exportTable(name: string, index = 0): void {
    this.export(name, TABLE, index)
  }

  exportGlobal(name: string, index: number): void {
    this.export(name, GLOBAL, index)
  }

  /** Puts functions into the table from entry `offset` on, when the module is instantiated. */
  element(table: number, offset: number, functions: readonly number[]): void {
    const out = this.elements.entry()
    out.u8(table === 0 ? 0 : 2)
    if (table !== 0) out.u32(table)
    this.writeOffset(out, offset)
    if (table !== 0) out.u8(0)
    out.u32(functions.length)
    for (const index of functions) out.u32(index)
  }

  /** Copies bytes to memory at `offset`, when the module is instantiated. */
  data(offset: number, bytes: Uint8Array): void {
    const out = this.dataSegments.entry()
    out.u8(0)
    this.writeOffset(out, offset)
    out.u32(bytes.length)
    out.raw(bytes)
  }

  /** The module. Throws what an unfinished function gives: `unclosed-block`, `dangling-hint`. */
  toBytes(): Uint8Array<ArrayBuffer> {
    const signatures = new Section(SECTION.function)
    const code = new Section(
      SECTION.code,
      this.functions.reduce((sum, fn) => sum + fn.byteLength + 16, 0),
    )
    const branches = new Section(SECTION.custom)
    const header = new ByteWriter()
    const hints: number[] = []
    for (const fn of this.functions) {
      signatures.entry().u32(fn.type)
      hints.length = 0
      fn.encode(code.entry(), header, hints)
      if (hints.length > 0) writeHints(branches.entry(), fn.index, hints)
    }
    const out = new ByteWriter(code.length + 256)
    out.raw(PREAMBLE)
    for (const section of [this.types, this.imports, signatures, this.tables, this.memories, this.globals])
      section.writeTo(out)
    for (const section of [this.exports, this.elements]) section.writeTo(out)
    branches.writeTo(out, 'metadata.code.branch_hint')
    code.writeTo(out)
    this.dataSegments.writeTo(out)
    this.writeNames(out)
    return out.toBytes()
  }

  private import(module: string, name: string, kind: number): ByteWriter {
    const out = this.imports.entry()
    out.name(module)
    out.name(name)
    out.u8(kind)
    return out
  }

  private export(name: string, kind: number, index: number): void {
    if (this.exportNames.has(name)) {
      throw new WasmAsmError(
        'duplicate-export',
        this.owner,
        `'${name}' is exported already: give one of the two another name`,
      )
    }
    this.exportNames.add(name)
    const out = this.exports.entry()
    out.name(name)
    out.u8(kind)
    out.u32(index)
  }

  private requireNoneOwn(kind: string, name: string, own: number): void {
    if (own === 0) return
    throw new WasmAsmError(
      'late-import',
      this.owner,
      `import of ${kind} '${name}' after the module's own first ${kind}: indices count imports first, so import before`,
    )
  }

  private requireFirstMemory(): void {
    if (this.importedMemories + this.memories.count === 0) return
    throw new WasmAsmError('second-memory', this.owner, 'it has a memory already: declare or import just one')
  }

  private writeMemory(out: ByteWriter, { initial, maximum, shared = false }: MemoryType): void {
    if (shared && maximum === undefined) {
      throw new WasmAsmError('shared-without-maximum', this.owner, 'a shared memory needs a maximum: state one')
    }
    writeLimits(out, initial, maximum, shared ? 2 : 0)
  }

  private writeTable(out: ByteWriter, { initial, maximum }: TableType): void {
    out.u8(FUNCREF)
    writeLimits(out, initial, maximum, 0)
  }

  private writeOffset(out: ByteWriter, offset: number): void {
    writeI32Const(out, offset, this)
    out.u8(END)
  }

  private writeNames(out: ByteWriter): void {
    const { name, names = false } = this.options
    if (name === undefined && !names) return
    out.u8(SECTION.custom)
    const start = out.beginSized()
    out.name('name')
    if (name !== undefined) {
      out.u8(0)
      const subsection = out.beginSized()
      out.name(name)
      out.endSized(subsection)
    }
    if (names) this.writeFunctionNames(out)
    out.endSized(start)
  }

  private writeFunctionNames(out: ByteWriter): void {
    const named = this.functions.filter((fn) => fn.name !== undefined)
    out.u8(1)
    const subsection = out.beginSized()
    out.u32(this.importedFunctionNames.length + named.length)
    this.importedFunctionNames.forEach((name, index) => {
      out.u32(index)
      out.name(name)
    })
    for (const fn of named) {
      out.u32(fn.index)
      out.name(fn.name as string)
    }
    out.endSized(subsection)
  }
}

function writeTypes(out: ByteWriter, types: readonly ValueType[]): void {
  out.u32(types.length)
  for (const type of types) out.u8(TYPE_CODE[type])
}

function writeLimits(out: ByteWriter, initial: number, maximum: number | undefined, flags: number): void {
  out.u8(maximum === undefined ? flags : flags | 1)
  out.u32(initial)
  if (maximum !== undefined) out.u32(maximum)
}

function writeGlobal(out: ByteWriter, { type, mutable = false }: GlobalType): void {
  out.u8(TYPE_CODE[type])
  out.u8(mutable ? 1 : 0)
}

/** A function's branch hints; each has a length of one byte. */
function writeHints(out: ByteWriter, index: number, hints: readonly number[]): void {
  out.u32(index)
  out.u32(hints.length / 2)
  for (let i = 0; i < hints.length; i += 2) {
    out.u32(hints[i])
    out.u8(1)
    out.u8(hints[i + 1])
  }
}
