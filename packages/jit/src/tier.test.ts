import { GuestMemory } from '@vmexit/memory'
import { Cpu, Gpr } from '@vmexit/x86'
import { describe, expect, it } from 'vitest'
import { type JitOptions, jit } from './index.ts'

/** A CPU in real mode at 0:7C00 with a stack below; `code` lies there. */
function cpuWith(code: readonly number[], options: JitOptions = {}): { cpu: Cpu; memory: GuestMemory } {
  const memory = new GuestMemory({ ranges: [{ kind: 'ram', start: 0, bytes: 1 << 20 }] })
  const cpu = new Cpu({ memory, engine: jit({ threshold: 10, batch: 1, ...options }) })
  memory.writeBytes(0x7c00, Uint8Array.from(code))
  cpu.state.setReg16(Gpr.sp, 0x7000)
  cpu.startAt(0, 0x7c00)
  return { cpu, memory }
}
/** inc ax; add bx, ax; jmp again */
const LOOP = [0x40, 0x01, 0xc3, 0xeb, 0xfb]

describe('the tier', () => {
  it('translates what is hot and leaves the rest alone', () => {
    const { cpu } = cpuWith(LOOP)
    cpu.run(10)
    expect(cpu.generated?.translated).toMatchObject({ translations: 0, compiled: 0 })
    cpu.run(3000)
    expect(cpu.generated?.translated).toMatchObject({ translations: 1, instructions: 3, modules: 1, compiled: 1 })
    expect(cpu.state.reg16(Gpr.ax)).toBe(1004)
    expect(cpu.retired).toBe(3010)
  })

  it('tells how long it took by the clock it is given', () => {
    let time = 100
    const { cpu } = cpuWith(LOOP, { now: () => (time += 4) })
    cpu.run(3000)
    expect(cpu.generated?.translated).toMatchObject({ compiled: 1, time: 4 })
    expect(cpuWith(LOOP).cpu.generated?.translated?.time ?? 0).toBe(0)
  })

  it('ends a run at exactly its instruction', () => {
    const { cpu } = cpuWith(LOOP)
    cpu.run(300)
    for (let budget = 1; budget < 40; budget++) {
      const before = cpu.retired
      cpu.run(budget)
      expect(cpu.retired - before).toBe(budget)
      expect(cpu.state.ip).toBe(0x7c00 + [0, 1, 3][cpu.retired % 3]!)
    }
  })

  it('drops the translations of code that is written, and runs what is there then', () => {
    const { cpu, memory } = cpuWith(LOOP)
    cpu.run(300)
    memory.write8(0x7c00, 0x48) // dec ax
    expect(cpu.generated?.translated).toMatchObject({ translations: 0, invalidated: 1 })
    const before = cpu.state.reg16(Gpr.ax)
    cpu.run(300)
    expect(cpu.state.reg16(Gpr.ax)).toBe((before - 100) & 0xffff)
    expect(cpu.generated?.translated).toMatchObject({ translations: 1, compiled: 2 })
  })

  it('leaves where a translation writes its own next instruction', () => {
    // again: inc byte [cs:7c07]; mov cl, imm8; jmp again
    const { cpu } = cpuWith([0x2e, 0xfe, 0x06, 0x06, 0x7c, 0xb1, 0x00, 0xeb, 0xf7])
    cpu.run(3 * 200 - 1)
    expect(cpu.state.reg16(Gpr.cx) & 0xff).toBe(200)
  })

  it('keeps within its quota', () => {
    // Functions 16 bytes apart, each of which is called often enough: call f; loop; and again with the next one.
    const functions = 40
    const code: number[] = []
    for (let n = 0; n < functions; n++) {
      const at = code.length
      const distance = 0x400 + n * 16 - (at + 6)
      code.push(0xb9, 50, 0, 0xe8, distance & 0xff, distance >> 8, 0xe2, 0xfb) // mov cx, 50; call f; loop
    }
    code.push(0xeb, 0xfe)
    while (code.length < 0x400) code.push(0x90)
    for (let n = 0; n < functions; n++) code.push(0x40, 0xc3, ...new Array<number>(14).fill(0x90)) // inc ax; ret
    const { cpu } = cpuWith(code, { quota: 4096 })
    cpu.run(10_000)
    expect(cpu.state.reg16(Gpr.ax)).toBe(functions * 50)
    const { evicted, bytes } = cpu.generated!.translated!
    expect(evicted).toBeGreaterThan(0)
    expect(bytes).toBeLessThan(8192)
  })
})
