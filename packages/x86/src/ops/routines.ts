/** Routines as WebAssembly functions: each compiled once, on first use, and imported by the modules that call it. */
import { ModuleBuilder } from '@vmexit/wasm-asm'
import { Emitter } from './emit.ts'
import { localNode } from './node.ts'
import type { Routine } from './ops.ts'

/** What a module imports its routines from. */
export const ROUTINES = 'routines'

export class RoutineLibrary {
  /** Compiled routines by name: the import object's `routines`. */
  readonly functions: Record<string, WebAssembly.ExportValue> = {}
  readonly #known = new Map<string, Routine>()
  readonly #memory: WebAssembly.Memory | undefined

  /** `memory` is for routines that read or write a CPU's state, whose base is their first parameter. */
  constructor(memory?: WebAssembly.Memory) {
    this.#memory = memory
  }

  /** Have `routines` and all that they call compiled. */
  require(routines: Iterable<Routine>): void {
    const missing = new Set<Routine>()
    const collect = (routine: Routine): void => {
      const known = this.#known.get(routine.name)
      if (known) {
        if (known !== routine) throw new TypeError(`two routines are named '${routine.name}': give one another name`)
        return
      }
      this.#known.set(routine.name, routine)
      missing.add(routine)
      for (const callee of calleesOf(routine)) collect(callee)
    }
    for (const routine of routines) collect(routine)
    if (missing.size > 0) this.#compile(missing)
  }

  #compile(missing: ReadonlySet<Routine>): void {
    const module = new ModuleBuilder({ name: 'routines' })
    if (this.#memory) module.importMemory('env', 'memory', { initial: 1, maximum: 65536 })
    const callees = new Set<Routine>()
    for (const routine of missing)
      for (const callee of calleesOf(routine)) if (!missing.has(callee)) callees.add(callee)
    const index = new Map<Routine, number>()
    for (const callee of callees)
      index.set(callee, module.importFunction(ROUTINES, callee.name, callee.params, callee.results))
    const functions = [...missing].map((routine) => {
      const fn = module.func(routine.params, routine.results, routine.name)
      index.set(routine, fn.index)
      module.exportFunction(routine.name, fn.index)
      return fn
    })
    const emitter = new Emitter((routine) => index.get(routine)!)
    for (const [i, routine] of [...missing].entries()) emitRoutine(emitter, routine, functions[i]!)
    const env = this.#memory ? { memory: this.#memory } : {}
    const instance = new WebAssembly.Instance(new WebAssembly.Module(module.toBytes()), {
      env,
      [ROUTINES]: this.functions,
    })
    Object.assign(this.functions, instance.exports)
  }
}

type Fn = ReturnType<ModuleBuilder['func']>

function emitRoutine(emitter: Emitter, routine: Routine, fn: Fn): void {
  emitter.begin(fn)
  const results = routine.body(emitter, ...routine.params.map((type, i) => localNode(type, i)))
  for (const result of results) emitter.emit(result)
}

const callees = new WeakMap<Routine, ReadonlySet<Routine>>()

/** The routines that `routine` calls directly, found by emitting it into a module that is thrown away. */
function calleesOf(routine: Routine): ReadonlySet<Routine> {
  const known = callees.get(routine)
  if (known) return known
  const found = new Set<Routine>()
  const emitter = new Emitter((callee) => {
    found.add(callee)
    return 0
  })
  emitRoutine(emitter, routine, new ModuleBuilder().func(routine.params, routine.results))
  callees.set(routine, found)
  return found
}
