import { ENGINES } from '../engine.ts'
import { hostCoverageSuite, hostSuite } from './host.suite.ts'

for (const engine of ENGINES) hostSuite(engine)
hostCoverageSuite()
