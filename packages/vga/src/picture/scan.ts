/** The scan of a frame: which address and which line of a row each scan line shows. */
import type { Vga } from '../vga.ts'

/** A scan line as it is shown. */
export interface ScanLine {
  /** From the top, 0 for the first. */
  readonly y: number
  /** The address counter at its first character. */
  readonly address: number
  /** The scan line of its row, 0–31. */
  readonly rowScan: number
  /** Dots by which it is shifted to the left. */
  readonly panning: number
}

/** Calls `visit` for each scan line of a VGA mode, from the top. */
export function scan({ crtc, attribute, sequencer }: Vga, visit: (line: ScanLine) => void): void {
  const { lines, lineCompare, lastRowScan, doubled, pitch } = crtc
  let address = crtc.startAddress
  let rowScan = crtc.firstRowScan
  let panning = panningDots(attribute.panning, attribute.graphics ? 8 : sequencer.dotsPerCharacter)
  let again = doubled
  for (let y = 0; y < lines; y++) {
    visit({ y, address, rowScan, panning })
    if (y === lineCompare) {
      address = rowScan = 0
      again = doubled
      if (attribute.panningEndsAtSplit) panning = 0
    } else if (again) again = false
    else {
      again = doubled
      if (rowScan === lastRowScan) {
        rowScan = 0
        address += pitch
      } else rowScan = (rowScan + 1) & 0x1f
    }
  }
}

/** Dots for the panning register: with nine dots to a character, 8 is none and 0 is one. */
function panningDots(value: number, dots: 8 | 9): number {
  if (dots === 9) return value >= 8 ? 0 : value + 1
  return value & 7
}
