/** The CPU as a part of a machine, for any engine. */
import { createMachine } from '@vmexit/core'
import { ram } from '@vmexit/memory'
import { expect, test } from 'vitest'
import { type EngineChoice, Gpr, x86 } from '../src/index.ts'
import { nameOf } from './engine.ts'

export function partSuite(engine: EngineChoice): void {
  test(`the time stamp counter counts virtual time, which goes on while the CPU waits (${nameOf(engine)})`, async () => {
    const machine = await createMachine({ memory: ram(0x1_0000), cpu: x86({ engine }), devices: [] })
    const cpu = machine.get('x86')
    // NOP, RDTSC, STI, HLT, RDTSC
    machine.get('guestMemory').writeBytes(0x1000, Uint8Array.of(0x90, 0x0f, 0x31, 0xfb, 0xf4, 0x0f, 0x31))
    const start = (eip: number) => cpu.startFlat({ eip, gdtBase: 0, gdtLimit: 0xffff, code: 8, data: 16 })
    const clock = machine.get('clock')
    const stamp = () => cpu.state.reg32(Gpr.dx) * 2 ** 32 + (cpu.state.reg32(Gpr.ax) >>> 0)
    start(0x1000)
    machine.runSlice({ instructions: 2 })
    expect(stamp()).toBe(1)
    clock.at(6e9, () => {})
    machine.runSlice({ until: 5e9 })
    expect([cpu.halted, cpu.retired]).toEqual([true, 4])
    start(0x1005)
    machine.runSlice({ instructions: 1 })
    expect(stamp()).toBe(clock.now - 1)
    expect(clock.now).toBeGreaterThanOrEqual(5e9)
  })
}
