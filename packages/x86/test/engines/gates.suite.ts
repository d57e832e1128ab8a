/**
 * INT n, IRET, page faults and loads of segments, over and over between CPL 3 and 0, with one odd thing at a time: in a gate,
 * a descriptor, the TSS, or what is returned to. The reference engine and another in windows of any length.
 */
import { GuestMemory } from '@vmexit/memory'
import { expect, it } from 'vitest'
import { Cpu, type EngineChoice } from '../../src/index.ts'
import { nameOf } from '../engine.ts'
import { Random } from '../random.ts'
import { differences } from './compare.ts'
import { type Geometry, Pin } from './machine.ts'

const At = {
  gdt: 0x1000,
  idt: 0x1800,
  tss: 0x2000,
  directory: 0x3000,
  table: 0x4000,
  /** What handlers do to the stack that they return by, and to FS. */
  odd: 0x6000,
  boot: 0x7000,
  restart: 0x7080,
  user: 0x8000,
  call: 0x9000,
  trap: 0x9080,
  page: 0x9100,
  other: 0x9200,
  interrupt: 0x9280,
} as const

const CODE = {
  // mov cr3; mov cr0; lidt; ltr; jmp restart
  boot: 'b800300000 0f22d8 0f20c0 0d00000180 0f22c0 0f011d f0700000 b828000000 0f00d8 e959000000',
  // mov esp; mov ds,23h; mov es,ds; push 23h, 30000h, 202h, 1bh, user; iret
  restart: 'bc00a00000 b823000000 8ed8 8ec0 6a23 6800000300 6802020000 6a1b 6800800000 cf',
  // inc ebx; int 80h; mov eax,[esi]; esi to another of 16 pages; int 81h; push fs; pop fs; mov [esi+4],eax; int 82h; jmp
  user: '43 cd80 8b06 81c634120000 81e6ffff0000 81ce00000800 cd81 0fa0 0fa1 894604 cd82 ebdc',
  // inc edi; xor [esp]…[esp+16] with the odd words; mov fs,[odd+20]; push ds; pop ds; sti; nop; cli; iret
  call:
    '47 a100600000 31442408 a104600000 31442404 a108600000 31442410 a10c600000 3144240c a110600000 310424 ' +
    '8e2514600000 1e 1f fb 90 fa cf',
  // inc ebp; mov eax,cr2; int 83h; iret
  trap: '45 0f20d0 cd83 cf',
  // push eax; page edi&15 becomes absent, the one asked for present; pop eax; add esp,4; iret
  page: '50 89f8 83e00f 832485 00420000 fe c1e00c 0f01b800000800 0f20d0 c1e80c 830c85 00400000 07 58 83c404 cf',
  // inc dword ss:[odd+24]; jmp restart
  other: '36ff0518600000 e974deffff',
  // inc dword ss:[odd+28]; iret
  interrupt: '36ff051c600000 cf',
} as const

/** Descriptors from selector 8 on: code and data of CPL 0, of CPL 3, the TSS, data with a base for CPL 3 and 0. */
const DESCRIPTORS = [
  [0x0000_ffff, 0x00cf_9a00],
  [0x0000_ffff, 0x00cf_9200],
  [0x0000_ffff, 0x00cf_fa00],
  [0x0000_ffff, 0x00cf_f200],
  [(At.tss << 16) | 0x67, 0x0000_8900],
  [0x0000_0fff, 0x0040_f202],
  [0x0000_0fff, 0x0040_9202],
] as const

function put(memory: GuestMemory, at: number, text: string): void {
  memory.writeBytes(
    at,
    Uint8Array.from(text.replaceAll(' ', '').match(/../g)!, (pair) => Number.parseInt(pair, 16)),
  )
}

/** Everything as it is without anything odd. */
function lay(memory: GuestMemory): void {
  for (const [name, text] of Object.entries(CODE)) put(memory, At[name as keyof typeof CODE], text)
  for (const [n, [low, high]] of DESCRIPTORS.entries()) {
    memory.write32(At.gdt + 8 + n * 8, low)
    memory.write32(At.gdt + 12 + n * 8, high)
  }
  for (let vector = 0; vector < 256; vector++) gate(memory, vector, At.other, 0x8e00)
  gate(memory, 2, At.interrupt, 0x8e00)
  gate(memory, 14, At.page, 0x8e00)
  for (let vector = 0x20; vector < 0x30; vector++) gate(memory, vector, At.interrupt, 0x8e00)
  gate(memory, 0x80, At.call, 0xee00)
  gate(memory, 0x81, At.trap, 0xef00)
  gate(memory, 0x82, At.call, 0xef00)
  gate(memory, 0x83, At.interrupt, 0xee00)
  memory.write32(At.tss + 4, 0xa000)
  memory.write32(At.tss + 8, 0x10)
  memory.write32(At.directory, At.table | 7)
  for (let page = 0; page < 256; page++) memory.write32(At.table + page * 4, (page << 12) | (page >> 4 === 8 ? 6 : 7))
  memory.write32(0x70f0, 0x1800_07ff)
  memory.write32(0x70f4, 0)
  for (let at = At.odd; at < At.odd + 24; at += 4) memory.write32(at, 0)
}
function gate(memory: GuestMemory, vector: number, target: number, type: number): void {
  memory.write32(At.idt + vector * 8, (8 << 16) | target)
  memory.write32(At.idt + vector * 8 + 4, type)
}

