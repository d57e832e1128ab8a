/** A program that makes the system calls of a table, one after the other: machine code by hand, in an ELF file. */

const BASE = 0x0804_8000
const HEADERS = 52 + 32
/** Words of a call: EAX, EBX, ECX, EDX, ESI, EDI, EBP. */
const WORDS = 7

/** A call: its number and arguments; what is missing is 0. */
export type Call = readonly number[]

/** Where the program has `scratch` bytes that it may write. */
export const SCRATCH = 0x0900_0000
export const SCRATCH_BYTES = 0x4000

/** The program. It keeps what the calls answered behind the table, where `answersAt` says. */
export function programOf(calls: readonly Call[]): Uint8Array {
  const word = (value: number): number[] => [0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff)
  const pointer = BASE + HEADERS
  const code: number[] = [
    ...[0xa1, ...word(pointer)], // L: mov eax, [pointer]
    ...[0x83, 0x05, ...word(pointer), WORDS * 4], // add dword [pointer], 28
    ...[0x8b, 0x58, 4, 0x8b, 0x48, 8, 0x8b, 0x50, 12], // mov ebx, [eax + 4] …
    ...[0x8b, 0x70, 16, 0x8b, 0x78, 20, 0x8b, 0x68, 24],
    ...[0x8b, 0x00, 0x83, 0xf8, 0xff, 0x74, 4], // mov eax, [eax]; cmp eax, -1; je done
    ...[0xcd, 0x80], // int 80h
    ...[0xeb, 0], // jmp L
    ...[0xb8, ...word(252), 0x31, 0xdb, 0xcd, 0x80], // done: mov eax, 252; xor ebx, ebx; int 80h
  ]
  const jump = code.indexOf(0xeb, code.indexOf(0xcd))
  code[jump + 1] = -(jump + 2) & 0xff
  const codeStart = HEADERS + 4
  const tableStart = (codeStart + code.length + 15) & ~15
  const size = tableStart + (calls.length + 1) * WORDS * 4
  const bytes = new Uint8Array(size)
  const view = new DataView(bytes.buffer)
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1])
  view.setUint16(16, 2, true)
  view.setUint16(18, 3, true)
  const put = (at: number, ...values: number[]): void => {
    for (const [n, value] of values.entries()) view.setUint32(at + n * 4, value, true)
  }
  put(20, 1, BASE + codeStart, 52)
  view.setUint16(40, 52, true)
  view.setUint16(42, 32, true)
  view.setUint16(44, 1, true)
  put(52, 1, 0, BASE, BASE, size, size, 7, 4096)
  put(HEADERS, BASE + tableStart)
  bytes.set(code, codeStart)
  for (const [n, call] of calls.entries())
    put(tableStart + n * WORDS * 4, ...Array.from({ length: WORDS }, (_, m) => call[m] ?? 0))
  put(tableStart + calls.length * WORDS * 4, -1)
  return bytes
}

/** mmap2 of the scratch memory: what a program of calls begins with. */
export const mapScratch: Call = [192, SCRATCH, SCRATCH_BYTES, 3, 0x32, -1, 0]
