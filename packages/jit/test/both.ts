/** A flat 32-bit machine twice, on the reference engine and on the JIT, which are compared after every run. */
import { GuestMemory } from '@vmexit/memory'
import { Cpu, type EngineChoice, type PortSpace } from '@vmexit/x86'
import { expect } from 'vitest'
import { allDifferences, differences } from '../../x86/test/engines/compare.ts'
import { Pin } from '../../x86/test/engines/machine.ts'
import { compiled, eager } from './eager.ts'

/** Where everything lies. */
export const At = {
  /** Words that handlers count in: what is not expected, #DB, interrupts, page faults; and a sum of all frames' flags. */
  counts: 0x600,
  gdt: 0x1000,
  idt: 0x1800,
  /** A directory and its table, and another pair. */
  directory: 0x3000,
  table: 0x4000,
  otherDirectory: 0x5000,
  otherTable: 0x6000,
  boot: 0x7000,
  code: 0x8000,
  handlers: 0x9000,
  /** Functions. */
  far: 0xb000,
  stack: 0x9_0000,
} as const

/** push eax; mov eax, [esp+12]; xor [610h], eax; rol dword [610h], 1; pop eax: the flags of each frame count. */
export const SUM_FLAGS = '50 8b44240c 310510060000 d10510060000 58'

const HANDLERS = {
  // inc dword [600h]; iret
  other: [0x9000, `ff0500060000 ${SUM_FLAGS} cf`],
  // inc dword [604h]; and dword [esp+8], ~100h; or dword [esp+8], 10000h; iret
  debug: [0x9040, `ff0504060000 ${SUM_FLAGS} 81642408fffeffff 814c240800000100 cf`],
  // inc dword [608h]; iret
  interrupt: [0x9080, `ff0508060000 ${SUM_FLAGS} cf`],
  // inc dword [60ch]; the page becomes present; add esp, 4; iret
  page: [0x9100, `ff050c060000 50 0f20d0 c1e80c 830c850040000007 0f20d0 0f0138 58 83c404 ${SUM_FLAGS} cf`],
} as const

/** What a machine has beyond RAM and its CPU. */
export interface Extras {
  readonly paging?: boolean
  readonly bytes?: number
  readonly engine?: EngineChoice
  readonly tlb?: { readonly data: number; readonly instruction: number }
  /** What a write to a port does to the machine's memory. */
  readonly onPort?: (memory: GuestMemory, value: number) => void
}

interface One {
  readonly memory: GuestMemory
  readonly pin: Pin
  readonly cpu: Cpu
}

export class Both {
  readonly all: readonly [One, One]
  /** What the last run gave. */
  #runs = 0

  constructor(code: Readonly<Record<number, string>>, extras: Extras = {}) {
    const { engine = eager() } = extras
    this.all = [create('reference', extras), create(engine, extras)]
    for (const { memory, cpu } of this.all) {
      lay(memory)
      for (const [at, text] of Object.entries(code)) memory.writeBytes(Number(at), hex(text))
      cpu.startFlat({ eip: At.boot, gdtBase: At.gdt, gdtLimit: 0x17, code: 8, data: 0x10 })
      // mov cr3; mov cr0, unless there is no paging; mov esp; lidt; jmp code
      const paging = extras.paging ? `b8${word(At.directory)}0f22d8 0f20c0 0d00000180 0f22c0` : ''
      memory.writeBytes(At.boot, hex(`${paging} bc${word(At.stack)} 0f011df0700000 fb b8${word(At.code)} ffe0`))
    }
    while (this.all[0].cpu.state.ip !== At.code) for (const { cpu } of this.all) cpu.run(1)
  }

  /** Both, for so many instructions: they are equal then, and the runs ended alike. */
  run(budget: number): void {
    const [a, b] = this.all
    const reasons = this.all.map(({ cpu }) => cpu.run(budget).reason)
    const found = this.#runs++ % 50 === 0 ? allDifferences(a as never, b as never) : differences(a.cpu, b.cpu)
    expect([`after ${a.cpu.retired}`, reasons[1], ...found]).toEqual([`after ${a.cpu.retired}`, reasons[0]])
  }
  /** Runs of every length from 1 on, over and over, `count` in all. */
  sweep(count: number, longest = 60): void {
    for (let n = 0; n < count; n++) this.run(1 + (n % longest))
    this.end()
  }
  /** All of memory and whatever is saved is equal, too; the JIT has translated something. */
  end(): void {
    const [a, b] = this.all
    expect(allDifferences(a as never, b as never)).toEqual([])
    expect(compiled(b.cpu)).toBeGreaterThan(0)
  }

  write(at: number, bytes: Uint8Array): void {
    for (const { memory } of this.all) memory.writeBytes(at, bytes)
  }
  /** A word of memory. */
  word(at: number): number {
    return this.all[1].memory.read32(at)
  }
  /** How often each handler ran: what is not expected, #DB, interrupts, page faults. */
  get counts(): readonly number[] {
    return [0, 4, 8, 12].map((offset) => this.word(At.counts + offset))
  }
}

function create(engine: EngineChoice, { bytes = 1 << 20, tlb, onPort }: Extras): One {
  const memory = new GuestMemory({ ranges: [{ kind: 'ram', start: 0, bytes }] })
  const pin = new Pin()
  const ports: PortSpace = { read: () => 0, write: (_port, _width, value) => onPort?.(memory, value) }
  return { memory, pin, cpu: new Cpu({ memory, interrupts: pin, ports, engine, ...(tlb && { tlb }) }) }
}

function lay(memory: GuestMemory): void {
  for (const [n, value] of [0, 0, 0xffff, 0x00cf_9a00, 0xffff, 0x00cf_9200].entries())
    memory.write32(At.gdt + n * 4, value)
  for (const [at, text] of Object.values(HANDLERS)) memory.writeBytes(at, hex(text))
  for (let vector = 0; vector < 256; vector++) {
    const { other, debug, interrupt, page } = HANDLERS
    const [handler] = vector === 1 ? debug : vector === 14 ? page : vector >= 0x20 && vector < 0x30 ? interrupt : other
    memory.write32(At.idt + vector * 8, (8 << 16) | handler)
    memory.write32(At.idt + vector * 8 + 4, 0x8e00)
  }
  for (const [directory, table] of [
    [At.directory, At.table],
    [At.otherDirectory, At.otherTable],
  ] as const) {
    memory.write32(directory, table | 7)
    for (let page = 0; page < 256; page++) memory.write32(table + page * 4, (page << 12) | 7)
  }
  memory.write32(0x70f0, ((At.idt & 0xffff) << 16) | 0x7ff)
  memory.write32(0x70f4, 0)
}

export function hex(text: string): Uint8Array {
  return Uint8Array.from(text.replaceAll(' ', '').match(/../g)!, (pair) => Number.parseInt(pair, 16))
}
/** Four bytes as code has them. */
export function word(value: number): string {
  const bytes = [0, 8, 16, 24].map((shift) => ((value >>> shift) & 0xff).toString(16).padStart(2, '0'))
  return bytes.join('')
}
