import { defineConfig } from 'vitest/config'

/** Tests run from source: the custom condition resolves every `@vmexit/*` import to its `src`. */
export default defineConfig({
  resolve: { conditions: ['@vmexit/source'] },
  ssr: { resolve: { conditions: ['@vmexit/source'] } },
  test: {
    include: ['{packages,apps,tools}/*/{src,test}/**/*.test.ts', 'tools/*.test.ts'],
    testTimeout: 120_000,
  },
})
