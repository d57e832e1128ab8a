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

/** mov dx,3fbh; mov al,3; out dx,al; then what is typed is printed, until a 'q', which ends it with exit code 3. */
export const echoes: Uint8Array = rom(
  // S: mov dx,3fdh; L: in al,dx; test al,1; jz L; mov dx,3f8h; in al,dx; out dx,al; cmp al,'q'; jne S; mov al,1; out f4h,al
  ...[0xba, 0xfb, 0x03, 0xb0, 0x03, 0xee, 0xba, 0xfd, 0x03, 0xec, 0xa8, 0x01, 0x74, 0xfb, 0xba, 0xf8, 0x03, 0xec, 0xee],
  ...[0x3c, 0x71, 0x75, 0xef, 0xb0, 0x01, 0xe6, 0xf4, 0xf4],
)
