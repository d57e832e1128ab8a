/** Where the bytes to boot come from: the server, or files of the user. */
import type { Offer, OfferedFile, OfferedFiles } from '../offer.ts'
import { failure } from './problem.ts'

/** Bytes that can be read. */
export interface Source {
  readonly name: string
  readonly bytes: number
  /** Calls `onProgress` with how many have come so far. */
  read(signal: AbortSignal, onProgress: (bytes: number) => void): Promise<Uint8Array>
}

const serverGone = 'see that the server still runs (`npx -y pnpm@12 playground`), and try again'

/** What the server offers. Throws a `VmexitError`. */
export async function fetchOffer(): Promise<Offer> {
  return JSON.parse(new TextDecoder().decode(await (await get('the list of guests', 'guests.json')).arrayBuffer()))
}

async function get(name: string, url: string, signal?: AbortSignal): Promise<Response> {
  let response: Response
  try {
    response = await fetch(url, signal && { signal })
  } catch (cause) {
    signal?.throwIfAborted()
    throw failure(`${name} could not be fetched (${(cause as Error).message})`, serverGone, cause)
  }
  if (response.ok) return response
  throw failure(
    `${name} could not be fetched: the server says ${response.status} ${response.statusText}`,
    'reload the page: what the server has may have changed',
  )
}

/** A file of the server. */
export function download({ name, url, bytes }: OfferedFile): Source {
  return {
    name,
    bytes,
    async read(signal, onProgress) {
      const { body } = await get(name, url, signal)
      const pieces: Uint8Array[] = []
      let length = 0
      try {
        for (const reader = body!.getReader(); ; ) {
          const { done, value } = await reader.read()
          if (done) return joined(pieces, length)
          pieces.push(value)
          length += value.length
          onProgress(length)
        }
      } catch (cause) {
        signal.throwIfAborted()
        throw failure(`${name} broke off after ${length} of ${bytes} bytes`, serverGone, cause)
      }
    },
  }
}

function joined(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length)
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}

/** A file of the user. */
export function local(file: File): Source {
  return {
    name: file.name,
    bytes: file.size,
    async read(_signal, onProgress) {
      try {
        const bytes = new Uint8Array(await file.arrayBuffer())
        onProgress(bytes.length)
        return bytes
      } catch (cause) {
        throw failure(`${file.name} could not be read (${(cause as Error).message})`, 'choose it again', cause)
      }
    },
  }
}

/** Reads all of them, one after the other, and tells of the one that is being read. */
export async function readAll(
  sources: OfferedFiles<Source>,
  signal: AbortSignal,
  onProgress: (source: Source, bytes: number) => void,
): Promise<OfferedFiles<Uint8Array>> {
  const read: [string, Uint8Array][] = []
  for (const [role, source] of Object.entries(sources) as [string, Source][]) {
    onProgress(source, 0)
    read.push([role, await source.read(signal, (bytes) => onProgress(source, bytes))])
  }
  return Object.fromEntries(read) as unknown as OfferedFiles<Uint8Array>
}
