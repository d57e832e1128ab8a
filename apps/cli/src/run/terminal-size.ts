/** Sizes of terminals, as messages say them. */
import type { Message } from '../hosted/hosted.ts'

/** The size of a terminal that a message says. */
export function sizeOf({ rows, columns }: Message): { readonly rows: number; readonly columns: number } {
  const within = (value: unknown): number => Math.min(Math.max(Math.floor(Number(value)) || 1, 1), 10_000)
  return { rows: within(rows), columns: within(columns) }
}
