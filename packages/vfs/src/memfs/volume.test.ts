import { volumeSuite } from '../../test/volume.suite.ts'
import { TmpFs } from '../index.ts'

volumeSuite('a tmpfs', (time) => new TmpFs({ time, mode: 0o755 }))
