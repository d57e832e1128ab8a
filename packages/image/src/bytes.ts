/** Bytes that have come in pieces. */

/** All pieces in one. */
export function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const piece of pieces) {
    all.set(piece, at)
    at += piece.length
  }
  return all
}

/** All of a source, if it is no more than `most`; else what `tooMuch` makes is thrown. */
export async function collected(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  most: number,
  tooMuch: () => Error,
): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = []
  let size = 0
  for await (const piece of source) {
    size += piece.length
    if (size > most) throw tooMuch()
    pieces.push(piece.slice())
  }
  return joined(pieces)
}
