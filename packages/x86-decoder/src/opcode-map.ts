/** Opcode maps of one mode: from prefix column, map and opcode to what follows. SDM volume 2, appendix A. */
import { Form, Tail } from './form.ts'
import type { Feature, Row } from './row.ts'

/** Prefix columns, in the order none, 66, F3, F2. */
const columns = { NP: 0, '66': 1, F3: 2, F2: 3 } as const
/** Entries of one column: three maps of 256 opcodes. */
export const columnLength: number = 3 * 256
/** Slots of a ModRM group: memory by reg, then registers by reg and rm. */
const groupLength = 8 + 64

/** One opcode. */
export interface Opcode {
  /** A ModRM byte follows. */
  readonly modrm: boolean
  /** The form, unless a group decides. */
  readonly form: Form | null
  /** The form that REX.B selects instead: 90 is NOP, but XCHG with R8. */
  readonly extended: Form | null
  /** Forms by ModRM: `mod ≠ 3 ? reg : 8 + (modrm & 63)`; `null` where all are the same. */
  readonly group: readonly (Form | null)[] | null
  /** What follows the address bytes where no form is chosen: an undefined encoding is as long as the opcode's other forms. */
  readonly tail: Tail
}

/** All opcodes of a mode: `column * columnLength + map * 256 + opcode`; `null` is undefined. */
export type OpcodeMap = readonly (Opcode | null)[]

/** Bases of the maps behind 0F and 0F 38. */
export const mapBase = { one: 0, two: 256, three: 512 } as const

interface Draft {
  modrm: boolean
  form: Form | null
  extended: Form | null
  group: (Form | null)[]
}

/** The more a row says about its bytes, the later it is placed, over those that say less. */
function specificity({ opcode }: Form): number {
  const narrow = typeof opcode.extension === 'number' || opcode.modrm !== null
  return (opcode.rexW ? 8 : 0) + (opcode.prefix !== null ? 4 : 0) + (narrow ? 2 : 0) + (opcode.span === 1 ? 1 : 0)
}

function groupSlots(form: Form): number[] {
  const { modrm } = form.opcode
  if (modrm) return Array.from({ length: modrm.span }, (_, n) => 8 + ((modrm.first + n) & 63))
  const slots: number[] = []
  for (let reg = 0; reg < 8; reg++) {
    if (!((form.regs >> reg) & 1)) continue
    if (form.memoryAllowed) slots.push(reg)
    if (form.registerAllowed) for (let rm = 0; rm < 8; rm++) slots.push(8 + reg * 8 + rm)
  }
  return slots
}

function place(draft: Draft, form: Form): void {
  const { opcode } = form
  if (draft.modrm) {
    for (const slot of groupSlots(form)) {
      const before = draft.group[slot]
      if (opcode.rexW && before) before.wide = form
      else draft.group[slot] = form
    }
    return
  }
  if (draft.form?.opcode.opcodeRegister && !opcode.opcodeRegister) draft.extended = draft.form
  draft.form = form
}

function settle(draft: Draft): Opcode {
  const { modrm, extended, group } = draft
  const [first = null] = modrm ? group : [draft.form]
  if (!modrm || group.every((form) => form === first))
    return { modrm, form: first, extended, group: null, tail: first?.tail ?? Tail.none }
  const tails = new Set(group.flatMap((form) => (form ? [form.tail] : [])))
  const [tail = Tail.none] = tails.size === 1 ? tails : []
  return { modrm, form: null, extended, group, tail }
}

/** An opcode of another prefix column, with no form in this one. */
function undefinedLike({ modrm, tail }: Opcode): Opcode {
  return { modrm, form: null, extended: null, group: null, tail }
}

/** Builds the opcode map of one mode from the rows whose feature is present. */
export function buildOpcodeMap(rows: readonly Row[], features: ReadonlySet<Feature>, long: boolean): OpcodeMap {
  const drafts: (Draft | null)[] = new Array(columnLength * 4).fill(null)
  const forms = rows
    .filter((row) => features.has(row.feature) && row.modes !== (long ? 'legacy' : 'long'))
    .map((row) => new Form(row, long))
    .sort((a, b) => specificity(a) - specificity(b))
  for (const form of forms) {
    const { prefix, map, opcode, span, extension, modrm } = form.opcode
    for (const column of prefix === null ? [0, 1, 2, 3] : [columns[prefix]]) {
      for (let n = 0; n < span; n++) {
        const index = column * columnLength + map * 256 + opcode + n
        drafts[index] ??= {
          modrm: extension !== 'none' || modrm !== null,
          form: null,
          extended: null,
          group: new Array(groupLength).fill(null),
        }
        place(drafts[index], form)
      }
    }
  }
  const opcodes = drafts.map((draft) => draft && settle(draft))
  return opcodes.map((opcode, index) => {
    if (opcode) return opcode
    const other = [0, 1, 2, 3].map((column) => opcodes[column * columnLength + (index % columnLength)]).find(Boolean)
    return other ? undefinedLike(other) : null
  })
}
