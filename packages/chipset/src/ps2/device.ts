/** The seam between the keyboard controller and what is plugged into it: bytes in both directions. */

/** A PS/2 device. It says when it has something to send, and the controller takes it when the line is free. */
export interface Ps2Device {
  /** Whether a byte waits to be taken. */
  readonly waiting: boolean
  /** The next byte; undefined if there is none. */
  take(): number | undefined
  /** A byte from the host. */
  write(byte: number): void
  /** Set by who takes: called when bytes begin to wait. */
  onWaiting: () => void
}

/** What devices answer. */
export const answer = { acknowledge: 0xfa, resend: 0xfe, echo: 0xee, selfTestPassed: 0xaa } as const
