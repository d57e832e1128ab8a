import { ENGINES } from '../../../test/engine.ts'
import { replaySuite } from '../../../test/x87/replay.suite.ts'

for (const engine of ENGINES) replaySuite(engine)
