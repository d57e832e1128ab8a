/** Several things at once, but not all. */

/** Does `work` for each item, `width` at a time. The first that fails has the others given up, and is thrown once they have ended. */
export async function inParallel<Item>(
  items: readonly Item[],
  width: number,
  signal: AbortSignal | undefined,
  work: (item: Item, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const controller = new AbortController()
  const all = signal === undefined ? controller.signal : AbortSignal.any([signal, controller.signal])
  const failures: unknown[] = []
  let next = 0
  const run = async (): Promise<void> => {
    while (next < items.length && !all.aborted) {
      try {
        await work(items[next++]!, all)
      } catch (error) {
        failures.push(error)
        controller.abort()
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, run))
  if (failures.length > 0) throw failures[0]
  signal?.throwIfAborted()
}
