/** Random instructions: rows of the decoder's table as bytes, with operands that mostly lie in valid memory. */
import { type Row, table } from '@vmexit/x86-decoder'
import type { Random } from '../random.ts'

/** What operands are made for. */
export interface Target {
  readonly bits: 16 | 32
  readonly cpl: 0 | 3
  /** Offsets in DS: data; and where in them the code lies too, if it does (for stores into code). */
  readonly data: number
  /** Offset of the code in CS, its bytes. */
  readonly code: number
  readonly codeBytes: number
  /** Further offsets worth reaching: aliases, large pages, ROM, holes. */
  readonly elsewhere: readonly number[]
}

/** Executed by chance they would only end the machine. */
const NEVER = new Set(['lgdt', 'lidt', 'lldt', 'ltr', 'hlt', 'lmsw', 'wrmsr', 'rsm', 'sysexit', 'sysenter'])
const RARE = new Set([
  'jmp_far',
  'call_far',
  'jmp_far_ind',
  'call_far_ind',
  'ret_far',
  'iret',
  'int',
  'in',
  'out',
  'ins',
  'outs',
  'les',
  'lds',
  'lss',
  'lfs',
  'lgs',
])
const rows = table.filter((row) => row.modes !== 'long' && row.feature !== 'lm' && row.feature !== 'vmx')
const dangerous = (row: Row): boolean => NEVER.has(row.op) || /\b(CR|DR)\b/.test(row.operands)
const grouped = {
  integer: rows.filter(
    (row) =>
      /^(386|486|pentium|cmov|cx8|nopl|pause)$/.test(row.feature) &&
      row.privilege === 'user' &&
      !RARE.has(row.op) &&
      !dangerous(row),
  ),
  float: rows.filter((row) => !/^(386|486|pentium|cmov|cx8|nopl|pause)$/.test(row.feature) && !dangerous(row)),
  system: rows.filter((row) => (row.privilege !== 'user' || RARE.has(row.op)) && !dangerous(row)),
  dangerous: rows.filter(dangerous),
  strings: rows.filter((row) => /^(movs|cmps|scas|lods|stos)$/.test(row.op)),
  stack: rows.filter((row) => /^(push|pop|call|ret|leave|enter|pusha|popa|pushf|popf|call_ind)$/.test(row.op)),
  branches: rows.filter((row) => /^(jmp|jcc|call|loop|loope|loopne|jcxz)$/.test(row.op)),
  arithmetic: rows.filter((row) => /^(add|sub|cmp|test|and|or|xor|inc|dec|mov)$/.test(row.op) && !dangerous(row)),
}

export class Instructions {
  readonly #random: Random
  readonly #target: Target
  #out: number[] = []

  constructor(random: Random, target: Target) {
    this.#random = random
    this.#target = target
  }

