/** The example in a Chromium, bundled from the packages as npm would get them. */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromiumArguments, findChromium } from '@vmexit-tools/tests/chromium'
import { chromium } from 'playwright'
import { build, preview } from 'vite'
import { expect, onTestFinished, test } from 'vitest'
import { expected } from './expected.ts'

const root = join(import.meta.dirname, '../../..')
const vfs = join(root, 'packages/vfs')
const { resolve } = createRequire(join(vfs, 'package.json'))

/** What memfs wants of Node, as the README of vfs says. */
const modulesOfNode = {
  'node:buffer': resolve('buffer/'),
  'node:events': resolve('events/'),
  'node:path': resolve('path-browserify'),
  'node:stream': resolve('readable-stream/lib/ours/browser.js'),
  'node:url': join(vfs, 'test/node-url.ts'),
}

/** Builds, packs and unpacks packages where `folder` imports them from. */
function install(folder: string, packages: readonly string[]): void {
  const modules = join(folder, 'node_modules')
  const packs = join(folder, 'packs')
  execFileSync(join(root, 'node_modules/.bin/tsc'), [
    '-b',
    ...packages.map((name) => join(root, 'packages', name, 'tsconfig.json')),
  ])
  for (const name of packages) {
    const to = join(packs, name)
    const place = join(modules, '@vmexit', name)
    for (const each of [to, place]) mkdirSync(each, { recursive: true })
    execFileSync('npx', ['-y', 'pnpm@12', 'pack', '--pack-destination', to], { cwd: join(root, 'packages', name) })
    execFileSync('tar', ['-xzf', join(to, readdirSync(to)[0]!), '--strip-components=1', '-C', place])
  }
  symlinkSync(join(vfs, 'node_modules/memfs'), join(modules, 'memfs'))
}

test('works in a page that is made of the packed packages', { timeout: 300_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vmexit-packed-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  install(folder, ['core', 'vfs', 'overlayfs'])
  cpSync(join(import.meta.dirname, 'union.ts'), join(folder, 'union.ts'))
  cpSync(join(vfs, 'test/process.ts'), join(folder, 'process.ts'))
  writeFileSync(
    join(folder, 'page.ts'),
    "import './process.ts'\nimport { unionOfVolumes } from './union.ts'\nglobalThis.found = unionOfVolumes()\n",
  )
  writeFileSync(join(folder, 'index.html'), '<!doctype html><script type="module" src="./page.ts"></script>')
  await build({
    root: folder,
    configFile: false,
    logLevel: 'warn',
    resolve: { alias: modulesOfNode },
    build: { target: 'esnext' },
  })

  const server = await preview({
    root: folder,
    configFile: false,
    logLevel: 'warn',
    preview: { port: 0, host: '127.0.0.1' },
  })
  onTestFinished(() => server.close())
  const { port } = server.httpServer.address() as AddressInfo
  const browser = await chromium.launch({ executablePath: findChromium()!, args: [...chromiumArguments] })
  onTestFinished(() => browser.close())
  const page = await browser.newPage()
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(error.message))
  await page.goto(`http://127.0.0.1:${port}/`)
  expect(await page.evaluate(() => (globalThis as unknown as { found: Promise<unknown> }).found)).toEqual(expected)
  expect(errors).toEqual([])
})
