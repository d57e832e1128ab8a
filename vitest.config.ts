import { globSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'
import { workspaceMembers, workspaceRoot } from './tools/workspace/src/index.ts'

// Started at the root, every member is a project; started in a member's folder, it is the only one, and a report of
// its results is left for the totals that `pnpm test` prints.
const all = workspaceMembers()
const here = all.find(({ path }) => path === process.cwd())

export default defineConfig({
  // Tests run from source: the custom condition resolves every `@vmexit/*` import to its `src`.
  resolve: { conditions: ['@vmexit/source'] },
  ssr: { resolve: { conditions: ['@vmexit/source'] } },
  test: {
    projects: (here ? [here] : all).map(({ folder, path }) => ({
      extends: true,
      test: {
        name: folder,
        root: path,
        include: ['{src,test}/**/*.test.ts'],
        exclude: ['**/node_modules/**', '**/*.chromium.test.ts'],
        // Tests of types are compiled, and count like the others. Errors elsewhere are for the check "types" to find.
        typecheck: {
          enabled: globSync('{src,test}/**/*.test-d.ts', { cwd: path }).length > 0,
          include: ['{src,test}/**/*.test-d.ts'],
          tsconfig: join(workspaceRoot, 'tsconfig.test-d.json'),
          ignoreSourceErrors: true,
        },
      },
    })),
    reporters: here ? ['default', ['json', { outputFile: '.vitest/report.json' }]] : ['default'],
    passWithNoTests: here !== undefined,
    testTimeout: 120_000,
    // Nx sets it where it shows colours itself, and programs that tests start would then print some.
    env: { FORCE_COLOR: '0' },
  },
})
