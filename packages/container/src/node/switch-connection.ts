/// <reference types="node" />
/** A connection to a switch: it begins with who somebody is and what is answered to that; then frames and messages come. */
import { createConnection, type Socket } from 'node:net'
import { isVmexitError, VmexitError } from '@vmexit/core'
import type { ContainerErrorCode } from '../errors.ts'
import { type FromSwitch, type Hello, messageUnit, readMessage, Unit, UnitReader } from './switch-protocol.ts'

/** What is told of what comes. */
export interface ConnectionEvents {
  frame(frame: Uint8Array): void
  message(message: Partial<Record<string, unknown>>): void
  /** All that has come at once has been told. */
  came(): void
  closed(): void
}

/** Milliseconds in which a switch answers, and in which it takes the last that is sent. */
const PATIENCE = 5000
const LAST_PATIENCE = 1000

/** A connection that has been answered. */
export class SwitchConnection {
  readonly #path: string
  readonly #socket: Socket
  readonly #events: ConnectionEvents
  readonly #reader = new UnitReader()
  #answer: ((answer: FromSwitch | VmexitError) => void) | undefined
  #isClosed = false

  /** @internal Use {@link SwitchConnection.open}. */
  constructor(path: string, events: ConnectionEvents) {
    this.#path = path
    this.#events = events
    this.#socket = createConnection(path)
    this.#socket.on('data', (bytes) => this.#take(bytes))
    this.#socket.on('error', () => this.#socket.destroy())
    this.#socket.on('close', () => {
      this.#isClosed = true
      this.#answer?.(failure('container-switch-gone', `the switch at ${path} is not there`))
      events.closed()
    })
  }

  /** Says who it is. @throws VmexitError `container-switch-gone`, `container-switch`. */
  static async open(
    path: string,
    hello: Hello,
    events: ConnectionEvents,
  ): Promise<{ readonly connection: SwitchConnection; readonly answer: FromSwitch }> {
    const connection = new SwitchConnection(path, events)
    const answer = await connection.#begin(hello)
    if (!(answer instanceof VmexitError)) return { connection, answer }
    connection.#socket.destroy()
    throw answer
  }

  /** Bytes that the switch has not taken yet. */
  get waiting(): number {
    return this.#socket.writableLength
  }
  get isOpen(): boolean {
    return !this.#isClosed
  }

  write(bytes: Uint8Array): void {
    if (!this.#isClosed) this.#socket.write(bytes)
  }
  /** Leaves what comes with the switch. */
  pause(): void {
    this.#socket.pause()
  }
  resume(): void {
    this.#socket.resume()
  }

  /** Ends it, when what has been sent is taken; a switch that takes nothing is not waited for long. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    const closed = new Promise<void>((done) => this.#socket.once('close', () => done()))
    this.#socket.resume()
    this.#socket.destroySoon()
    const late = setTimeout(() => this.#socket.destroy(), LAST_PATIENCE)
    await closed
    clearTimeout(late)
  }

  async #begin(hello: Hello): Promise<FromSwitch | VmexitError> {
    let late: ReturnType<typeof setTimeout> | undefined
    const answer = await new Promise<FromSwitch | VmexitError>((done) => {
      this.#answer = done
      // It is there, and nobody else should take its place.
      late = setTimeout(
        () => done(failure('container-switch', `the switch at ${this.#path} does not answer`)),
        PATIENCE,
      )
      this.#socket.write(messageUnit(hello))
    })
    clearTimeout(late)
    this.#answer = undefined
    return answer
  }

  #take(bytes: Uint8Array): void {
    try {
      for (const { kind, payload } of this.#reader.read(bytes)) {
        // Frames are kept while they are under way, and must not hold all that came with them.
        if (kind === Unit.frame) this.#events.frame(payload.slice())
        else this.#said(readMessage(payload))
      }
    } catch (error) {
      this.#answer?.(
        isVmexitError(error) && error instanceof VmexitError ? error : failure('container-switch', `${error}`),
      )
      this.#socket.destroy()
      return
    }
    this.#events.came()
  }

  #said(message: Partial<Record<string, unknown>>): void {
    const { refused } = message
    const answer = this.#answer
    if (answer === undefined) this.#events.message(message)
    else if (typeof refused === 'object' && refused !== null) {
      const { problem, remedy } = refused as Partial<Record<string, unknown>>
      answer(new VmexitError<ContainerErrorCode>('container-switch', { problem: `${problem}`, remedy: `${remedy}` }))
    } else answer(message as FromSwitch)
    this.#answer = undefined
  }
}

function failure(code: ContainerErrorCode, problem: string): VmexitError<ContainerErrorCode> {
  return new VmexitError(code, { problem, remedy: 'see whether its process runs, and try again' })
}
