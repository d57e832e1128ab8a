import { existsSync, readdirSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const root = fileURLToPath(new URL('.', import.meta.url))

/** Every folder below `packages`, `apps` and `tools` that is a package is a test project under its own name. */
const folders = ['packages', 'apps', 'tools']
  .filter((top) => existsSync(`${root}${top}`))
  .flatMap((top) => readdirSync(`${root}${top}`).map((folder) => `${root}${top}/${folder}`))
  .filter((folder) => existsSync(`${folder}/package.json`))

/** Tests run from source: the custom condition resolves every `@vmexit/*` import to its `src`. */
export default defineConfig({
  resolve: { conditions: ['@vmexit/source'] },
  ssr: { resolve: { conditions: ['@vmexit/source'] } },
  test: {
    projects: folders.map((folder) => ({
      extends: true,
      test: {
        name: basename(folder),
        root: folder,
        include: ['{src,test}/**/*.test.ts'],
      },
    })),
    testTimeout: 120_000,
  },
})