  /** A stream of `length` bytes. */
  fill(length: number): Uint8Array {
    this.#out = []
    while (this.#out.length < length) this.#next()
    return Uint8Array.from(this.#out.slice(0, length))
  }

  #next(): void {
    const random = this.#random
    const kind = random.below(100)
    if (kind < 10) this.#pointer()
    else if (kind < 13) this.#countedString()
    else if (kind < 20) this.#compareAndBranch()
    else if (kind < 22) this.#storeNearby()
    else if (kind < 23) this.#rewrite()
    else if (kind < 25) this.#special()
    else if (kind < 34) this.#encode(random.pick(grouped.stack))
    else if (kind < 42) this.#encode(random.pick(grouped.branches))
    else if (kind < 46) this.#encode(random.pick(grouped.strings), true)
    else if (kind < 63) this.#encode(random.pick(grouped.float))
    else if (kind < 65) this.#encode(random.pick(grouped.system))
    else if (kind < 66) this.#garbage()
    else if (random.one(400)) this.#encode(random.pick(grouped.dangerous))
    else this.#encode(random.pick(grouped.integer))
  }

  #garbage(): void {
    for (let i = this.#random.below(6); i >= 0; i--) this.#byte(this.#random.next())
  }
  #byte(value: number): void {
    this.#out.push(value & 0xff)
  }
  #word(value: number, bytes: number): void {
    for (let i = 0; i < bytes; i++) this.#byte(value >>> (8 * i))
  }
  /** Bytes of the default size. */
  get #wide(): number {
    return this.#target.bits >> 3
  }

  /** An offset in DS. Often just before the end of a page. */
  #offset(): number {
    const random = this.#random
    const { data, elsewhere } = this.#target
    const base = elsewhere.length > 0 && random.one(4) ? random.pick(elsewhere) : data + random.below(4) * 0x1000
    return (
      base +
      (random.one(6) ? 0xff0 + random.below(0x14) : random.one(2) ? random.below(0x1000) & ~15 : random.below(0x1000))
    )
  }

  /** MOV of a valid offset to a register that addresses are made of. */
  #pointer(): void {
    const register = this.#random.pick([0, 1, 2, 3, 5, 6, 7, 3, 5, 6, 7])
    this.#byte(0xb8 + register)
    this.#word(this.#offset(), this.#wide)
  }

  #countedString(): void {
    this.#byte(0xb9)
    this.#word(this.#random.below(24), this.#wide)
    if (this.#random.one(3)) this.#byte(this.#random.one(2) ? 0xfd : 0xfc)
    this.#encode(this.#random.pick(grouped.strings), true)
  }

  #compareAndBranch(): void {
    this.#encode(this.#random.pick(grouped.arithmetic))
    this.#byte(0x70 + this.#random.below(16))
    this.#byte(this.#random.one(2) ? this.#random.below(12) : -this.#random.below(40))
  }

  /** A store through CS, where that may be written, or to wherever DS reaches the code: into the next few bytes. */
  #storeNearby(): void {
    const random = this.#random
    const { code, elsewhere } = this.#target
    if (random.one(2)) this.#byte(0x2e)
    const base = random.one(3) && elsewhere.length > 0 ? random.pick(elsewhere) : code
    const at = (base & ~0xfff) + (code & 0xfff) + this.#out.length + random.below(24)
    const how = random.below(4)
    // MOV byte, ADD byte, INC dword/word, MOV dword/word: [at], immediate
    this.#byte([0xc6, 0x80, 0xff, 0xc7][how]!)
    this.#byte(this.#target.bits === 16 ? 0x06 : 0x05)
    this.#word(at, this.#wide)
    if (how < 2) this.#byte(random.next())
    if (how === 3) this.#word(random.next(), this.#wide)
    if (how > 0 && random.one(2)) {
      this.#byte(0x70 + random.below(16))
      this.#byte(random.below(8))
    }
  }

  /** Code nearby gets the bytes that it has, or others and then those again. */
  #rewrite(): void {
    const random = this.#random
    const { code, elsewhere } = this.#target
    const base = random.one(3) && elsewhere.length > 0 ? random.pick(elsewhere) : code
    const at = (base & ~0xfff) + (code & 0xfff) + this.#out.length + random.below(64) - 40
    const opcodes = random.one(2) ? [0xa1, 0xa3] : [0xa1, 0xff, 0xa3]
    for (const opcode of opcodes) {
      // MOV A, [at]; INC word or dword [at]; MOV [at], A
      this.#byte(opcode)
      if (opcode === 0xff) this.#byte(this.#target.bits === 16 ? 0x06 : 0x05)
      this.#word(at, this.#wide)
    }
  }

  #special(): void {
    const random = this.#random
    const { cpl } = this.#target
    const flush = [0x0f, 0x20, 0xd8, 0x0f, 0x22, 0xd8]
    const choices = [
      [0xfb], // STI
      [0xfa], // CLI
      [0x9c, 0x9d], // PUSHF; POPF
      [0xe4, random.below(256)],
      [0xe6, random.below(256)],
      [0x8e, 0xd8 + (random.one(2) ? 0 : 8)], // MOV DS, EAX; MOV DS, … (#UD)
      [0x16, 0x17], // PUSH SS; POP SS
      [0x1e, 0x07], // PUSH DS; POP ES
      [0x06, 0x0f, 0xa1], // PUSH ES; POP FS
      [0x9b],
      [0xcc],
      [0xcd, 0x30 + random.below(8)],
      ...(cpl === 0 ? [flush, [0x0f, 0x01, 0x38 + random.below(8)], [0x0f, 0x06]] : []),
      [0x0f, 0xa2],
      [0x0f, 0x31],
      [0x9c, 0x80, 0x4c, 0x24, 0x01, 0x01, 0x9d], // TF, in 32-bit code
    ]
    this.#out.push(...random.pick(choices))
  }

  #encode(row: Row, repeat = false): void {
    const random = this.#random
    const tokens = row.opcode.split(' ')
    let operandBits: number = this.#target.bits
    let addressBits: number = this.#target.bits
    if (random.one(12)) {
      addressBits = 48 - addressBits
      this.#byte(0x67)
    }
    if (random.one(14)) this.#byte(random.pick([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65]))
    if (repeat && random.one(2)) this.#byte(random.one(2) ? 0xf3 : 0xf2)
    if (row.lockable && random.one(10)) this.#byte(0xf0)
    if (!/^(NP|66|F3|F2)$/.test(tokens[0]!) && random.one(7)) {
      operandBits = 48 - operandBits
      this.#byte(0x66)
    }
    const bytes = operandBits >> 3
    for (const token of tokens) {
      if (token === 'NP') continue
      const opcode = /^([0-9A-F]{2})(\+\w+)?$/.exec(token)
      const below = token.includes('+cc') ? 16 : 8
      if (opcode) this.#byte(Number.parseInt(opcode[1]!, 16) + (opcode[2] ? this.#register(below) : 0))
      else if (token === '/r') this.#modrm(row, random.below(8), addressBits)
      else if (token[0] === '/') this.#modrm(row, Number(token[1]), addressBits)
      else if (token === 'ib') this.#byte(random.one(2) ? random.below(40) : random.next())
      else if (token === 'cb') this.#byte(random.below(48) - 24)
      else if (token === 'iw') this.#word(row.op === 'enter' || row.op === 'ret' ? random.below(16) : random.next(), 2)
      else if (token === 'iz' || token === 'iv') this.#word(random.one(2) ? this.#offset() : random.next(), bytes)
      else if (token === 'cz') this.#word(this.#branch(), bytes)
      else if (token === 'cp') {
        this.#word(this.#target.code + random.below(this.#target.codeBytes), bytes)
        this.#word(random.pick([0x1b, 0x18, 0x08, 0x1000, 0x38]), 2)
      } else if (token === 'mo') this.#word(this.#offset(), addressBits >> 3)
    }
  }

  #branch(): number {
    return this.#random.one(3) ? this.#random.below(0x1800) - 0xc00 : this.#random.below(64) - 32
  }
  /** Seldom the stack pointer. */
  #register(below: number): number {
    const register = this.#random.below(below)
    return register === 4 && below === 8 && !this.#random.one(12) ? 3 : register
  }

  #modrm(row: Row, reg: number, addressBits: number): void {
    const random = this.#random
    const field = (reg & 7) === 4 && row.opcode.includes('/r') && !random.one(12) ? 0 : reg
    const onlyMemory = /^m|, m\d*$/.test(row.operands) && !row.operands.includes('/m')
    if (!onlyMemory && random.one(2)) {
      this.#byte(0xc0 | (field << 3) | this.#register(8))
      return
    }
    const mod = random.below(3)
    const direct = addressBits === 16 ? 6 : 5
    const rm = random.one(3) ? direct : random.below(8)
    const simple = mod === 0 || rm !== direct || random.one(2) ? mod : 0
    this.#byte((simple << 6) | (field << 3) | rm)
    let displacement = simple
    if (addressBits === 32 && rm === 4) {
      const sib = random.one(2) ? 0x20 | random.below(8) : random.below(256)
      this.#byte(sib)
      if (simple === 0 && (sib & 7) === 5) displacement = 3
    }
    if (simple === 0 && rm === direct) displacement = 3
    if (displacement === 3) this.#word(this.#offset(), addressBits >> 3)
    else if (displacement === 1) this.#byte(random.one(2) ? random.below(64) : random.next())
    else if (displacement === 2) this.#word(random.below(0x2000) - 0x1000, addressBits >> 3)
  }
}
