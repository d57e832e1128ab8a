import { ENGINES } from '../engine.ts'
import { imageCasesSuite, imagesSuite } from './images.suite.ts'

for (const engine of ENGINES) imagesSuite(engine)
imageCasesSuite()
