/** Sources that may never say anything again. */
import type { Bytes } from './codecs.ts'

/** The same bytes, until the signal: what the source is about to give then is not waited for. */
export async function* abortable(source: Bytes, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  if (signal === undefined) {
    yield* source
    return
  }
  const pieces = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
  let stop = (): void => {}
  const stopped = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason)
  })
  // Nobody may be waiting when it happens.
  stopped.catch(() => {})
  signal.addEventListener('abort', stop)
  try {
    signal.throwIfAborted()
    for (;;) {
      const next = await Promise.race([pieces.next(), stopped])
      if (next.done === true) return
      yield next.value
    }
  } finally {
    signal.removeEventListener('abort', stop)
    // Whoever is in the middle of something is told, and not waited for either.
    void Promise.resolve(pieces.return?.()).catch(() => {})
  }
}
