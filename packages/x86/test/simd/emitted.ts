/** The same machine with its semantics as WebAssembly: one function per instruction, memory without checks. */
import { ModuleBuilder } from '@vmexit/wasm-asm'
import { decode, type Insn } from '@vmexit/x86-decoder'
import { Emitter, type RoutineLinker } from '../../src/ops/emit.ts'
import type { Node } from '../../src/ops/node.ts'
import type { Routine } from '../../src/ops/ops.ts'
import { ROUTINES, RoutineLibrary } from '../../src/ops/routines.ts'
import { setStatusFlags } from '../../src/semantics/lazy-flags.ts'
import type { Processor, Ready } from '../../src/semantics/processor.ts'
import { simd } from '../../src/semantics/simd/index.ts'
import { Layout } from '../../src/state/layout.ts'
import { CpuState } from '../../src/state/state.ts'
import { enableSse, type Machine, MEMORY } from './machine.ts'

/** Where guest memory lies in the module's, and what a function returns when it leaves for the slow way. */
const GUEST = 0x2000
const SLOW = 255

/** As much of a processor as SIMD instructions ask for. */
class InstructionEmitter extends Emitter {
  readonly width: 32 | 64

  constructor(width: 32 | 64, link: RoutineLinker) {
    super(link)
    this.width = width
  }

  gpr(reg: number, bits: number): Node {
    return this.peek(bits === 64 ? 'i64' : 'i32', this.state(), Layout.gpr + 8 * reg, bits, true)
  }
  setGpr(reg: number, bits: number, value: Node): void {
    const widened = this.width === 64 && bits === 32
    this.poke(this.state(), Layout.gpr + 8 * reg, widened ? this.extendU(value) : value, widened ? 64 : bits)
  }
  address(insn: Insn): Node {
    return this.gpr(insn.base, this.width)
  }
  #host(offset: Node): Node {
    return this.width === 64 ? this.wrap(offset) : offset
  }
  load(_seg: number, offset: Node, bits: number, signed = false): Node {
    return this.peek(bits === 64 ? 'i64' : 'i32', this.#host(offset), GUEST, bits, signed)
  }
  store(_seg: number, offset: Node, bits: number, value: Node): void {
    this.poke(this.#host(offset), GUEST, value, bits)
  }
  load128(_seg: number, offset: Node): Node {
    return this.peek('v128', this.#host(offset), GUEST, 128)
  }
  store128(_seg: number, offset: Node, value: Node): void {
    this.poke(this.#host(offset), GUEST, value, 128)
  }
  probeWrite(): void {}
  setStatusFlags(image: Node): void {
    setStatusFlags(this as never, image)
  }
  setSlot(name: 'FR' | 'FX' | 'X' | 'Y' | 'S' | 'CA' | 'CB', value: Node): void {
    const wide = this.width === 64 && value.type === 'i32' ? this.extendS(value) : value
    this.poke(this.state(), Layout[name], wide, this.width)
  }
  word(value: number): Node {
    return this.width === 64 ? this.i64(BigInt(value)) : this.i32(value)
  }
  raise(vector: number): void {
    this.fn.i32Const(vector).return_()
  }
  bail(): void {
    this.raise(SLOW)
  }
  bailIf(_ready: Ready, condition: () => Node): void {
    this.if(condition(), () => this.bail())
  }
}

/** Emits `insn` twice: once to find the routines that it calls. */
function compile(insn: Insn, width: 32 | 64, memory: WebAssembly.Memory, library: RoutineLibrary): () => number {
  const meaning = simd[insn.op]
  const routines = new Set<Routine>()
  const finder = new InstructionEmitter(width, (routine) => {
    routines.add(routine)
    return 0
  })
  finder.begin(new ModuleBuilder().func(['i32'], ['i32']))
  meaning(finder as unknown as Processor<Node>, insn)
  library.require(routines)

  const module = new ModuleBuilder()
  module.importMemory('env', 'memory', { initial: 1 })
  const index = new Map<Routine, number>()
  for (const routine of routines) {
    index.set(routine, module.importFunction(ROUTINES, routine.name, routine.params, routine.results))
  }
  const fn = module.func(['i32'], ['i32'])
  module.exportFunction('run', fn.index)
  const emitter = new InstructionEmitter(width, (routine) => index.get(routine)!)
  emitter.begin(fn)
  meaning(emitter as unknown as Processor<Node>, insn)
  fn.i32Const(0)
  const imports = { env: { memory }, [ROUTINES]: library.functions as WebAssembly.ModuleImports }
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.toBytes()), imports)
  return () => (exports['run'] as (base: number) => number)(0)
}

const library = new RoutineLibrary()

/** A machine that executes by generated code. A fault of the slow way is the vector {@link SLOW}. */
export function createEmittingMachine(bits: 32 | 64): Machine {
  const memory = new WebAssembly.Memory({ initial: 1 })
  const { buffer } = memory
  const host = {
    view: new DataView(buffer),
    u8: new Uint8Array(buffer),
    i32: new Int32Array(buffer),
    u32: new Uint32Array(buffer),
  }
  const state = new CpuState(host, 0)
  enableSse(state, bits)
  const compiled = new Map<string, () => number>()
  return {
    state,
    memory: new DataView(buffer, GUEST, MEMORY),
    execute(code) {
      const key = code.join()
      const run = compiled.get(key) ?? compile(decode(code, { bits }), bits, memory, library)
      compiled.set(key, run)
      return run() || undefined
    },
  }
}
