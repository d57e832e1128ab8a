/**
 * The programs that starts are measured with, put together here from a few instructions (ELF-32 specification, "ELF Header" and "Program
 * Header"; Intel SDM volume 2): one that ends at once, as `true` does, and one that is the first of a guest and stays where it is long
 * enough to be found there.
 */

/** Where they lie: no other program of a guest does. */
export const BASE = 0x2000_0000
const PAGE = 0x1000
const HEADERS = 52 + 32
/** Rounds of the one that waits: of two instructions each, behind one that sets their number. */
const ROUNDS = 150_000
/** Instructions that it waits: whoever looks more often finds it there. */
export const WAIT_INSTRUCTIONS: number = 1 + 2 * ROUNDS

/** Whether an address is in one of these programs. */
export const isWithin = (ip: number): boolean => ip >= BASE && ip < BASE + PAGE

/** exit(0). */
export function trueProgram(): Uint8Array<ArrayBuffer> {
  // mov eax,1; xor ebx,ebx; int 80h
  return programOf([0xb8, ...dword(1), 0x31, 0xdb, 0xcd, 0x80])
}

/** For ever. */
export function idleProgram(): Uint8Array<ArrayBuffer> {
  return programOf([0xeb, 0xfe])
}

/** Waits, and becomes the program of a path, with its own arguments. */
export function waitingProgram(path: string): Uint8Array<ArrayBuffer> {
  const text = [...new TextEncoder().encode(path), 0]
  const code = (at: number) => [
    ...[0xb9, ...dword(ROUNDS)], // mov ecx,ROUNDS
    ...[0x49, 0x75, 0xfd], // L: dec ecx; jnz L
    ...[0x8b, 0x04, 0x24], // mov eax,[esp], the number of arguments
    ...[0x8d, 0x4c, 0x24, 0x04], // lea ecx,[esp+4], the arguments
    ...[0x8d, 0x54, 0x81, 0x04], // lea edx,[ecx+4*eax+4], the environment
    ...[0xbb, ...dword(at)], // mov ebx,PATH
    ...[0xb8, ...dword(11), 0xcd, 0x80], // execve
    ...[0xf4],
  ]
  return programOf([...code(BASE + HEADERS + code(0).length), ...text])
}

/** Rounds that it has waited so far, by its ECX. */
export function waited(ip: number, ecx: number): number {
  const at = ip - BASE - HEADERS
  if (at === 0) return 0
  const rounds = 2 * (ROUNDS - ecx)
  // Behind MOV and JNZ stands DEC; behind DEC, which has counted, JNZ.
  return at === 6 ? rounds : 1 + rounds
}

function programOf(code: readonly number[]): Uint8Array<ArrayBuffer> {
  const size = HEADERS + code.length
  const entry = BASE + HEADERS
  return Uint8Array.from([
    ...[0x7f, 0x45, 0x4c, 0x46, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    ...[...word(2), ...word(3), ...dword(1), ...dword(entry), ...dword(52), ...dword(0), ...dword(0)],
    ...[...word(52), ...word(32), ...word(1), ...word(0), ...word(0), ...word(0)],
    // One segment, to be read and executed.
    ...[...dword(1), ...dword(0), ...dword(BASE), ...dword(BASE), ...dword(size), ...dword(size), ...dword(5)],
    ...dword(PAGE),
    ...code,
  ])
}

const word = (value: number): readonly number[] => [value & 0xff, (value >> 8) & 0xff]
const dword = (value: number): readonly number[] => [...word(value), ...word(value >> 16)]
