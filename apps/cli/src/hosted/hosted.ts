/** What a host process runs: a VM, or several, or whatever else has a console and an end. */

/** How a run ended. */
export interface HostedEnd {
  readonly exitCode: number
  /** What there is to say about it, if it is not what one would expect. */
  readonly word?: string | undefined
}

/** Something that is ready to run. Disposing it frees what it holds. */
export interface Hosted extends AsyncDisposable {
  /** Calls `listener` with what is printed; it never holds anything back. */
  onOutput(listener: (bytes: Uint8Array) => void): void
  /** Types. The promise is kept when it is read; it is rejected where nothing reads it, by an error that says so. */
  input(bytes: Uint8Array): Promise<void>
  /** Asks what runs to end by itself. */
  stop(): void
  /** What has been counted so far, by name. */
  stats(): Readonly<Record<string, number>>
  /** Runs to the end, or until the signal. */
  run(signal: AbortSignal): Promise<HostedEnd>
}

/** Makes what an instance's options describe. Throws whatever is wrong with them. */
export type OpenHosted = (options: unknown) => Promise<Hosted>
