/** Filters as seccomp(2) takes and refuses them. */
import { describe, expect, it } from 'vitest'
import { Random } from '../random.ts'
import { Bpf, type BpfInstruction, isValidFilter, runFilter } from './bpf.ts'
import { decide, SeccompAction } from './filter.ts'

const op = (code: number, k = 0, jt = 0, jf = 0): BpfInstruction => ({ code, jt, jf, k })
const ret = (k: number): BpfInstruction => op(Bpf.RET | Bpf.K, k)
const load = (k: number): BpfInstruction => op(Bpf.LD | Bpf.ABS, k)

describe('a filter', () => {
  it.each<[string, BpfInstruction[], boolean]>([
    ['that answers', [ret(0)], true],
    ['without instructions', [], false],
    ['that does not end in an answer', [load(0)], false],
    ['that loads between words', [load(2), ret(0)], false],
    ['that loads behind the data', [load(64), ret(0)], false],
    ['that loads the last word', [load(60), ret(0)], true],
    ['that loads bytes', [op(0x30, 0), ret(0)], false],
    ['that jumps behind its end', [op(Bpf.JMP | Bpf.JEQ, 0, 0, 1), ret(0)], false],
    ['that jumps to its end', [op(Bpf.JMP | Bpf.JEQ, 0, 1, 0), ret(0), ret(1)], true],
    ['that jumps far behind', [op(Bpf.JMP | Bpf.JA, 0xffff_ffff), ret(0)], false],
    ['that divides by 0', [op(Bpf.ALU | Bpf.DIV, 0), ret(0)], false],
    ['that shifts by 32', [op(Bpf.ALU | Bpf.LSH, 32), ret(0)], false],
    ['with a remainder', [op(Bpf.ALU | 0x90, 3), ret(0)], false],
    ['that loads what it has not stored', [op(Bpf.MEM, 3), ret(0)], false],
    ['that stores first', [op(Bpf.ST, 3), op(Bpf.MEM, 3), ret(0)], true],
    ['that stores on one path alone', [op(Bpf.JMP | Bpf.JEQ, 0, 0, 1), op(Bpf.ST, 3), op(Bpf.MEM, 3), ret(0)], false],
    ['of 4096 instructions', [...Array<BpfInstruction>(4095).fill(load(0)), ret(0)], true],
    ['of one more', [...Array<BpfInstruction>(4096).fill(load(0)), ret(0)], false],
  ])('%s: valid or not', (_what, program, valid) => {
    expect(isValidFilter(program)).toBe(valid)
  })

  it('computes in 32 bits', () => {
    const run = (...program: BpfInstruction[]): number =>
      runFilter([...program, op(Bpf.RET | Bpf.A)], new Uint32Array(16))
    const alu = (operation: number, k: number): BpfInstruction => op(Bpf.ALU | operation, k)
    const start = op(Bpf.IMM, 0xffff_fff0)
    expect(run(start, alu(Bpf.ADD, 0x20))).toBe(0x10)
    expect(run(op(Bpf.IMM, 1), alu(Bpf.SUB, 2))).toBe(0xffff_ffff)
    expect(run(start, alu(Bpf.MUL, 0x10))).toBe(0xffff_ff00)
    expect(run(start, alu(Bpf.DIV, 0x10))).toBe(0x0fff_ffff)
    expect(run(start, alu(Bpf.RSH, 28))).toBe(0xf)
    expect(run(op(Bpf.IMM, 1), alu(Bpf.NEG, 0))).toBe(0xffff_ffff)
    expect(run(op(Bpf.LDX, 5), op(Bpf.MISC | Bpf.TXA))).toBe(5)
    expect(run(op(Bpf.LEN))).toBe(64)
  })

  it('ends, whatever is accepted', () => {
    const random = new Random(11)
    let accepted = 0
    for (let n = 0; n < 20_000; n++) {
      const program = Array.from({ length: 1 + (random.next() % 6) }, () =>
        op(random.next() % 256, random.next() % 70, random.next() % 4, random.next() % 4),
      )
      if (random.next() % 2 === 0) program.push(ret(random.next()))
      if (!isValidFilter(program)) continue
      accepted++
      expect(runFilter(program, new Uint32Array(16))).toBeGreaterThanOrEqual(0)
    }
    expect(accepted).toBeGreaterThan(50)
  })

  it('is asked with all before it, and the strictest answer counts', () => {
    const filters = (...answers: number[]) =>
      answers.reduce<Parameters<typeof decide>[0]['filter']>(
        (before, answer) => ({ program: [ret(answer)], before }),
        undefined,
      )
    const ask = (...answers: number[]): number =>
      decide({ mode: 2, filter: filters(...answers) }, 3, new Int32Array(6), 0)
    const { ALLOW, ERRNO, KILL_PROCESS, KILL_THREAD, LOG, TRAP } = SeccompAction
    expect(ask(ALLOW, ERRNO | 5, LOG)).toBe(ERRNO | 5)
    expect(ask(ERRNO | 5, ERRNO | 7)).toBe(ERRNO | 7)
    expect(ask(TRAP, KILL_THREAD, ALLOW)).toBe(KILL_THREAD)
    expect(ask(KILL_THREAD, KILL_PROCESS, ALLOW)).toBe(KILL_PROCESS)
  })
})
