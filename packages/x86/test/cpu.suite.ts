/** The CPU's own suite, for any engine. */
import { GuestMemory } from '@vmexit/memory'
import { describe, expect, it } from 'vitest'
import { Cpu, type CpuOptions, type EngineChoice, Flag, Gpr, Layout, Vector } from '../src/index.ts'
import { nameOf } from './engine.ts'

/** A CPU in real mode with `code` at 0:7C00 and a stack below it. */
function realMode(
  engine: EngineChoice,
  code: number[],
  options: Partial<CpuOptions> = {},
): { cpu: Cpu; memory: GuestMemory } {
  const memory = new GuestMemory({ ranges: [{ kind: 'ram', start: 0, bytes: 1 << 20 }] })
  const cpu = new Cpu({ memory, engine, ...options })
  memory.writeBytes(0x7c00, Uint8Array.from(code))
  cpu.state.setReg16(Gpr.sp, 0x7000)
  cpu.startAt(0, 0x7c00)
  return { cpu, memory }
}
const littleEndian = (value: number): Uint8Array => Uint8Array.from([0, 8, 16, 24], (shift) => value >>> shift)
const vector = (memory: GuestMemory, n: number, ip: number): void => memory.write32(n * 4, ip)

/** A flat 32-bit machine with the first megabyte mapped one to one but for the page at 5000h, about to run what lies at 8000h. */
function pagedMode(engine: EngineChoice): { cpu: Cpu; memory: GuestMemory } {
  // lgdt [3100h]; lidt [3106h]; mov eax,10000h; mov cr3,eax; mov eax,80000011h; mov cr0,eax; jmp 8:8000h
  const enter = '0f0116003166900f011e0631 66b800000100 0f22d8 66b811000080 0f22c0 66ea008000000800'
  const { cpu, memory } = realMode(engine, [...hex(enter.replaceAll(' ', ''))])
  memory.write32(0x10000, 0x11000 | 7)
  for (let page = 0; page < 256; page++) memory.write32(0x11000 + page * 4, page === 5 ? 0 : (page << 12) | 3)
  const gdt = [0, 0, 0x0000ffff, 0x00cf9b00, 0x0000ffff, 0x00cf9300, 0x0000ffff, 0x00cffb00, 0x0000ffff, 0x00cff300]
  for (const [i, word] of [...gdt, 0x20000067, 0x00008901].entries()) memory.write32(0x3000 + i * 4, word)
  memory.write32(0x4000 + 14 * 8, (8 << 16) | 0x9000)
  memory.write32(0x4000 + 14 * 8 + 4, 0x8e00)
  memory.writeBytes(0x3100, Uint8Array.of(0x2f, 0, 0, 0x30, 0, 0, 0xff, 7, 0, 0x40, 0, 0))
  return { cpu, memory }
}

