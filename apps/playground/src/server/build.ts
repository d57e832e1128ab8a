/** Builds the page from source with Vite, into memory: what is served is never older than what it is made of. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readTeachingKernel } from '@vmexit/guests/node'
import { build } from 'vite'
import type { Offer } from '../offer.ts'
import { contentSecurityPolicy } from './policy.ts'

/** A file of the page, by its path below the page's address: `index.html`, `assets/…`. */
export type Assets = ReadonlyMap<string, Uint8Array>

/** The page, its style, the scripts of page and workers, and the teaching kernel. */
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
  const files = outputs.map((file): [string, Uint8Array] => [
    file.fileName,
    Buffer.from(file.type === 'chunk' ? file.code : file.source),
  ])
  return new Map([...files, ['teaching.elf', readTeachingKernel('teaching')]])
}

/** Writes the page into a folder, from which any server of files serves it: its policy is in it, and it offers no further guests. */
export function writePage(assets: Assets, folder: string): void {
  const none: Offer = { guests: [], images: [], folder: '', remedy: '' }
  const page = new TextDecoder().decode(assets.get('index.html'))
  // (Who may frame a page can be said by a header only.)
  const policy = contentSecurityPolicy.replace(/; frame-ancestors [^;]*/, '')
  const meta = `<meta http-equiv="content-security-policy" content="${policy}">`
  const whole = new Map([
    ...assets,
    ['index.html', Buffer.from(page.replace('<meta charset="utf-8">', (charset) => `${charset}\n    ${meta}`))],
    ['guests.json', Buffer.from(JSON.stringify(none))],
  ])
  for (const [name, bytes] of whole) {
    const path = join(folder, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, bytes)
  }
}
