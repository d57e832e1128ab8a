/** The `Buffer` that memfs has: Node's own, or in a browser the package that its bundler puts there. */
import { Volume } from 'memfs'

/** What is used of it. */
export interface BufferKind {
  alloc(size: number): Uint8Array
  from(data: Uint8Array | string, encoding?: string): Uint8Array
  isBuffer(value: unknown): value is Uint8Array & { toString(encoding: string): string }
}

let kind: BufferKind | undefined

/** memfs does not export it, but an empty file of its has one. */
export function bufferKind(): BufferKind {
  kind ??= new Volume()._core.root.getNode().buf.constructor as unknown as BufferKind
  return kind
}