/** What a CPU does whatever makes it fast. */
export function cpuSuite(engine: EngineChoice): void {
  describe(`the CPU on the ${nameOf(engine)}`, () => {
    it('retires exactly its budget, wherever that ends', () => {
      const { cpu } = realMode(engine, [0x40, 0x41, 0x42, 0xeb, 0xfb]) // inc ax; inc cx; inc dx; jmp
      for (let n = 1; n <= 23; n++) {
        expect(cpu.run(1).reason).toBe('budget')
        expect(cpu.retired).toBe(n)
      }
      cpu.run(400_001)
      expect(cpu.retired).toBe(400_024)
      expect(cpu.state.reg16(Gpr.ax)).toBe((400_024 / 4) & 0xffff)
    })

    it('goes on from an instruction in two pages, however often the second page is written and wherever budgets end', () => {
      const { cpu, memory } = realMode(engine, [0xe9, 0xfd, 0x12]) // jmp 8F00h
      // L: inc bl; test bl,3; jnz +4; mov [9000h],bl; jmp 8FFFh
      memory.writeBytes(0x8f00, hex('fec3 f6c303 7504 881e0090 e9f100'.replaceAll(' ', '')))
      // At 8FFFh: mov ax,0; add cx,ax; jmp L
      memory.writeBytes(0x8fff, hex('b8000001c1e9f9fe'))
      cpu.run(1)
      for (let n = 0; n < 4000; n++) cpu.run(1 + ((n * 7) % 5))
      const { state, retired } = cpu
      const laps = { bl: 0, written: 0, cx: 0 }
      for (let left = retired - 1; left > 0; ) {
        laps.bl = (laps.bl + 1) & 0xff
        if (laps.bl % 4 === 0) laps.written = laps.bl
        left -= laps.bl % 4 === 0 ? 8 : 7
        if (left >= -1) laps.cx = (laps.cx + laps.written) & 0xffff
      }
      expect(retired).toBe(12_001)
      expect(state.reg8(Gpr.bx)).toBe(laps.bl)
      expect(state.reg16(Gpr.cx)).toBe(laps.cx)
    })

    it('executes an instruction that lies in two pages: whatever the budget, whatever is written or mapped there', () => {
      const { cpu, memory } = pagedMode(engine)
      // At 8FFEh: L: mov eax,11111111h; inc ebx; mov cr3,ecx; jmp L
      memory.writeBytes(0x8ffe, hex('b811111111430f22d9ebf5'))
      memory.writeBytes(0x8000, hex('e9f90f0000')) // jmp L
      while (cpu.state.ip !== 0x8ffe) cpu.run(1)
      cpu.state.setReg32(Gpr.cx, 0x10000)
      for (let n = 0, expected = cpu.retired; n < 50; n++) {
        const budget = 1 + (n % 3)
        cpu.run(budget)
        expect(cpu.retired).toBe((expected += budget))
      }
      cpu.run(4000)
      expect(cpu.state.reg32(Gpr.ax)).toBe(0x1111_1111)
      memory.write8(0x9001, 0x22)
      cpu.run(4)
      expect(cpu.state.reg32(Gpr.ax)).toBe(0x1122_1111)
      memory.writeBytes(0x2_0000, hex('333333430f22d9ebf5'))
      memory.write32(0x1_1000 + 9 * 4, 0x2_0003)
      cpu.run(8)
      expect(cpu.state.reg32(Gpr.ax)).toBe(0x3333_3311)
      expect(cpu.counts.exceptions.every((count) => count === 0)).toBe(true)
    })

    it('moves and fills with REP as element by element: over page ends, over itself, down, in any portions', () => {
      const { cpu, memory } = pagedMode(engine)
      memory.writeBytes(0x8000, hex('b8100000008ed88ec0ebfe')) // mov eax,10h; mov ds,ax; mov es,ax; jmp $
      while (cpu.state.ip !== 0x8009) cpu.run(1)
      const forms = { f3a4: 1, f3a5: 4, '66f3a5': 2, f3aa: 1, f3ab: 4, '66f3ab': 2 }
      // From, to, elements, EAX: far apart; just behind, downwards; just before; just behind; in place; far apart.
      const cases = [
        [0x2_0ff1, 0x2_4ffb, 3000, 0],
        [0x2_8010, 0x2_8013, 900, 0x7777_7777],
        [0x2_0013, 0x2_0010, 900, 0x1234_5678],
        [0x2_0800, 0x2_0804, 900, 0xffff_ffff],
        [0x2_0000, 0x2_0000, 9, 0xabab],
        [0x2_1000, 0x2_3ffe, 2049, 0x5a5a_5a5a],
      ]
      for (const [code, size] of Object.entries(forms)) {
        for (const [n, [from, to, count, eax]] of cases.entries()) {
          const down = n === 1 ? 0xfd : 0x90 // std, or nop
          memory.writeBytes(0x8000, hex(`${down.toString(16)}${code}fcebfe`))
          const expected = Uint8Array.from({ length: 0x1_0000 }, (_, i) => (i * 7) ^ (i >> 8))
          memory.writeBytes(0x2_0000, expected)
          const stores = code.endsWith('aa') || code.endsWith('ab')
          for (let i = 0; i < count!; i++) {
            const at = down === 0xfd ? -i * size : i * size
            const source = from! + at - 0x2_0000
            const element = stores ? littleEndian(eax!) : expected.slice(source, source + size)
            expected.set(element.subarray(0, size), to! + at - 0x2_0000)
          }
          cpu.state.ip = 0x8000
          for (const [reg, value] of [
            [Gpr.cx, count],
            [Gpr.si, from],
            [Gpr.di, to],
            [Gpr.ax, eax],
          ] as const)
            cpu.state.setReg32(reg, value!)
          for (let portion = 1; cpu.state.reg32(Gpr.cx) !== 0; portion = (portion * 5) % 1009) {
            const left = cpu.state.reg32(Gpr.cx)
            const started = cpu.state.ip > 0x8000
            cpu.run(portion)
            if (started) expect(cpu.state.reg32(Gpr.cx)).toBe(Math.max(0, left - portion))
          }
          const found = new Uint8Array(0x1_0000)
          memory.readBytes(0x2_0000, found)
          expect(found.findIndex((byte, at) => byte !== expected[at])).toBe(-1)
          const step = down === 0xfd ? -size : size
          expect(cpu.state.reg32(Gpr.di)).toBe(to! + count! * step)
          if (!stores) expect(cpu.state.reg32(Gpr.si)).toBe(from! + count! * step)
        }
      }
    })

    it('counts each iteration of a REP, and one that has none as one', () => {
      const { cpu } = realMode(engine, [0xb9, 5, 0, 0xbf, 0, 0x60, 0xf3, 0xaa, 0xf3, 0xaa, 0xf4]) // mov cx,5; mov di,6000h; rep stosb twice; hlt
      expect(cpu.run(100).reason).toBe('halt')
      expect(cpu.retired).toBe(2 + 5 + 1 + 1)
    })

    it('with A20 off, addresses from 1 MiB wrap to 0 as on an 8086, at once, and code with them', () => {
      // mov ax,ffffh; mov ds,ax; L: mov al,[6010h+…]; nop; nop; jmp L — DS:6010h is linear 106000h
      const { cpu, memory } = realMode(engine, [0xb8, 0xff, 0xff, 0x8e, 0xd8, 0xa0, 0x10, 0x60, 0x40, 0x48, 0xeb, 0xf9])
      memory.map({ kind: 'ram', start: 0x10_0000, bytes: 0x10_000 })
      memory.write8(0x6000, 1)
      memory.write8(0x10_6000, 2)
      const next = () => {
        cpu.run(4)
        return cpu.state.reg8(0)
      }
      cpu.run(2)
      expect(next()).toBe(2)
      cpu.setA20(false)
      expect(next()).toBe(1)
      cpu.setA20(true)
      expect(next()).toBe(2)
    })

    it('tells its local APIC when the guest turns it off in IA32_APIC_BASE', () => {
      // mov ecx,1bh; rdmsr; and eax,~800h; wrmsr; or eax,800h; wrmsr; hlt
      const code = [...hex('66b91b000000 0f32 6625fff7ffff 0f30 660d00080000 0f30 f4'.replaceAll(' ', ''))]
      const { cpu } = realMode(engine, code)
      const seen: boolean[] = []
      cpu.connect({ pending: false, acknowledge: () => 0xff, setEnabled: (enabled) => void seen.push(enabled) })
      cpu.run(100)
      expect([cpu.halted, seen]).toEqual([true, [false, true]])
    })

    it('takes an interrupt that a device raises before the next instruction', () => {
      let changed: (pending: boolean) => void = () => {}
      const source = {
        pending: false,
        acknowledge: () => {
          source.pending = false
          return 0x20
        },
        watch: (listener: typeof changed) => {
          changed = listener
          return { [Symbol.dispose]() {} }
        },
      }
      // sti; nop; out 10h,al; inc ax; inc ax; hlt
      const ports = {
        read: () => 0,
        write: () => {
          source.pending = true
          changed(true)
        },
      }
      const { cpu, memory } = realMode(engine, [0xfb, 0x90, 0xe6, 0x10, 0x40, 0x40, 0xf4], { ports })
      cpu.connect(source)
      vector(memory, 0x20, 0x9000)
      memory.write8(0x9000, 0xf4)
      for (let i = 0; i < 4; i++) cpu.run(1000)
      expect([cpu.halted, cpu.state.reg16(Gpr.ax) & 0xff]).toEqual([true, 0])
    })

    it('is reset within a REP as anywhere else', () => {
      const { cpu } = realMode(engine, [0xb9, 10, 0, 0xbf, 0, 0x60, 0xf3, 0xaa, 0xf4]) // mov cx,10; mov di,6000h; rep stosb
      const fresh = realMode(engine, []).cpu
      fresh.reset()
      cpu.run(2 + 4)
      cpu.reset()
      expect(cpu.save().events).toEqual(fresh.save().events)
      expect(cpu.save().registers).toEqual(fresh.save().registers)
    })

    it('starts flat: a kernel finds 4 GiB segments, its registers, and a GDT to reload from', () => {
      // Whatever ran before: in real mode with registers full, then halted.
      const { cpu, memory } = realMode(engine, [0x66, 0x83, 0xc8, 0xff, 0xf9, 0xfb, 0xf4]) // or eax,-1; stc; sti; hlt
      cpu.run(100)
      for (const [i, word] of [0, 0, 0, 0, 0xffff, 0xcf9b00, 0xffff, 0xcf9300].entries())
        memory.write32(0x1000 + i * 4, word)
      // mov ecx,18h; mov ds,cx; mov ss,cx; mov esp,9000h; pushfd; mov edx,[esi]; mov [f0000h],ebx; jmp 10h:8020h … hlt
      const code = 'b918000000 8ed9 8ed1 bc00900000 9c 8b16 891d00000f00 ea20800000 1000'
      memory.writeBytes(0x8000, hex(code.replaceAll(' ', '')))
      memory.write8(0x8020, 0xf4)
      memory.write32(0x5000, 0xcafe)
      const registers = { si: 0x5000, bx: 0xffff_fff0 }
      cpu.startFlat({ eip: 0x8000, gdtBase: 0x1000, gdtLimit: 31, code: 0x10, data: 0x18, registers })
      expect(cpu.state.reg32(Gpr.ax)).toBe(0)
      cpu.run(1000)
      expect([cpu.halted, cpu.state.ip, cpu.state.reg32(Gpr.dx)]).toEqual([true, 0x8021, 0xcafe])
      expect([memory.read32(0xf0000), memory.read32(0x8ffc)]).toEqual([0xffff_fff0, 2])
    })

    it('leaves a REP between iterations and takes it up again', () => {
      const { cpu, memory } = realMode(engine, [0xb0, 0x55, 0xb9, 10, 0, 0xbf, 0, 0x60, 0xf3, 0xaa, 0xf4])
      cpu.run(3 + 4)
      expect([cpu.state.reg16(Gpr.cx), cpu.state.ip]).toEqual([6, 0x7c08])
      expect(memory.read32(0x6000)).toBe(0x55555555)
      cpu.run(100)
      expect([cpu.state.reg16(Gpr.cx), cpu.retired]).toEqual([0, 3 + 10 + 1])
    })

    it('sees code that a store has just changed, in the same run of instructions', () => {
      // mov byte [next], 42h (inc dx); next: inc ax; hlt
      const { cpu } = realMode(engine, [0xc6, 0x06, 0x05, 0x7c, 0x42, 0x40, 0xf4])
      cpu.run(100)
      expect([cpu.state.reg16(Gpr.ax), cpu.state.reg16(Gpr.dx), cpu.retired]).toEqual([
        0,
        (cpu.model.signature + 1) & 0xffff,
        3,
      ])
    })

    it('sees a Jcc that the arithmetic before it has just changed', () => {
      // or byte [jcc], 1 (JZ becomes JNZ); jcc: jz hlt; inc cx; hlt
      const { cpu } = realMode(engine, [0x31, 0xc9, 0x80, 0x0e, 0x07, 0x7c, 0x01, 0x74, 0x01, 0x41, 0xf4])
      cpu.run(100)
      expect([cpu.state.reg16(Gpr.cx), cpu.retired]).toEqual([0, 4])
    })

    it('sees that a REP has overwritten itself', () => {
      // mov di,rep; mov al,41h (inc cx); mov cx,10; rep stosb
      const { cpu } = realMode(engine, [0xbf, 0x08, 0x7c, 0xb0, 0x41, 0xb9, 10, 0, 0xf3, 0xaa, 0xf4])
      cpu.run(3 + 1 + 1)
      // One byte is stored: 41 AA, INC CX and STOSB.
      expect([cpu.state.reg16(Gpr.cx), cpu.state.ip]).toEqual([10, 0x7c09])
    })

    it('pushes RF for the interrupt that ends a REP, and not for the next', () => {
      let pending = 2
      const interrupts = {
        get pending() {
          return pending > 0
        },
        acknowledge: () => (pending--, 0x20),
      }
      const { cpu, memory } = pagedMode(engine)
      memory.write32(0x4000 + 0x20 * 8, (8 << 16) | 0x9000)
      memory.write32(0x4000 + 0x20 * 8 + 4, 0x8f00)
      // mov ax,10h; mov ds,ax; mov es,ax; mov ss,ax; mov esp,0A000h; mov edi,0B000h; mov ecx,100; rep stosb
      memory.writeBytes(0x8000, hex('66b810008ed88ec08ed0bc00a00000bf00b00000b964000000f3aa'))
      memory.writeBytes(0x9000, hex('f4'))
      cpu.run(8 + 7 + 10)
      expect([cpu.state.ip, cpu.state.reg32(Gpr.cx)]).toEqual([0x8019, 90])
      cpu.connect(interrupts)
      cpu.state.setFlag(Flag.IF, true)
      cpu.run(1)
      expect([memory.read32(0x9ffc), memory.read32(0x9ff0)].map((flags) => flags & Flag.RF)).toEqual([Flag.RF, 0])
    })

    it('sees code written from outside', () => {
      const { cpu, memory } = realMode(engine, [0x40, 0xeb, 0xfd])
      cpu.run(1000)
      memory.write8(0x7c00, 0xf4)
      expect(cpu.run(1000).reason).toBe('halt')
    })

    it('delivers a divide error to the vector table and counts it', () => {
      const { cpu, memory } = realMode(engine, [0x31, 0xc9, 0xf7, 0xf1]) // xor cx,cx; div cx
      vector(memory, Vector.DE, 0x500)
      memory.write8(0x500, 0xf4)
      expect(cpu.run(100).reason).toBe('halt')
      expect(cpu.counts.exceptions[Vector.DE]).toBe(1)
      expect(memory.read16(0x6ffa)).toBe(0x7c02)
      expect(cpu.retired).toBe(2)
    })

    it('runs past an instruction breakpoint that a load of SS hides', () => {
      const { cpu } = realMode(engine, [0x8e, 0xd0, 0x40, 0xf4]) // mov ss,ax; inc ax; hlt
      cpu.state.setNumber(Layout.dr, 0x7c02)
      cpu.state.set32(Layout.dr + 7 * 8, 0x401)
      expect(cpu.run(100).reason).toBe('halt')
      expect([cpu.retired, cpu.counts.exceptions[Vector.DB]]).toEqual([3, 0])
    })

    it('takes an interrupt when IF is set, after the shadow of STI, and leaves HLT by it', () => {
      let pending = true
      const interrupts = {
        get pending() {
          return pending
        },
        acknowledge: () => {
          pending = false
          return 0x20
        },
      }
      const { cpu, memory } = realMode(engine, [0xfb, 0x40, 0x41, 0xf4], { interrupts }) // sti; inc ax; inc cx; hlt
      vector(memory, 0x20, 0x600)
      memory.writeBytes(0x600, Uint8Array.of(0x89, 0xc3, 0xcf)) // mov bx,ax; iret
      expect(cpu.run(100).reason).toBe('halt')
      expect([cpu.state.reg16(Gpr.bx), cpu.state.reg16(Gpr.cx), cpu.counts.interrupts]).toEqual([1, 1, 1])
      expect(cpu.halted).toBe(true)
      pending = true
      expect(cpu.halted).toBe(false)
      cpu.run(2)
      expect([cpu.counts.interrupts, cpu.halted]).toEqual([2, false])
    })

    it('takes an NMI once, and no other until IRET', () => {
      const { cpu, memory } = realMode(engine, [0x40, 0xeb, 0xfd])
      vector(memory, Vector.NMI, 0x600)
      memory.writeBytes(0x600, Uint8Array.of(0x43, 0xeb, 0xfd)) // inc bx; jmp
      cpu.run(10)
      cpu.nmi()
      cpu.run(10)
      cpu.nmi()
      cpu.run(10)
      expect(cpu.counts.interrupts).toBe(1)
    })

    it('traps after each instruction while TF is set', () => {
      // pushf; pop ax; or ax,100h; push ax; popf; inc cx; inc cx; xor ax,ax; push ax; popf; hlt
      const { cpu, memory } = realMode(
        engine,
        [0x9c, 0x58, 0x0d, 0, 1, 0x50, 0x9d, 0x41, 0x41, 0x31, 0xc0, 0x50, 0x9d, 0xf4],
      )
      vector(memory, Vector.DB, 0x600)
      memory.writeBytes(0x600, Uint8Array.of(0x43, 0xcf)) // inc bx; iret
      expect(cpu.run(100).reason).toBe('halt')
      expect([cpu.state.reg16(Gpr.bx), cpu.state.reg16(Gpr.cx)]).toEqual([5, 2])
    })

    it('shuts down on a triple fault and says so again', () => {
      const { cpu } = realMode(engine, [0x0f, 0x01, 0x1e, 0x20, 0x7c, 0x0f, 0x0b]) // lidt [7C20h] (limit 0); ud2
      expect(cpu.run(100).reason).toBe('shutdown')
      expect(cpu.run(100).reason).toBe('shutdown')
      cpu.reset()
      expect(cpu.run(1).reason).toBe('budget')
    })

    it('comes back from a guest that faults forever', () => {
      const { cpu, memory } = realMode(engine, [0x0f, 0x0b])
      vector(memory, Vector.UD, 0x7c00)
      expect(cpu.run(1000).reason).toBe('budget')
      expect(cpu.counts.exceptions[Vector.UD]).toBeGreaterThan(1000)
    })

    it('takes no time for faults between which instructions are retired, however many there are', () => {
      const { cpu, memory } = realMode(engine, [0x40, 0x0f, 0x0b]) // inc ax; ud2
      vector(memory, Vector.UD, 0x7c00)
      cpu.run(2000)
      expect([cpu.state.reg16(Gpr.ax), cpu.counts.exceptions[Vector.UD]]).toEqual([2000, 1999])
    })

    it('asks ports and gives them what is written', () => {
      const seen: string[] = []
      const ports = {
        read: (port: number, width: number) => (seen.push(`in ${port}/${width}`), 0x1234),
        write: (port: number, width: number, value: number) => void seen.push(`out ${port}/${width} ${value}`),
      }
      const { cpu } = realMode(engine, [0xe5, 0x60, 0xe6, 0x61, 0xf4], { ports }) // in ax,60h; out 61h,al; hlt
      cpu.run(100)
      expect(seen).toEqual(['in 96/16', 'out 97/8 52'])
      expect(cpu.state.reg16(Gpr.ax)).toBe(0x1234)
    })

    it('can be shortened from within a device', () => {
      let cpu: Cpu
      const ports = { read: () => 0, write: () => cpu.shorten(3) }
      cpu = realMode(engine, [0x40, 0xe6, 0x61, 0x40, 0x40, 0x40, 0x40, 0xf4], { ports }).cpu
      expect(cpu.run(100).reason).toBe('budget')
      expect([cpu.retired, cpu.state.reg16(Gpr.ax)]).toEqual([4, 3])
    })

    it('goes on from a saved state with the same end and counts', () => {
      const code = [0xb9, 0xe8, 0x03, 0x00, 0xc1, 0xd1, 0xca, 0x39, 0xc2, 0x11, 0xd0, 0xe2, 0xf7, 0xf4]
      const whole = realMode(engine, code)
      whole.cpu.run(100_000)
      const first = realMode(engine, code)
      first.cpu.run(1234)
      const second = realMode(engine, code)
      second.cpu.restore(structuredClone(first.cpu.save()))
      second.cpu.run(100_000)
      expect(second.cpu.save()).toEqual(whole.cpu.save())
    })

    it('refuses a state of something else', () => {
      const { cpu } = realMode(engine, [0xf4])
      expect(() => cpu.restore({ version: 7 })).toThrow(/not a saved state of the CPU/)
    })

    it('pages: a fault gives CR2 and the error code, and the instruction is taken up again', () => {
      const { cpu, memory } = pagedMode(engine)
      const { state } = cpu
      // mov ax,10h; mov ds,ax; mov ss,ax; mov esp,0A000h; mov dword [5004h], 12345678h; mov eax,[5004h]; hlt
      memory.writeBytes(0x8000, hex('66b810008ed88ed0bc00a00000c7050450000078563412a104500000f4'))
      // Handler: pop ebx (error code); mov ecx,cr2; mov dword [11014h], 5003h; invlpg [5000h]; iret
      memory.writeBytes(0x9000, hex('5b0f20d1c70514100100 03500000 0f013d00500000 cf'.replaceAll(' ', '')))
      expect(cpu.run(1000).reason).toBe('halt')
      expect([state.reg32(Gpr.bx), state.reg32(Gpr.cx), state.reg32(Gpr.ax)]).toEqual([2, 0x5004, 0x12345678])
      expect(cpu.counts.exceptions[Vector.PF]).toBe(1)
      expect(memory.read32(0x11014) & 0x60).toBe(0x60)
      expect(state.get32(Layout.cr2)).toBe(0x5004)
      expect(state.flag(Flag.IF)).toBe(false)
    })

    it('pages: a return to CPL 3 asks anew whether the page that it stays in may be executed', () => {
      const { cpu, memory } = pagedMode(engine)
      memory.write32(0x12004, 0xa000)
      memory.write32(0x12008, 0x10)
      // mov ax,28h; ltr ax; mov ax,10h; mov ss,ax; mov esp,0A000h; push 23h; push 0B000h; push 2; push 1Bh; push 8040h; iret
      memory.writeBytes(0x8000, hex('66b828000f00d866b810008ed0bc00a000006a236800b000006a026a1b6840800000cf'))
      memory.writeBytes(0x8040, hex('40'))
      memory.writeBytes(0x9000, hex('f4'))
      expect(cpu.run(1000).reason).toBe('halt')
      expect([cpu.counts.exceptions[Vector.PF], cpu.state.get32(Layout.cr2), memory.read32(0x9fe8)]).toEqual([
        1, 0x8040, 5,
      ])
    })
  })
}

