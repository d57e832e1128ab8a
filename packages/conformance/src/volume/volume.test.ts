import { ourVolumes } from '../../test/our-volumes.ts'
import { volumeSuite } from '../../test/volume.suite.ts'

for (const [kind, make] of ourVolumes) volumeSuite(kind, make)
