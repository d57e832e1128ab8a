/** Interrupt messages between APICs (Intel SDM volume 3, 11.6 and 11.11). */

/** How a message is delivered: the codes of ICR, LVT entries, redirection entries and MSI data. */
export const deliveryMode = { fixed: 0, lowestPriority: 1, smi: 2, nmi: 4, init: 5, startup: 6, extInt: 7 } as const

/** A message to one or several local APICs. */
export interface ApicMessage {
  /** An APIC ID, or a set of logical destinations. */
  readonly destination: number
  readonly logical: boolean
  /** One of {@link deliveryMode}. */
  readonly mode: number
  readonly vector: number
  /** Level-triggered: its end is told to I/O APICs. */
  readonly level: boolean
}

/** What CPUs do beside taking vectors. Each is told the number of the CPU. */
export interface CpuSignals {
  readonly onNmi?: ((cpu: number) => void) | undefined
  readonly onSmi?: ((cpu: number) => void) | undefined
  readonly onInit?: ((cpu: number) => void) | undefined
  /** Start at the real-mode address `vector` · 4096. */
  readonly onStartup?: ((cpu: number, vector: number) => void) | undefined
}
