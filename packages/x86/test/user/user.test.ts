import { ENGINES } from '../engine.ts'
import { userSuite } from './user.suite.ts'

for (const engine of ENGINES) userSuite(engine)
