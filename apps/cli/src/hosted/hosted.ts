/** What a host process runs: a VM, or several, or a container, or whatever else has a console and an end. */
import type { Stream } from './console-log.ts'
import type { Kind } from './frames.ts'
import type { Exit } from './instance.ts'

/** How a run ended. */
export type HostedEnd = Omit<Exit, 'at'>

/** What is known of it while it runs, for the commands. */
export interface About {
  /** Where in the log this run began to print. */
  readonly began?: number
  /** It stands still. */
  readonly paused?: boolean
  /** Ports of this machine that lead to it: `127.0.0.1:8080->80/tcp`. */
  readonly ports?: readonly string[]
  /** It is a program: signals are for it, and a console has Docker's keys. What is typed at a PC goes through a prefix. */
  readonly program?: {
    /** It has a terminal. */
    readonly tty: boolean
    /** It reads what is typed; `once`: the end of what the first one types is its end of input. */
    readonly input: 'none' | 'open' | 'once'
  }
}

/** A request, or a reply. */
export type Message = Readonly<Record<string, unknown>>

/** Whoever has made a request. */
export interface Caller {
  /** Sends bytes, and waits until there is room for more. Nothing happens once the caller has gone. */
  send(kind: Kind, bytes: Uint8Array): Promise<void>
  /** Sends a message. */
  tell(message: Message): void
  /** From now on all that the caller sends is for this: bytes, of which there are none at their end, and messages. */
  receive(take: (sent: Uint8Array | Message) => Promise<void> | void): void
  /** The caller has hung up. */
  readonly gone: AbortSignal
}

/** Answers a request. Its reply is sent, unless it is undefined. */
export type Answer = (request: Message, caller: Caller) => Promise<Message | undefined> | Message | undefined

/** Something that is ready to run. Disposing it frees what it holds. */
export interface Hosted extends AsyncDisposable {
  /** Calls `listener` with what is printed; it never holds anything back. */
  onOutput(listener: (bytes: Uint8Array, stream?: Stream) => void): void
  /** Types; nothing is the end. The promise is kept when it is read; it is rejected where nothing reads it, by an error that says so. */
  input(bytes: Uint8Array): Promise<void>
  /** Asks what runs to end by itself. */
  stop(): void
  /** What has been counted so far, by name. */
  stats(): Readonly<Record<string, number>>
  about?(): About
  /** What it can be asked beside that, by name. */
  readonly answers?: Readonly<Record<string, Answer>>
  /** Runs to the end, or until the signal. */
  run(signal: AbortSignal): Promise<HostedEnd>
}

/** Makes what an instance's options describe; `folder` is the instance's. Throws whatever is wrong with them. */
export type OpenHosted = (options: unknown, where: { readonly folder: string; readonly id: string }) => Promise<Hosted>
