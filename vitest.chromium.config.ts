import { playwright } from '@vitest/browser-playwright'
import { defineConfig } from 'vitest/config'
import { chromiumArguments, findChromium } from './tools/tests/src/chromium.ts'
import { workspaceMembers } from './tools/workspace/src/index.ts'

const executablePath = findChromium()
if (!executablePath) throw new Error('No Chromium on this machine: install it, or set CHROMIUM to its path')

// The packages that claim browsers (`"vmexit": { "browser": true }`) run their tests in Chromium too, except those
// in `*.node.test.ts`, which need Node itself.
export default defineConfig({
  resolve: { conditions: ['@vmexit/source', 'module', 'browser', 'development'] },
  test: {
    projects: workspaceMembers()
      .filter(({ manifest }) => manifest.vmexit?.browser)
      .map(({ folder, path }) => ({
        extends: true,
        test: {
          name: folder,
          root: path,
          include: ['{src,test}/**/*.test.ts'],
          exclude: ['**/node_modules/**', '**/*.node.test.ts'],
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({ launchOptions: { executablePath, args: [...chromiumArguments] } }),
            instances: [{ browser: 'chromium' }],
          },
        },
      })),
    reporters: ['default', ['json', { outputFile: '.vitest/chromium.json' }]],
    passWithNoTests: true,
    testTimeout: 120_000,
  },
})
