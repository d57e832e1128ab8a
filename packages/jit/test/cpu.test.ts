/** The suites of the CPU, on the JIT. */
import { cpuSuite, equalCountsSuite } from '../../x86/test/cpu.suite.ts'
import { partSuite } from '../../x86/test/part.suite.ts'
import { unitSuite } from '../../x86/test/x87/unit.suite.ts'
import { eager } from './eager.ts'

for (const threshold of [1, 2] as const) cpuSuite(eager(threshold))
equalCountsSuite(['reference', eager()])
partSuite(eager())
unitSuite(eager())
