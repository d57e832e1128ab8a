/** Settings of a terminal (termios(3)), with i386's numbers. */

// biome-ignore format: tables
export const Input = { IGNBRK: 1, BRKINT: 2, IGNPAR: 4, PARMRK: 8, INPCK: 0x10, ISTRIP: 0x20, INLCR: 0x40, IGNCR: 0x80,
  ICRNL: 0x100, IUCLC: 0x200, IXON: 0x400, IXANY: 0x800, IXOFF: 0x1000, IMAXBEL: 0x2000, IUTF8: 0x4000 } as const
// biome-ignore format: a table
export const Output = { OPOST: 1, OLCUC: 2, ONLCR: 4, OCRNL: 8, ONOCR: 0x10, ONLRET: 0x20 } as const
// biome-ignore format: a table
export const Local = { ISIG: 1, ICANON: 2, XCASE: 4, ECHO: 8, ECHOE: 0x10, ECHOK: 0x20, ECHONL: 0x40, NOFLSH: 0x80,
  TOSTOP: 0x100, ECHOCTL: 0x200, ECHOPRT: 0x400, ECHOKE: 0x800, FLUSHO: 0x1000, PENDIN: 0x4000, IEXTEN: 0x8000 } as const
/** Indexes of control characters. */
// biome-ignore format: a table
export const Character = { INTR: 0, QUIT: 1, ERASE: 2, KILL: 3, EOF: 4, TIME: 5, MIN: 6, SWTC: 7, START: 8, STOP: 9,
  SUSP: 10, EOL: 11, REPRINT: 12, DISCARD: 13, WERASE: 14, LNEXT: 15, EOL2: 16 } as const

/** `struct termios` of the kernel: 36 bytes. */
export interface Termios {
  input: number
  output: number
  control: number
  local: number
  line: number
  readonly characters: Uint8Array
}
/** Bytes of `struct termios`. */
export const TERMIOS_BYTES = 36

/** As a terminal is when it is opened first. */
export function freshTermios(): Termios {
  const characters = new Uint8Array(19)
  characters.set([3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0])
  return {
    input: Input.ICRNL | Input.IXON,
    output: Output.OPOST | Output.ONLCR,
    control: 0xbf,
    local:
      Local.ISIG | Local.ICANON | Local.ECHO | Local.ECHOE | Local.ECHOK | Local.ECHOCTL | Local.ECHOKE | Local.IEXTEN,
    line: 0,
    characters,
  }
}

export function encodeTermios(termios: Termios): Uint8Array {
  const bytes = new Uint8Array(TERMIOS_BYTES)
  const view = new DataView(bytes.buffer)
  const { input, output, control, local } = termios
  for (const [n, word] of [input, output, control, local].entries()) view.setUint32(n * 4, word, true)
  bytes[16] = termios.line
  bytes.set(termios.characters, 17)
  return bytes
}

export function decodeTermios(bytes: Uint8Array): Termios {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const word = (n: number): number => view.getUint32(n * 4, true)
  return {
    input: word(0),
    output: word(1),
    control: word(2),
    local: word(3),
    line: bytes[16]!,
    characters: bytes.slice(17, 36),
  }
}
