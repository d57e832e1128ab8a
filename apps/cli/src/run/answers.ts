/** What a container in a host process can be asked: signals, further programs, its files. */
import { createReadStream, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Container } from '@vmexit/container'
import type { Answer, Caller, Message } from '../hosted/hosted.ts'
import { execAnswer } from './exec-answer.ts'
import type { Life } from './life.ts'
import { writePieces } from './saved-layer.ts'
import { sizeOf } from './terminal-size.ts'

/** By name. */
export function containerAnswers(container: Container, folder: string, life: Life): Readonly<Record<string, Answer>> {
  const done = (work: () => void): Answer => {
    return () => {
      work()
      return {}
    }
  }
  return {
    kill: ({ signal, discard }) => {
      if (discard === true) life.isDiscarded = true
      life.kill(`${signal}`)
      return {}
    },
    pause: done(() => container.pause()),
    unpause: done(() => container.resume()),
    resize: (request) => {
      container.resize(sizeOf(request))
      return {}
    },
    exec: execAnswer(container),
    top: () => ({ processes: container.processes() }),
    changes: () => ({ changes: container.files.changes() }),
    stat: ({ path, follow }) => ({ stat: container.files.stat(`${path}`, { follow: follow !== false }) ?? null }),
    layer: (_, caller) => spool(folder, container.files.layer(), caller),
    export: (_, caller) => spool(folder, container.files.export(), caller),
    'copy-out': ({ path, name }, caller) => spool(folder, container.files.copyOut(`${path}`, `${name}`), caller),
    'copy-in': ({ directory }, caller) => copyIn(container, `${directory}`, caller),
  }
}

let spooled = 0

/** Sends an archive. It is of one moment, so it is written to a file first: whoever reads slowly holds nobody up. */
async function spool(folder: string, pieces: Iterable<Uint8Array>, { send }: Caller): Promise<Message> {
  const path = join(folder, `sent-${++spooled}.new`)
  try {
    writePieces(path, pieces)
    for await (const bytes of createReadStream(path, { highWaterMark: 1 << 16 }))
      await send('output', bytes as Uint8Array)
  } finally {
    rmSync(path, { force: true })
  }
  return { done: true }
}

/** Takes an archive until its sender says that it is over; one that breaks off leaves what has come so far. */
async function copyIn({ files }: Container, directory: string, { receive, gone, tell }: Caller): Promise<undefined> {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
  const writer = writable.getWriter()
  writer.closed.catch(() => {})
  receive(async (sent) => {
    if (!(sent instanceof Uint8Array)) return
    if (sent.length === 0) await writer.close().catch(() => {})
    else await writer.write(sent).catch(() => {})
  })
  gone.addEventListener('abort', () => void writer.abort(new Error('the sender is gone')).catch(() => {}))
  tell({ ready: true })
  void files.copyIn(directory, readable).then(
    () => tell({ done: true }),
    async (error) => {
      tell({ error: `${error}`, code: error.code, problem: error.problem ?? `${error}`, remedy: error.remedy ?? '' })
      // What is still sent is for nobody.
      await readable.cancel().catch(() => {})
    },
  )
}
