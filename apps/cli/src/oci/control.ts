/** The control socket of a container's host process, both ends: requests, and programs that are executed over it. */
import { once } from 'node:events'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import type { ContainerProcess, ExitStatus, TerminalSize } from '@vmexit/container'
import type { OciProcess } from '@vmexit/container/oci'
import { isVmexitError, VmexitError } from '@vmexit/core'
import { decodeMessage, encode, encodeMessage, FrameReader, type Kind, LARGEST_PAYLOAD } from '../hosted/frames.ts'

/** What a host process can be asked. */
export interface Control {
  start(): Promise<void>
  kill(signal: number, all: boolean): void
  freeze(isFrozen: boolean): void
  processes(): readonly { readonly pid: number; readonly args: string }[]
  resize(size: TerminalSize): void
  exec(program: OciProcess, size: TerminalSize | undefined): ContainerProcess
}

/** A request, as it stands in a message. */
export type Request =
  | { readonly do: 'start' | 'ps' }
  | { readonly do: 'kill'; readonly signal: number; readonly all: boolean }
  | { readonly do: 'freeze'; readonly isFrozen: boolean }
  | { readonly do: 'resize'; readonly size: TerminalSize }
  | { readonly do: 'exec'; readonly program: OciProcess; readonly size?: TerminalSize | undefined }

/** What is said to a program that is executed, beside its input. */
type Word =
  | { readonly do: 'end' }
  | { readonly do: 'kill'; readonly signal: number }
  | { readonly do: 'resize'; readonly size: TerminalSize }

/** Listens. */
export async function serve(path: string, control: Control): Promise<Server> {
  const server = createServer((socket) => {
    const frames = new FrameReader()
    let session: Session | undefined
    socket.on('error', () => socket.destroy())
    socket.on('data', async (bytes) => {
      socket.pause()
      try {
        for (const { kind, payload } of frames.read(bytes)) {
          if (session !== undefined) await session.take(kind, payload)
          else session = await answer(socket, decodeMessage(payload) as unknown as Request, control)
        }
      } catch (error) {
        socket.end(encodeMessage(failure(error)))
      }
      socket.resume()
    })
  })
  server.listen(path)
  await once(server, 'listening')
  return server
}

async function answer(socket: Socket, request: Request, control: Control): Promise<Session | undefined> {
  let reply: object = {}
  switch (request.do) {
    case 'start':
      await control.start()
      break
    case 'kill':
      control.kill(request.signal, request.all)
      break
    case 'freeze':
      control.freeze(request.isFrozen)
      break
    case 'resize':
      control.resize(request.size)
      break
    case 'ps':
      reply = { processes: control.processes() }
      break
    case 'exec': {
      const program = control.exec(request.program, request.size)
      socket.write(encodeMessage({ pid: program.process.leader.ns.pid.local(program.process.pid) }))
      return new Session(socket, program)
    }
  }
  socket.end(encodeMessage(reply))
  return undefined
}

/** A program that somebody has executed over a socket. It is killed when they hang up. */
class Session {
  readonly #program: ContainerProcess
  readonly #writer

  constructor(socket: Socket, program: ContainerProcess) {
    this.#program = program
    this.#writer = program.stdin.getWriter()
    socket.on('close', () => program.kill('SIGKILL'))
    void this.#run(socket)
  }

  async take(kind: Kind, payload: Uint8Array): Promise<void> {
    if (kind === 'input') return void (await this.#writer.write(payload).catch(() => {}))
    const word = decodeMessage(payload) as unknown as Word
    if (word.do === 'end') await this.#writer.close().catch(() => {})
    else if (word.do === 'kill') this.#program.kill(word.signal)
    else if (word.do === 'resize') this.#program.resize(word.size)
  }

  async #run(socket: Socket): Promise<void> {
    const { stdout, stderr, exited } = this.#program
    const send = async (kind: Kind, stream: ReadableStream<Uint8Array>): Promise<void> => {
      for await (const bytes of stream)
        for (let at = 0; at < bytes.length && socket.writable; at += LARGEST_PAYLOAD)
          if (!socket.write(encode(kind, bytes.subarray(at, at + LARGEST_PAYLOAD)))) await drained(socket)
    }
    try {
      const [status] = await Promise.all([exited, send('output', stdout), send('errors', stderr)])
      socket.end(encodeMessage(status))
    } catch (error) {
      socket.end(encodeMessage(failure(error)))
    }
  }
}

