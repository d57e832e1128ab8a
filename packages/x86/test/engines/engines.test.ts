import { enginesSuite } from './engines.suite.ts'

enginesSuite(() => 'interpreter', { seed: 100, machines: 3, windows: 200 })
