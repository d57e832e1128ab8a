/** Pixels. */

/** A picture: rows from the top, four bytes a pixel, red, green, blue, 255. What `ImageData` of a canvas takes. */
export interface Image {
  readonly width: number
  readonly height: number
  readonly data: Uint8ClampedArray<ArrayBuffer>
}

/** A picture and its pixels as words, red in the lowest byte. */
export interface Canvas {
  readonly image: Image
  readonly pixels: Uint32Array<ArrayBuffer>
}

/** An opaque black pixel. */
export const black = 0xff00_0000

/** A black picture. */
export function createCanvas(width: number, height: number): Canvas {
  const pixels = new Uint32Array(width * height).fill(black)
  return { image: { width, height, data: new Uint8ClampedArray(pixels.buffer) }, pixels }
}
