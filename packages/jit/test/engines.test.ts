/**
 * The JIT gives state and counts equal to the reference engine's, and to the interpreter's, on random machines and through
 * gates, translating nearly all that runs.
 */
import { enginesSuite } from '../../x86/test/engines/engines.suite.ts'
import { gatesSuite } from '../../x86/test/engines/gates.suite.ts'
import { eager } from './eager.ts'

const engineOf = (machine: number) => eager(machine % 2 === 0 ? 1 : 2)

enginesSuite(engineOf, { seed: 500, machines: 3, windows: 200 })
enginesSuite(engineOf, { seed: 900, machines: 2, windows: 200, with: 'interpreter' })
gatesSuite(eager())
