/** Prints what `union.ts` finds. */
import { unionOfVolumes } from './union.ts'

console.log(await unionOfVolumes())
