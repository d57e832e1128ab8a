/** What a program finds on its stack: strings, and below them argc, argv, envp and the auxiliary vector (System V ABI, i386 supplement). */
import { type ByteString, bytesOf } from '@vmexit/vfs'

/** Keys of the auxiliary vector (getauxval(3)). */
// biome-ignore format: a table
export const Aux = {
  NULL: 0, PHDR: 3, PHENT: 4, PHNUM: 5, PAGESZ: 6, BASE: 7, FLAGS: 8, ENTRY: 9, UID: 11, EUID: 12, GID: 13, EGID: 14,
  PLATFORM: 15, HWCAP: 16, CLKTCK: 17, SECURE: 23, RANDOM: 25, HWCAP2: 26, EXECFN: 31, SYSINFO: 32, SYSINFO_EHDR: 33,
  MINSIGSTKSZ: 51,
} as const

/** What is to be on the stack. */
export interface StackContents {
  readonly args: readonly ByteString[]
  readonly env: readonly ByteString[]
  readonly executable: ByteString
  /** 16 bytes. */
  readonly random: Uint8Array
  /** Pairs of key and value, without those that point into the stack. */
  readonly aux: readonly (readonly [key: number, value: number])[]
}

/** The block, as it is to lie below `top`, and what lies where. */
export interface InitialStack {
  /** Where the stack pointer is, at argc. */
  readonly sp: number
  readonly bytes: Uint8Array
  readonly argsStart: number
  readonly argsEnd: number
  readonly envStart: number
  readonly envEnd: number
  readonly auxv: readonly number[]
}

const PLATFORM = 'i686'

/** Puts a stack together whose last byte lies before `top`. */
export function initialStack(contents: StackContents, top: number): InitialStack {
  const { args, env, executable, random, aux } = contents
  const pieces: [at: number, bytes: Uint8Array][] = []
  // The last word is zero.
  let at = top - 4
  const put = (text: ByteString): number => {
    at -= text.length + 1
    pieces.push([at, bytesOf(text)])
    return at
  }
  const executableAt = put(executable)
  const envEnd = at
  const envAt = env.toReversed().map(put).reverse()
  const envStart = at
  const argsAt = args.toReversed().map(put).reverse()
  const argsStart = at
  at &= ~15
  at >>>= 0
  const platformAt = put(PLATFORM)
  at -= 16
  const randomAt = at
  pieces.push([at, random])
  const auxv = [
    ...aux,
    [Aux.RANDOM, randomAt],
    [Aux.EXECFN, executableAt],
    [Aux.PLATFORM, platformAt],
    [Aux.NULL, 0],
  ].flat() as number[]
  const words = [args.length, ...argsAt, 0, ...envAt, 0, ...auxv]
  const sp = ((at - words.length * 4) & ~15) >>> 0
  const bytes = new Uint8Array(top - sp)
  const view = new DataView(bytes.buffer)
  for (const [n, word] of words.entries()) view.setUint32(n * 4, word >>> 0, true)
  for (const [where, piece] of pieces) bytes.set(piece, where - sp)
  return { sp, bytes, argsStart, argsEnd: envStart, envStart, envEnd, auxv }
}
