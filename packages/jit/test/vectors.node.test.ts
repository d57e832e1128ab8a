/** What processors have done, on translated code: each vector is translated before it runs. */
import { expect } from 'vitest'
import { hostSuite } from '../../x86/test/host/host.suite.ts'
import { imagesSuite } from '../../x86/test/images/images.suite.ts'
import { sst80286Suite } from '../../x86/test/sst/sst-80286.suite.ts'
import { compiled, eager } from './eager.ts'

/** Code of 64 bits is not translated. */
hostSuite(eager(), [16, 32], ({ machine }) => expect(compiled(machine.cpu)).toBeGreaterThan(0))
sst80286Suite(eager(), ({ machine }) => expect(compiled(machine.cpu)).toBeGreaterThan(0))
imagesSuite(eager())
