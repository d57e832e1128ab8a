/** The files of a container, wherever they are: asked of its process while it runs; else opened from what was saved, and saved again. */
import { type Archive, type ContainerFiles, type FileChange, type FileStat, openFiles } from '@vmexit/container'
import { ask } from '../hosted/client.ts'
import { converse } from '../hosted/converse.ts'
import { silent } from '../hosted/errors.ts'
import { holdFolder } from '../hosted/lock.ts'
import type { Found } from '../hosted/state-directory.ts'
import { answers, isAlive, statusOf } from '../hosted/status.ts'
import { openImages } from '../images/store.ts'
import { inLayer, savedLayer, saveLayer } from './saved-layer.ts'
import type { ContainerSpec } from './spec.ts'

/** What there is to be done with them. Archives are of one moment. */
export interface KeptFiles extends AsyncDisposable {
  changes(): Promise<readonly FileChange[]>
  stat(path: string, follow: boolean): Promise<FileStat | undefined>
  layer(): AsyncIterable<Uint8Array>
  export(): AsyncIterable<Uint8Array>
  copyOut(path: string, name: string): AsyncIterable<Uint8Array>
  copyIn(directory: string, archive: Archive): Promise<void>
}

/** Opens them. Nobody else changes those of a container that does not run until this is disposed of. */
export async function openKept(container: Found & { readonly spec: ContainerSpec }): Promise<KeptFiles> {
  const status = await statusOf(container)
  if (answers(status)) return runningFiles(container)
  if (isAlive(status)) throw silent(container, status)
  const { folder, spec } = container
  const lock = await holdFolder(folder)
  try {
    const image = await openImages().find(spec.image.id)
    return endedFiles(folder, await openFiles({ image, layer: savedLayer(folder) }), lock)
  } catch (error) {
    lock[Symbol.dispose]()
    throw inLayer(folder, error)
  }
}

function endedFiles(folder: string, files: ContainerFiles & Disposable, lock: Disposable): KeptFiles {
  return {
    changes: async () => files.changes(),
    stat: async (path, follow) => files.stat(path, { follow }),
    layer: async function* () {
      yield* files.layer()
    },
    export: async function* () {
      yield* files.export()
    },
    copyOut: async function* (path, name) {
      yield* files.copyOut(path, name)
    },
    copyIn: async (directory, archive) => {
      await files.copyIn(directory, archive)
      saveLayer(folder, files.layer())
    },
    [Symbol.asyncDispose]: async () => {
      files[Symbol.dispose]()
      lock[Symbol.dispose]()
    },
  }
}

function runningFiles(found: Found): KeptFiles {
  const asked = async (request: Parameters<typeof ask>[1] & object): Promise<Readonly<Record<string, unknown>>> => {
    const answer = await ask(found, request, 60_000)
    return typeof answer === 'object' ? answer : {}
  }
  return {
    changes: async () => (await asked({ do: 'changes' }))['changes'] as readonly FileChange[],
    stat: async (path, follow) => {
      const { stat } = await asked({ do: 'stat', path, follow })
      return (stat as FileStat | null) ?? undefined
    },
    layer: () => sent(found, { do: 'layer' }),
    export: () => sent(found, { do: 'export' }),
    copyOut: (path, name) => sent(found, { do: 'copy-out', path, name }),
    copyIn: async (directory, archive) => {
      let failed: unknown
      await converse(
        found,
        { do: 'copy-in', directory },
        {
          begun: async (conversation) => {
            try {
              for await (const bytes of archive) if (bytes.length > 0) await conversation.type(bytes)
              conversation.end()
            } catch (error) {
              failed = error
              conversation.leave()
            }
          },
        },
      )
      if (failed !== undefined) throw failed
    },
    [Symbol.asyncDispose]: async () => {},
  }
}

/** An archive as it comes: no more of it is held than one frame. */
async function* sent(found: Found, request: Parameters<typeof converse>[1]): AsyncGenerator<Uint8Array> {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
  const writer = writable.getWriter()
  const over = converse(found, request, { take: (bytes) => writer.write(bytes) }).then(
    () => writer.close(),
    (error) => writer.abort(error),
  )
  over.catch(() => {})
  const reader = readable.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    yield value
  }
}
