import { gatesSuite } from './gates.suite.ts'

gatesSuite('interpreter')
