import { ENGINES } from '../engine.ts'
import { sst80286Suite } from './sst-80286.suite.ts'

for (const engine of ENGINES) sst80286Suite(engine)
