import { ENGINES } from '../test/engine.ts'
import { partSuite } from '../test/part.suite.ts'

for (const engine of ENGINES) partSuite(engine)