class Machine {
  readonly memory: GuestMemory = new GuestMemory({ ranges: [{ kind: 'ram', start: 0, bytes: 0x10_0000 }] })
  readonly pin: Pin = new Pin()
  readonly cpu: Cpu

  constructor(engine: EngineChoice, tlb: Geometry) {
    this.cpu = new Cpu({ memory: this.memory, interrupts: this.pin, engine, tlb })
    this.start()
  }
  start(): void {
    lay(this.memory)
    this.cpu.reset()
    this.cpu.startFlat({ eip: At.boot, gdtBase: At.gdt, gdtLimit: 0x3f, code: 8, data: 0x10 })
  }
}

/** A word of memory and what it is for a while. */
function oddity(random: Random): readonly [at: number, value: number] {
  const flag = 1 << random.pick([8, 9, 10, 12, 13, 14, 16, 17, 18, 19, 20, 21])
  const bit = 1 << random.below(32)
  const descriptor = random.below(DESCRIPTORS.length)
  const [low, high] = DESCRIPTORS[descriptor]!
  const at = At.gdt + 8 + descriptor * 8
  const vector = random.pick([0x80, 0x81, 0x82, 0x83, 14])
  const types = [0xee00, 0xef00, 0x8e00, 0xe600, 0xe700, 0x6e00, 0xe500, 0xfe00, 0xce00]
  return random.pick([
    [At.odd, flag],
    [At.odd, flag | 0x1_0000],
    [At.odd + 4, random.pick([1, 2, 3, 4, 8, 0x18, 0x1b, 0x40, 0x23])],
    [At.odd + 8, random.pick([1, 2, 3, 4, 8, 0x20, 0x23, 0x38, 0x40])],
    [At.odd + 12, random.pick([2, 4, 0xff8, bit])],
    [At.odd + 16, random.pick([1, 3, 8, bit])],
    [At.odd + 20, random.pick([0x33, 0x38, 0x30, 0x23, 0x10, 3, 0x18, 0x34])],
    [at, low ^ bit],
    [at + 4, high ^ bit],
    [At.idt + vector * 8, (random.pick([8, 9, 0xb, 0x18, 0x10, 0, 0xc, 0x48]) << 16) | At.call],
    [At.idt + vector * 8 + 4, random.pick(types)],
    [At.tss + 4, random.pick([0x9ffe, 0xa008, 0xa010, 0x8_0010, 0x10, 0, 0xffff_fff0])],
    [At.tss + 8, random.pick([0, 0x13, 8, 0x20, 0x14, 0x48, 0x38])],
  ])
}

const GEOMETRIES: readonly Geometry[] = [
  { data: 4096, instruction: 1024 },
  { data: 4096, instruction: 1024 },
  { data: 8, instruction: 2 },
  { data: 1, instruction: 1 },
]

export function gatesSuite(engine: EngineChoice): void {
  for (const [n, geometry] of GEOMETRIES.entries()) {
    it(`the ${nameOf(engine)} goes through gates and returns as the reference engine does: ${geometry.data} TLB entries, seed ${n}`, () => {
      const random = new Random(500 + n)
      const machines = (['reference', engine] as const).map((each) => new Machine(each, geometry))
      const [a, b] = machines as [Machine, Machine]
      let put: readonly [at: number, value: number] | undefined
      for (let window = 0; window < 4000; window++) {
        if (window % 4 === 0) {
          const odd = random.one(2) ? oddity(random) : undefined
          const before = put && [put[0], put[1]]
          for (const { memory } of machines) {
            if (before) memory.write32(before[0]!, before[1]!)
          }
          put = odd && [odd[0], a.memory.read32(odd[0])]
          for (const { memory } of machines) if (odd) memory.write32(odd[0], odd[1])
        }
        const event = random.below(40)
        const budget = random.one(3) ? 1 + random.below(4) : 1 + random.below(150)
        const reasons = machines.map(({ cpu, pin }) => {
          if (event === 0) cpu.nmi()
          if (event === 1) pin.raise(0x20 + (window & 15))
          return cpu.run(budget).reason
        })
        const found = differences(a.cpu, b.cpu)
        if (found.length > 0) expect([window, put, found]).toEqual([])
        expect(reasons[1]).toBe(reasons[0])
        // What an odd stack pointer has overwritten stays so; begin again before long.
        if (reasons[0] !== 'shutdown' && window % 50 !== 49) continue
        for (const machine of machines) machine.start()
        put = undefined
      }
      expect(b.cpu.save().mmu).toEqual(a.cpu.save().mmu)
      // Protection faults, interrupts and page faults have all been met.
      const [restarts, interrupts] = [b.memory.read32(At.odd + 24), b.memory.read32(At.odd + 28)]
      const met = [restarts, interrupts, b.cpu.counts.exceptions[14]!]
      expect(met.every((times) => times > 20)).toBe(true)
    })
  }
}
