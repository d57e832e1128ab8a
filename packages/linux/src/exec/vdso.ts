/**
 * The vDSO: a page of user code by the kernel (vdso(7)). `__kernel_vsyscall` is INT 80h: under this kernel SYSENTER costs the
 * same, and takes more instructions around it. What returns from signal handlers is as debuggers and unwinders know it.
 */

/** Offsets in the page. `sysenterReturn`: where SYSENTER comes back, with three words on the stack to be popped. */
export const VDSO = { vsyscall: 0x400, sysenterReturn: 0x410, sigreturn: 0x420, rtSigreturn: 0x430 } as const

const code: readonly (readonly [number, readonly number[]])[] = [
  // int 80h; ret
  [VDSO.vsyscall, [0xcd, 0x80, 0xc3]],
  // int 80h, where an interrupted call begins again; pop ebp; pop edx; pop ecx; ret
  [VDSO.sysenterReturn - 2, [0xcd, 0x80, 0x5d, 0x5a, 0x59, 0xc3]],
  // pop eax; mov eax, 119; int 80h
  [VDSO.sigreturn, [0x58, 0xb8, 119, 0, 0, 0, 0xcd, 0x80]],
  // mov eax, 173; int 80h
  [VDSO.rtSigreturn, [0xb8, 173, 0, 0, 0, 0xcd, 0x80]],
]

const SYMBOLS = [
  ['__kernel_vsyscall', VDSO.vsyscall, 3],
  ['__kernel_sigreturn', VDSO.sigreturn, 8],
  ['__kernel_rt_sigreturn', VDSO.rtSigreturn, 7],
] as const
const SONAME = 'linux-gate.so.1'
const VERSION = 'LINUX_2.5'

/** The page, an ELF file with a dynamic symbol table (System V ABI; `linux-gate.so.1`). */
export function vdsoImage(): Uint8Array {
  const image = new Uint8Array(4096)
  const view = new DataView(image.buffer)
  const put16 = (at: number, ...values: number[]): void => {
    for (const [n, value] of values.entries()) view.setUint16(at + n * 2, value, true)
  }
  const put32 = (at: number, ...values: number[]): void => {
    for (const [n, value] of values.entries()) view.setUint32(at + n * 4, value, true)
  }
  for (const [at, bytes] of code) image.set(bytes, at)

  let names = '\0'
  const nameOf = (name: string): number => {
    const at = names.length
    names += `${name}\0`
    return at
  }
  const at = { dynamic: 0xc0, hash: 0x140, symbols: 0x180, versions: 0x1d0, definitions: 0x1e0, strings: 0x240 }
  const soname = nameOf(SONAME)
  const version = nameOf(VERSION)
  for (const [n, [name, value, size]] of SYMBOLS.entries()) {
    put32(at.symbols + (n + 1) * 16, nameOf(name), value, size)
    // A global function, in a section that there is (any: the headers of sections are not loaded).
    view.setUint8(at.symbols + (n + 1) * 16 + 12, 0x12)
    put16(at.symbols + (n + 1) * 16 + 14, 1)
    put16(at.versions + (n + 1) * 2, 2)
  }
  // One bucket, whose chain has all symbols.
  put32(at.hash, 1, SYMBOLS.length + 1, 1, 0)
  for (let n = 0; n < SYMBOLS.length; n++) put32(at.hash + 16 + n * 4, n + 1 < SYMBOLS.length ? n + 2 : 0)
  definition(view, at.definitions, 1, 1, soname, SONAME, 28)
  definition(view, at.definitions + 28, 0, 2, version, VERSION, 0)
  for (let n = 0; n < names.length; n++) image[at.strings + n] = names.charCodeAt(n)
  // DT_HASH, DT_SYMTAB, DT_STRTAB, DT_STRSZ, DT_SYMENT, DT_SONAME, DT_VERSYM, DT_VERDEF, DT_VERDEFNUM, DT_NULL
  const tags = [4, at.hash, 6, at.symbols, 5, at.strings, 10, names.length, 11, 16, 14, soname]
  put32(at.dynamic, ...tags, 0x6fff_fff0, at.versions, 0x6fff_fffc, at.definitions, 0x6fff_fffd, 2, 0, 0)

  image.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1])
  put16(0x10, 3, 3)
  put32(0x14, 1, VDSO.vsyscall, 52, 0, 0)
  put16(0x28, 52, 32, 2, 40, 0, 0)
  put32(52, 1, 0, 0, 0, image.length, image.length, 5, 4096)
  put32(84, 2, at.dynamic, at.dynamic, at.dynamic, 20 * 4, 20 * 4, 4, 4)
  return image
}

/** A `Verdef` with its `Verdaux`. */
function definition(
  view: DataView,
  at: number,
  flags: number,
  index: number,
  name: number,
  text: string,
  next: number,
): void {
  for (const [n, value] of [1, flags, index, 1].entries()) view.setUint16(at + n * 2, value, true)
  const words = [elfHash(text), 20, next, name, 0]
  for (const [n, value] of words.entries()) view.setUint32(at + 8 + n * 4, value, true)
}

/** The hash of the System V ABI. */
function elfHash(text: string): number {
  let hash = 0
  for (const character of text) {
    hash = ((hash << 4) >>> 0) + character.charCodeAt(0)
    const high = hash & 0xf000_0000
    hash = ((high !== 0 ? hash ^ (high >>> 24) : hash) & ~high) >>> 0
  }
  return hash
}
