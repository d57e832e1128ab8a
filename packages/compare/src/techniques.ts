/** The columns that there are. */
import { containerTechnique } from './container/technique.ts'
import { pcTechniques } from './pc-technique.ts'
import { processTechnique } from './process/technique.ts'
import type { Kernel, Technique } from './technique.ts'

/** All techniques: those of PCs, a bare process, and a container. */
export const techniques: readonly Technique[] = [...pcTechniques, processTechnique(), containerTechnique()]

/** Those that a kernel can be under. */
export function techniquesOn(kernel: Kernel): readonly Technique[] {
  return techniques.filter((technique) => technique.refuses?.(kernel) === undefined)
}
