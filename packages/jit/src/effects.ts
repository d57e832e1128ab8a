/** What instructions do with registers, flags and the x87 unit: found by emitting each form once into a function that is thrown away. */
import { ModuleBuilder } from '@vmexit/wasm-asm'
import { frequentHandler, Handler, type Mode, type Routine } from '@vmexit/x86/engine'
import { type Insn, Kind, type Operand, type Row, Seg } from '@vmexit/x86-decoder'
import type { Span } from './accesses.ts'
import { stepOf } from './insn.ts'
import { type Effects, Locals } from './locals.ts'
import { TranslationProcessor } from './processor.ts'
import type { Shape } from './shape.ts'

/** Effects of a form, and the routines that its code calls. */
export interface Form extends Readonly<Effects> {
  /** Parts that are in locals behind it, whatever was before, as bits. */
  readonly holds: number
  readonly routines: readonly Routine[]
  /** The shape that it leaves behind, of the one that there was. */
  readonly after: Shape | undefined
}

const STACK = 1 << 4
const EVERYWHERE: Span = { low: -(2 ** 30), high: 2 ** 30 }
const nothing = (): void => {}

/** Whether segments are flat: that of the operand, and those that are implied. */
function segmentsOf({ seg }: Insn, { flatRead, flatWrite, codeLimit, stackBits }: Mode): number {
  const flat = (segment: number): number => ((flatRead >> segment) & 1) | (((flatWrite >> segment) & 1) << 1)
  const limits = (codeLimit === 0xffff_ffff ? 1 : 0) | (stackBits === 32 ? 2 : 0)
  return flat(seg) | (flat(Seg.ss) << 2) | (flat(Seg.es) << 4) | (limits << 6)
}

/** Finds and keeps them. */
export class Forms {
  readonly #base: number
  readonly #operands = new Map<readonly Operand[], number>()
  /** By what the segments are like that instructions use. */
  readonly #known = new Map<number, Map<Row, Map<number, Form>>>()
  /** What depends on the shape. */
  readonly #shaped = new Map<Form, Map<string, Form>>()

  constructor(base: number) {
    this.#base = base
  }

  of(insn: Insn, mode: Mode): Form {
    const operands = this.#operands.get(insn.operands) ?? this.#operands.size
    if (operands === this.#operands.size) this.#operands.set(insn.operands, operands)
    const segments = segmentsOf(insn, mode)
    let rows = this.#known.get(segments)
    if (!rows) this.#known.set(segments, (rows = new Map()))
    let forms = rows.get(insn.row)
    if (!forms) rows.set(insn.row, (forms = new Map()))
    const step = stepOf(insn)
    // What differs beyond operands, address and sizes: plain cases of actions, and constants, by which vectors are shuffled,
    // shifts that change no flags told from those that do, and AAM divides by 0.
    let variant = 0
    if (step === 'action' || step === 'transfer') variant = frequentHandler(insn, mode)
    else if (insn.operands.at(-1)?.kind === Kind.imm) variant = insn.imm & 0xff
    const sizes = (insn.opSize === 16 ? 1 : 0) + (insn.addrSize === 16 ? 2 : 0) + (insn.rep === 0 ? 0 : 4)
    const key = (((operands * 9 + insn.base + 1) * 9 + insn.index + 1) * 8 + sizes) * 256 + variant
    const known = forms.get(key)
    if (known) return known
    const form = this.#find(insn, mode)
    forms.set(key, form)
    return form
  }
  /** The same where the x87 unit has a shape. */
  inShape(insn: Insn, mode: Mode, shape: Shape): Form {
    const form = this.of(insn, mode)
    if (!form.shaped) return form
    let forms = this.#shaped.get(form)
    if (!forms) this.#shaped.set(form, (forms = new Map()))
    const key = `${shape.top} ${shape.empty} ${shape.fcw}`
    const known = forms.get(key) ?? this.#find(insn, mode, shape)
    forms.set(key, known)
    return known
  }

  #find(insn: Insn, mode: Mode, shape?: Shape): Form {
    const routines = new Set<Routine>()
    const processor = new TranslationProcessor(this.#base, (routine) => {
      routines.add(routine)
      return 0
    })
    const fn = new ModuleBuilder().func(['i32', 'i32'], ['i64'])
    processor.begin(fn)
    processor.locals = new Locals(fn)
    if (shape) processor.takeShape(shape)
    processor.calls = { act: 0, resume: 0, settle: 0 }
    processor.surroundings = { leave: nothing, miss: nothing, missWindow: nothing, pause: nothing, act: nothing }
    processor.frame = 0
    processor.span = EVERYWHERE
    const step = stepOf(insn)
    const { effects } = processor
    if (step !== 'action' && step !== 'transfer') processor.instruction(insn, 0, mode)
    else {
      const handler = frequentHandler(insn, mode)
      if (handler !== Handler.act) processor.frequent(handler, insn, 0, mode)
      for (const { kind, reg } of insn.operands) if (kind === Kind.gpr) effects.uses |= 1 << reg
      // The action has all of the state.
      effects.leaves = true
      effects.readsFlags = true
      effects.setsFlags = false
      effects.sets = 0
    }
    if (step === 'call' || step === 'callIndirect') effects.uses |= STACK
    return { ...effects, holds: processor.inLocals, routines: [...routines], after: processor.shape }
  }
}
