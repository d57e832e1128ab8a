import { Volume } from 'memfs'
import { gitSuite } from '../../test/git.suite.ts'
import { TmpFs } from '../index.ts'
import { memfsFileSystem } from './index.ts'

gitSuite('a tmpfs', (time) => new TmpFs({ time, mode: 0o755 }))

// Both ways at once: memfs's calls on the layer, and the layer on memfs's nodes.
gitSuite('a volume of memfs', (time) => memfsFileSystem(new Volume(), { time }))
