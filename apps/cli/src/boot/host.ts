/** Tells the V8 that this runs on what makes translations faster. */
import { setFlagsFromString } from 'node:v8'
import { V8_FLAGS } from '@vmexit/jit'

/** Of later ones it is not known whether they still have these flags; what is unknown to it V8 mentions on the terminal. */
const LAST_MAJOR = 13

export function tuneHost(): void {
  if (Number.parseInt(process.versions.v8, 10) > LAST_MAJOR) return
  for (const flag of V8_FLAGS) setFlagsFromString(flag)
}
