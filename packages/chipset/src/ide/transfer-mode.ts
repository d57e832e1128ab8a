/** Transfer modes, as SET FEATURES and IDENTIFY say them (ATA/ATAPI-6, 8.46.11). They do not change what time it takes. */

/** The highest mode of each kind that drives have here. */
const highest = { pio: 4, multiword: 2, ultra: 5 } as const

const multiword = 0x20
const ultra = 0x40

/** Whether a drive has the mode: 0 and 1 for the default, else the kind in bits 7–3 and the number in bits 2–0. */
export function isTransferMode(mode: number): boolean {
  const number = mode & 0x07
  switch (mode & 0xf8) {
    case 0:
      return number <= 1
    case 0x08:
      return number <= highest.pio
    case multiword:
      return number <= highest.multiword
    case ultra:
      return number <= highest.ultra
    default:
      return false
  }
}

/** Words 63 and 88 of IDENTIFY: the modes there are in the lower byte, the one that is set in the upper. */
export function transferModeWords(mode: number): { readonly multiword: number; readonly ultra: number } {
  const selected = (kind: number) => ((mode & 0xf8) === kind ? 1 << (8 + (mode & 0x07)) : 0)
  return {
    multiword: (2 << highest.multiword) - 1 + selected(multiword),
    ultra: (2 << highest.ultra) - 1 + selected(ultra),
  }
}
