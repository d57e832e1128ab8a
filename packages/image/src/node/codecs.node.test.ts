import { codecsSuite } from '../../test/codecs.suite.ts'
import { nodeCodecs } from './codecs.ts'

codecsSuite('of Node', nodeCodecs)
