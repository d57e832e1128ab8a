/** Segments of thread-local storage: entries of the GDT (set_thread_area(2)). */

/** An entry: two words. */
export type TlsEntry = readonly [low: number, high: number]
/** None. */
export const NO_TLS: TlsEntry = [0, 0]