function failure(error: unknown): object {
  if (!isVmexitError(error)) return { error: { code: 'oci-host', problem: `${error}`, remedy: 'see the log' } }
  const { code, problem, remedy } = error
  return { error: { code, problem, remedy } }
}

async function drained(socket: Socket): Promise<void> {
  const over = new AbortController()
  await Promise.race([once(socket, 'drain', over), once(socket, 'close', over)]).catch(() => {})
  over.abort()
}

/** Asks. @throws VmexitError what the host process says, or `oci-stopped` where there is none. */
export async function ask(path: string, request: Request): Promise<Readonly<Record<string, unknown>>> {
  const socket = createConnection(path)
  const frames = new FrameReader()
  socket.write(encodeMessage(request))
  try {
    for await (const bytes of socket)
      for (const { payload } of frames.read(bytes as Uint8Array)) return accepted(decodeMessage(payload))
  } catch (error) {
    if (isVmexitError(error) || (error as NodeJS.ErrnoException).syscall === undefined) throw error
  } finally {
    socket.destroy()
  }
  throw stopped()
}

/** A program that is executed over a socket. */
export interface Executed {
  readonly pid: number
  readonly stdin: WritableStream<Uint8Array>
  readonly stdout: ReadableStream<Uint8Array>
  readonly stderr: ReadableStream<Uint8Array>
  readonly exited: Promise<ExitStatus>
  resize(size: TerminalSize): void
  kill(signal: number): void
}

/** Executes a program. @throws VmexitError. */
export async function execute(path: string, program: OciProcess, size: TerminalSize | undefined): Promise<Executed> {
  const socket = createConnection(path)
  socket.on('error', () => socket.destroy())
  const frames = new FrameReader()
  const started = Promise.withResolvers<number>()
  const ended = Promise.withResolvers<ExitStatus>()
  ended.promise.catch(() => {})
  const outputs = { output: sink(socket), errors: sink(socket) }
  let isStarted = false
  socket.on('data', (bytes) => {
    for (const { kind, payload } of frames.read(bytes)) {
      if (kind === 'output' || kind === 'errors') outputs[kind].take(payload)
      else {
        try {
          const message = accepted(decodeMessage(payload))
          if (isStarted) ended.resolve(message as unknown as ExitStatus)
          else started.resolve(message['pid'] as number)
          isStarted = true
        } catch (error) {
          started.reject(error)
          ended.reject(error)
        }
      }
    }
  })
  socket.on('close', () => {
    for (const output of Object.values(outputs)) output.end()
    started.reject(stopped())
    ended.reject(stopped())
  })
  socket.write(encodeMessage({ do: 'exec', program, size } satisfies Request))
  const say = (word: Word): void => void socket.write(encodeMessage(word))
  return {
    pid: await started.promise,
    stdout: outputs.output.readable,
    stderr: outputs.errors.readable,
    stdin: new WritableStream<Uint8Array>({
      async write(bytes) {
        for (let at = 0; at < bytes.length && socket.writable; at += LARGEST_PAYLOAD)
          if (!socket.write(encode('input', bytes.subarray(at, at + LARGEST_PAYLOAD)))) await drained(socket)
      },
      close: () => say({ do: 'end' }),
    }),
    exited: ended.promise,
    resize: (to) => say({ do: 'resize', size: to }),
    kill: (signal) => say({ do: 'kill', signal }),
  }
}

/** Bytes of one of the streams: beyond what waits to be read nothing more is taken from the socket. */
function sink(socket: Socket) {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined
  const readable = new ReadableStream<Uint8Array>(
    {
      start: (own) => {
        controller = own
      },
      pull: () => void socket.resume(),
      cancel: () => {
        controller = undefined
      },
    },
    { highWaterMark: LARGEST_PAYLOAD, size: (bytes) => bytes?.length ?? 0 },
  )
  return {
    readable,
    take: (bytes: Uint8Array): void => {
      controller?.enqueue(bytes)
      if ((controller?.desiredSize ?? 1) <= 0) socket.pause()
    },
    end: (): void => {
      controller?.close()
      controller = undefined
    },
  }
}

function accepted(message: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { error } = message as { error?: { code: string; problem: string; remedy: string } }
  if (error === undefined) return message
  throw new VmexitError(error.code, error)
}

function stopped(): VmexitError<'oci-stopped'> {
  return new VmexitError('oci-stopped', { problem: 'container not running', remedy: 'create and start it' })
}
