import { globSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { playwright } from '@vitest/browser-playwright'
import { defineConfig } from 'vitest/config'
import { chromiumArguments, findChromium } from './tools/tests/src/chromium.ts'
import { workspaceMembers, workspaceRoot } from './tools/workspace/src/index.ts'

const executablePath = findChromium()
if (!executablePath) throw new Error('No Chromium on this machine: install it, or set CHROMIUM to its path')

const members = workspaceMembers()

// memfs imports modules of Node; whoever bundles it for a browser gives it these instead, as the README of vfs says.
const vfs = join(workspaceRoot, 'packages/vfs')
const { resolve } = createRequire(join(vfs, 'package.json'))
const modulesOfNode = {
  'node:buffer': resolve('buffer/'),
  'node:events': resolve('events/'),
  'node:path': resolve('path-browserify'),
  'node:stream': resolve('readable-stream/lib/ours/browser.js'),
  'node:url': join(vfs, 'test/node-url.ts'),
}

// The packages that claim browsers (`"vmexit": { "browser": true }`) run their tests in Chromium too, except those
// in `*.node.test.ts`, which need Node itself. After them, each `*.chromium.test.ts` runs in Node and drives a Chromium of
// its own, as a person does: whole pages are tested so.
export default defineConfig({
  resolve: { conditions: ['@vmexit/source', 'module', 'browser', 'development'] },
  ssr: { resolve: { conditions: ['@vmexit/source'] } },
  test: {
    projects: [
      ...members
        .filter(({ manifest }) => manifest.vmexit?.browser)
        .map(({ folder, path, manifest }) => ({
          extends: true as const,
          ...('memfs' in (manifest.devDependencies ?? {}) && {
            resolve: { alias: modulesOfNode },
            optimizeDeps: { include: ['memfs'] },
          }),
          test: {
            name: folder,
            root: path,
            include: ['{src,test}/**/*.test.ts'],
            exclude: ['**/node_modules/**', '**/*.node.test.ts'],
            setupFiles: 'memfs' in (manifest.devDependencies ?? {}) ? [join(vfs, 'test/process.ts')] : [],
            browser: {
              enabled: true,
              headless: true,
              screenshotFailures: false,
              provider: playwright({ launchOptions: { executablePath, args: [...chromiumArguments] } }),
              instances: [{ browser: 'chromium' as const }],
            },
          },
        })),
      ...members
        .filter(({ path }) => globSync('{src,test}/**/*.chromium.test.ts', { cwd: path }).length > 0)
        .map(({ folder, path }) => ({
          extends: true as const,
          test: {
            name: folder,
            root: path,
            include: ['{src,test}/**/*.chromium.test.ts'],
            sequence: { groupOrder: 1 },
          },
        })),
    ],
    reporters: ['default', ['json', { outputFile: '.vitest/chromium.json' }]],
    passWithNoTests: true,
    testTimeout: 120_000,
  },
})
