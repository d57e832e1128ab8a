/** The reader and the machine on a hand-made file of the 80386 form. */
import { describe, expect, it } from 'vitest'
import { createModel } from '../../src/system/models.ts'
import { SingleStepMachine } from './machine.ts'
import { REGISTERS_386, type Registers, readMoo } from './moo.ts'

const ascii = (text: string): number[] => [...text].map((c) => c.charCodeAt(0))
const u32 = (value: number): number[] => [value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, value >>> 24]
const chunk = (id: string, ...payload: number[][]): number[] => {
  const bytes = payload.flat()
  return [...ascii(id), ...u32(bytes.length), ...bytes]
}
function registers(id: 'RG32' | 'RM32', values: Registers): number[] {
  const present = REGISTERS_386.filter((name) => name in values)
  const bits = present.reduce((sum, name) => sum | (1 << REGISTERS_386.indexOf(name)), 0)
  return chunk(id, u32(bits), ...present.map((name) => u32(values[name]!)))
}
function ram(bytes: Readonly<Record<number, number>>): number[] {
  const list = Object.entries(bytes)
  return chunk('RAM ', u32(list.length), ...list.map(([address, value]) => [...u32(Number(address)), value]))
}

/** ADD EAX, [EBX+4], which clears no flag that the masks let count wrongly; then HLT. */
const CODE = [0x66, 0x67, 0x03, 0x43, 0x04]
const INITIAL = {
  cr0: 0x7ffe_fff0,
  cr3: 0,
  eax: 0xffff_fff0,
  ebx: 0x200,
  ecx: 1,
  edx: 2,
  esi: 3,
  edi: 4,
  ebp: 5,
  esp: 0x1_0100,
  cs: 0x100,
  ds: 0x200,
  es: 0,
  fs: 0,
  gs: 0,
  ss: 0x300,
  eip: 0x10,
  eflags: 0xfffc_0002,
  dr6: 0xffff_0ff0,
  dr7: 0,
}
function file(final: Registers, ...masks: number[][]): Uint8Array {
  const code = Object.fromEntries([...CODE, 0xf4].map((byte, i) => [0x1010 + i, byte]))
  const text = 'add eax,[ebx+4]'
  return Uint8Array.from([
    ...chunk('MOO ', [1, 1, 0, 0], u32(1), ascii('386E')),
    ...chunk('META', [1, 1, 4], u32(0x66670343), ascii('add     '), u32(1), u32(0), u32(0), [0, 0, 0, 0]),
    ...registers('RM32', { eflags: 0xffff_ffef }),
    ...chunk(
      'TEST',
      u32(7),
      chunk('NAME', u32(text.length), ascii(text)),
      chunk('BYTS', u32(CODE.length), CODE),
      chunk(
        'INIT',
        registers('RG32', INITIAL),
        ram({ ...code, 8708: 0x20, 8709: 0, 8710: 0, 8711: 0 }),
        chunk('QUEU', u32(0)),
      ),
      chunk('FINA', registers('RG32', final), ...masks, ram({})),
      chunk(
        'HASH',
        Array.from({ length: 20 }, () => 0),
      ),
    ),
  ])
}

const machine = new SingleStepMachine('reference', createModel('i386'))
const run = (bytes: Uint8Array): string[] => machine.run(readMoo(bytes).tests[0]!)

describe('the 80386 form of the container', () => {
  it('is read', () => {
    const read = readMoo(file({ eax: 0x10, eip: 0x16, eflags: 0xfffc_0003 }))
    expect(read.cpu).toBe('386E')
    expect(read.mnemonic).toBe('add')
    expect(read.masks).toEqual({ eflags: 0xffff_ffef })
    const [test] = read.tests
    expect(test).toMatchObject({ index: 7, name: 'add eax,[ebx+4]', exception: undefined })
    expect([...test!.bytes]).toEqual(CODE)
    expect(test!.initial.registers).toEqual(INITIAL)
    expect(test!.final.registers).toEqual({ eax: 0x10, eip: 0x16, eflags: 0xfffc_0003 })
    expect(test!.initial.ram).toHaveLength(10)
  })

  it('is run in 32 bits', () => {
    expect(run(file({ eax: 0x10, eip: 0x16, eflags: 0xfffc_0003 }))).toEqual([])
  })

  it('fails by register, under the masks', () => {
    expect(run(file({ eax: 0x11, eip: 0x16, eflags: 0xfffc_0003 }))).toEqual(['eax 10 is not 11 (of bits ffffffff)'])
    expect(run(file({ eax: 0x11, eip: 0x16, eflags: 0xfffc_0003 }, registers('RM32', { eax: 0xffff_fffe })))).toEqual(
      [],
    )
  })

  it('says what is wrong with a file that is cut short, or is another', () => {
    const bytes = file({ eip: 0x16 })
    expect(() => readMoo(bytes.subarray(0, bytes.length - 4))).toThrow(
      /the chunk TEST at byte \d+ runs beyond its parent/,
    )
    expect(() => readMoo(Uint8Array.from(chunk('RIFF')))).toThrow('not a MOO file')
  })
})
