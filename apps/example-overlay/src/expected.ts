/** What the example finds, in Node and in browsers. */
import type { Found } from './union.ts'

export const expected: Found = {
  view: { '/README.md': '# Mine', '/dist/index.js': 'built', '/src/index.ts': 'export {} // changed' },
  below: { '/README.md': '# Mine', '/src/index.ts': 'export {}', '/src/old.ts': 'old' },
  changes: ['directory dist', 'directory src', 'file dist/index.js', 'file src/index.ts', 'whiteout src/old.ts'],
}
