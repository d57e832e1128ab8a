import { ENGINES } from '../../../test/engine.ts'
import { unitSuite } from '../../../test/x87/unit.suite.ts'

for (const engine of ENGINES) unitSuite(engine)
