import { cpuSuite, equalCountsSuite } from '../test/cpu.suite.ts'
import { ENGINES } from '../test/engine.ts'

for (const engine of ENGINES) cpuSuite(engine)
equalCountsSuite(['reference', 'interpreter'])
