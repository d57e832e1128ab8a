/** User code whose ring 0 is a program outside of the machine: it comes there by calls and faults, and goes on where that says. */
import { GuestMemory } from '@vmexit/memory'
import { describe, expect, it } from 'vitest'
import type { CpuEvent } from '../../src/index.ts'
import { Cpu, type EngineChoice, Flag, Gpr, Layout, TR, Vector, writeSegment } from '../../src/index.ts'
import { nameOf } from '../engine.ts'

const CODE = 0x40_0000
const DATA = 0x50_0000
const USER = 0x07
const hex = (text: string): Uint8Array =>
  Uint8Array.from(text.match(/[0-9a-f]{2}/g) ?? [], (byte) => parseInt(byte, 16))

/** Flat user code in ring 3, its page readable, and a page of data that may be written. */
function userMode(engine: EngineChoice, code: string): Cpu {
  const memory = new GuestMemory({ ranges: [{ kind: 'ram', start: 0, bytes: 1 << 20 }] })
  const cpu = new Cpu({ memory, engine })
  memory.write32(0x1000 + (CODE >>> 22) * 4, 0x2000 | USER)
  memory.write32(0x2000, 0x3000 | 5)
  memory.write32(0x2000 + ((DATA >>> 12) & 0x3ff) * 4, 0x4000 | USER)
  memory.writeBytes(0x3000, hex(code))
  const { state } = cpu
  state.set32(Layout.cr0, 0x8001_0031 | 0)
  state.setNumber(Layout.cr3, 0x1000)
  for (let seg = 0; seg < 6; seg++)
    writeSegment(state, seg, seg === 1 ? 0x73 : 0x7b, 0, 0xffff_ffff, seg === 1 ? 0xcfb : 0xcf3)
  writeSegment(state, TR, 0, 0, 0, 0)
  state.setFlag(Flag.IF, true)
  state.ip = CODE
  cpu.adoptRegisters(new Uint32Array(8))
  return cpu
}