function hex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g)!, (pair) => Number.parseInt(pair, 16))
}

/** Two engines count the same. */
export function equalCountsSuite(engines: readonly [EngineChoice, EngineChoice]): void {
  describe(`the ${nameOf(engines[0])} and the ${nameOf(engines[1])}`, () => {
    it('count the same misses, references and exceptions on the same code', () => {
      const runs = engines.map((engine) => {
        const { cpu, memory } = realMode(engine, [0xb9, 0x20, 0, 0x31, 0xd2, 0xf7, 0xf2, 0xe2, 0xfa, 0xf4])
        vector(memory, Vector.DE, 0x600)
        memory.writeBytes(0x600, hex('5883c0025 0cf'.replaceAll(' ', '')))
        cpu.run(10_000)
        const { registers, mmu, counts } = cpu.save()
        return { registers, mmu, counts }
      })
      expect(runs[1]).toEqual(runs[0])
    })
  })

  describe(`the ${nameOf(engines[0])} and the ${nameOf(engines[1])}`, () => {
    // MSRs; again: mov edx,user; mov ecx,6800h; sysexit
    // user: inc ebx; mov eax,fs; add edi,eax; push fs; pop eax; sysenter
    // handler: inc esi; push fs; push ds; pop ds; pop fs; mov fs,selector number esi & 7; add ebp,fs:[its offset], unless null;
    //   pushf; cli; sti; rdtsc; popf; jmp again
    const program =
      'b8100000008ed88ec08ed0bc0070000031d2b974010000b8080000000f3041b8006f00000f3041b8448000000f30' +
      'ba3a800000b9006800000f35438ce001c70fa0580f34460fa01e1f0fa189f183e1078b04cd00a000008b14cd04a00000' +
      '8ee085c0740364032a9cfafb0f319debbf'
    // Base 20000h of 4 KB; flat; expand-down; not accessed before; read-only; code; base 0 of 32 KB.
    const descriptors = [
      [0x0000_0fff, 0x0040_9302],
      [0x0000_ffff, 0x00cf_9300],
      [0x1000_7fff, 0x0040_9702],
      [0x1000_0fff, 0x0040_9202],
      [0x2000_0fff, 0x0040_9102],
      [0x3000_0fff, 0x0040_9b02],
      [0x0000_7fff, 0x0040_9300],
    ]

    it('enter and leave CPL 0 and load segments of every kind alike, in windows of any length', () => {
      const machines = engines.map((engine) => {
        const { cpu, memory } = pagedMode(engine)
        memory.write16(0x3100, 0x67)
        for (const [n, [low, high]] of descriptors.entries()) {
          memory.write32(0x3030 + n * 8, low!)
          memory.write32(0x3034 + n * 8, high!)
          memory.write32(0xa008 + n * 8, 0x30 + n * 8)
          memory.write32(0xa00c + n * 8, n === 2 ? 0x8010 : 0x10 + n)
        }
        memory.write32(0x1_1000 + 6 * 4, 0x6007)
        memory.write32(0x1_1000 + 8 * 4, 0x8007)
        memory.writeBytes(0x8000, hex(program))
        for (let at = 0x2_0000; at < 0x2_c000; at += 4) memory.write32(at, Math.imul(at, 0x9e37_79b1))
        return cpu
      })
      const [first, second] = machines as [Cpu, Cpu]
      for (let window = 0, length = 1; window < 2000; window++, length = (length * 7) % 101) {
        first.run(length)
        second.run(length)
        if (window % 10 !== 0) continue
        expect(second.save().registers).toEqual(first.save().registers)
        expect(second.paging.mmu.counts).toEqual(first.paging.mmu.counts)
        expect([second.retired, ...second.counts.exceptions]).toEqual([first.retired, ...first.counts.exceptions])
      }
      expect(first.state.reg32(Gpr.si)).toBeGreaterThan(1000)
      expect(first.counts.exceptions.every((count) => count === 0)).toBe(true)
    })
  })
}
