/** The columns that there are. */
import { pcTechniques } from './pc-technique.ts'
import { processTechnique } from './process/technique.ts'
import type { Technique } from './technique.ts'

/** All techniques: those of PCs, and a bare process. */
export const techniques: readonly Technique[] = [...pcTechniques, processTechnique()]
