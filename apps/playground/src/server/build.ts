/** Builds the page from source with Vite, into memory: what is served is never older than what it is made of. */
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

/** A file of the page, by its path below the page's address: `index.html`, `assets/…`. */
export type Assets = ReadonlyMap<string, Uint8Array>

/** The page, its style, and the scripts of page and worker. */
export async function buildPage(): Promise<Assets> {
  const result = await build({
    root: fileURLToPath(new URL('../browser', import.meta.url)),
    configFile: false,
    // Addresses are relative, so that the page can be served from any folder.
    base: './',
    logLevel: 'warn',
    resolve: { conditions: ['@vmexit/source', 'module', 'browser'] },
    worker: { format: 'es' },
    build: {
      write: false,
      // No `data:` addresses: the page's policy allows files of its own server only.
      assetsInlineLimit: 0,
      modulePreload: false,
      chunkSizeWarningLimit: 4096,
      rolldownOptions: { checks: { pluginTimings: false } },
    },
  })
  const outputs = (Array.isArray(result) ? result : [result]).flatMap((one) => ('output' in one ? one.output : []))
  return new Map(outputs.map((file) => [file.fileName, Buffer.from(file.type === 'chunk' ? file.code : file.source)]))
}