/** What the CPU does for a kernel outside of the machine, whatever makes it fast. */
export function userSuite(engine: EngineChoice): void {
  describe(`user code on the ${nameOf(engine)}`, () => {
    it('calls by INT 80h and SYSENTER in the middle of a run, and is answered in registers', () => {
      const cpu = userMode(engine, 'b814000000 cd80 01c3 0f34 01c3 ebf1'.replaceAll(' ', '')) // L: mov eax,20; int 80h; add ebx,eax; sysenter; add ebx,eax; jmp L
      const calls = { software: 0, sysenter: 0 }
      cpu.ringZero = {
        enter(event) {
          if (event.source === 'software' && event.vector === 0x80) calls.software++
          else if (event.source === 'sysenter') calls.sysenter++
          else return false
          cpu.state.setReg32(Gpr.ax, event.source === 'sysenter' ? 2 : cpu.state.reg32(Gpr.ax) - 17)
          return true
        },
      }
      expect(cpu.run(60_000).reason).toBe('budget')
      expect(cpu.retired).toBe(60_000)
      expect(calls).toEqual({ software: 10_000, sysenter: 10_000 })
      expect(cpu.state.reg32(Gpr.bx)).toBe(50_000)
    })

    it('ends the run where its owner says so, with the call over and counted', () => {
      const cpu = userMode(engine, '40cd8040cd8040') // inc eax; int 80h; inc eax; int 80h; inc eax
      cpu.ringZero = { enter: () => false }
      for (const retired of [2, 4]) {
        const exit = cpu.run(1000)
        expect([exit.reason, exit.event?.source, exit.event?.vector]).toEqual(['ring-0', 'software', 0x80])
        expect(cpu.retired).toBe(retired)
      }
      expect(cpu.run(1).reason).toBe('budget')
      expect(cpu.state.reg32(Gpr.ax)).toBe(3)
    })

    const faults: readonly [what: string, code: string, expected: Partial<CpuEvent>][] = [
      [
        'a read of what is not mapped',
        '90a100006000',
        { vector: Vector.PF, source: 'fault', errorCode: 4, address: 0x60_0000 },
      ],
      [
        'a write to what may only be read',
        '90a200004000',
        { vector: Vector.PF, source: 'fault', errorCode: 7, address: CODE },
      ],
      ['a division by zero', '90f7f1', { vector: Vector.DE, source: 'fault' }],
      ['HLT', '90f4', { vector: Vector.GP, source: 'fault', errorCode: 0 }],
      ['IN', '90ec', { vector: Vector.GP, source: 'fault', errorCode: 0 }],
      ['an opcode that is none', '900f0b', { vector: Vector.UD, source: 'fault' }],
    ]
    it.each(faults)('tells its owner of %s, at the instruction, which may be tried again', (_what, code, expected) => {
      const cpu = userMode(engine, code)
      const seen: CpuEvent[] = []
      cpu.ringZero = {
        enter(event) {
          seen.push({ ...event })
          return seen.length < 3
        },
      }
      expect(cpu.run(1000).reason).toBe('ring-0')
      expect(seen).toHaveLength(3)
      for (const event of seen) expect(event).toMatchObject(expected)
      expect(cpu.state.ip).toBe(CODE + 1)
      expect(cpu.retired).toBe(1)
      expect(cpu.state.cpl).toBe(3)
    })

    it.each(['invalidate', 'flush'] as const)('finds its stack where it is by now: %s', (how) => {
      // L: push ebx; push esi; inc ebx; pop edi; pop ecx; int 80h; jmp L
      const cpu = userMode(engine, '5356435f59cd80ebf7')
      const { memory, state } = cpu
      const entry = 0x2000 + ((DATA >>> 12) & 0x3ff) * 4
      state.setReg32(Gpr.sp, DATA + 0x800)
      const faults: number[] = []
      let calls = 0
      const map = (value: number): void => {
        memory.write32(entry, value)
        if (how === 'flush') cpu.paging.mmu.flush()
        else cpu.paging.invalidate(DATA)
      }
      cpu.ringZero = {
        enter({ source, vector, errorCode = 0 }) {
          if (source === 'software') {
            // Each tenth time it may only be read, each third time it is elsewhere.
            calls++
            if (calls % 10 === 0) map(0x4000 | 5)
            else if (calls % 3 === 0) map((calls % 2 === 0 ? 0x4000 : 0x5000) | USER)
            return true
          }
          faults.push(vector, errorCode)
          map(0x4000 | USER)
          return vector === Vector.PF
        },
      }
      expect(cpu.run(70_000).reason).toBe('budget')
      expect(calls).toBe(10_000)
      expect(faults).toEqual(Array.from({ length: 999 }, () => [Vector.PF, 7]).flat())
      // The two words last pushed, in either frame.
      const [last, other] = [0x4000, 0x5000].map((frame) => memory.read32(frame + 0x7fc)).sort((a, b) => b - a)
      expect(last).toBe(9999)
      expect(other).toBeGreaterThan(9900)
    })

    it('goes on behind a breakpoint, and elsewhere where its owner has changed all registers', () => {
      const cpu = userMode(engine, 'cc 90 cd80 eb04 90 90 90 90 43 ebfd'.replaceAll(' ', '')) // int3; nop; int 80h; jmp; …; L: inc ebx; jmp L
      const seen: (readonly [string, number])[] = []
      cpu.ringZero = {
        enter(event) {
          seen.push([event.source, event.vector])
          if (event.vector === 0x80) {
            cpu.state.ip = CODE + 10
            cpu.state.setReg32(Gpr.bx, 100)
          }
          return true
        },
      }
      cpu.run(3 + 200)
      expect(seen).toEqual([
        ['software', Vector.BP],
        ['software', 0x80],
      ])
      expect(cpu.state.reg32(Gpr.bx)).toBe(200)
    })
  })
}
