/** ROMs of a few instructions. */

const bytes = 0x10000

/** A ROM of 64 KiB that runs real-mode code at f000:0000. */
export function rom(...code: readonly number[]): Uint8Array {
  const image = new Uint8Array(bytes)
  image.set(code)
  image.set([0xea, 0x00, 0x00, 0x00, 0xf0], 0xfff0) // jmp f000:0000
  return image
}

/** sti; hlt; and again. */
export const waitsForEver: Uint8Array = rom(0xfb, 0xf4, 0xeb, 0xfc)

/** Jumps to itself. */
export const worksForEver: Uint8Array = rom(0xeb, 0xfe)

/** mov dx,3f8h; mov al,'y'; out dx,al; again. */
export const printsForEver: Uint8Array = rom(0xba, 0xf8, 0x03, 0xb0, 0x79, 0xee, 0xeb, 0xfd)

/** mov al,1; out f4h,al. */
export const exitsWith3: Uint8Array = rom(0xb0, 0x01, 0xe6, 0xf4, 0xf4)
