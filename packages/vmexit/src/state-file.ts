/**
 * Saved states as bytes, for a file or a network: a magic line, then gzip of a length, JSON of that length, and the byte
 * arrays that the JSON refers to, one after the other.
 */
import { type State, type StateValue, VmexitError } from '@vmexit/core'

const magic = 'vmexit state 1\n'

/** Stands in the JSON for an array of bytes: where it begins behind the JSON, and how long it is. */
type BytesReference = { readonly $bytes: readonly [start: number, length: number] }

/** Packs a state, which then takes a fraction of its size. */
export async function packState(state: State): Promise<Uint8Array> {
  const blobs: Uint8Array[] = []
  let total = 0
  const json = JSON.stringify(state, (_, value: unknown) => {
    if (!(value instanceof Uint8Array)) return value
    blobs.push(value)
    total += value.length
    return { $bytes: [total - value.length, value.length] } satisfies BytesReference
  })
  const text = new TextEncoder().encode(json)
  const body = new Uint8Array(4 + text.length + total)
  new DataView(body.buffer).setUint32(0, text.length, true)
  body.set(text, 4)
  let at = 4 + text.length
  for (const blob of blobs) {
    body.set(blob, at)
    at += blob.length
  }
  const packed = await through(body, new CompressionStream('gzip'))
  const head = new TextEncoder().encode(magic)
  const file = new Uint8Array(head.length + packed.length)
  file.set(head)
  file.set(packed, head.length)
  return file
}

/**
 * Unpacks what {@link packState} returned. Throws a {@link VmexitError} `state-file` for bytes that it did not. Whether
 * the state is of this machine is checked when it is restored.
 */
export async function unpackState(file: Uint8Array): Promise<State> {
  const head = new TextDecoder().decode(file.subarray(0, magic.length))
  if (head !== magic) throw damaged('it does not begin as one')
  try {
    const body = await through(file.slice(magic.length), new DecompressionStream('gzip'))
    const length = new DataView(body.buffer, body.byteOffset).getUint32(0, true)
    const json = new TextDecoder('utf-8', { fatal: true }).decode(body.subarray(4, 4 + length))
    const blobs = body.subarray(4 + length)
    return JSON.parse(json, (_, value: StateValue) => (isReference(value) ? slice(blobs, value) : value)) as State
  } catch (error) {
    throw error instanceof VmexitError ? error : damaged('it is cut off or changed')
  }
}

function isReference(value: unknown): value is BytesReference {
  return typeof value === 'object' && value !== null && '$bytes' in value
}

function slice(blobs: Uint8Array, { $bytes: [start, length] }: BytesReference): Uint8Array {
  if (!(start >= 0 && length >= 0 && start + length <= blobs.length)) throw damaged('it is cut off')
  return blobs.slice(start, start + length)
}

function damaged(why: string): VmexitError {
  return new VmexitError('state-file', {
    problem: `this is not a whole file of a saved machine (${why})`,
    remedy: 'save the machine again, or take another file',
  })
}

async function through(
  bytes: Uint8Array,
  transform: ReadableWritablePair<Uint8Array, BufferSource>,
): Promise<Uint8Array> {
  const stream = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(transform)
  return new Uint8Array(await new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer())
}
