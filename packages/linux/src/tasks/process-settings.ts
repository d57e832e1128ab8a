/** What a process has set of itself by prctl(2). */

/** Settings that children inherit, unless it says otherwise. */
export interface ProcessSettings {
  /** PR_SET_PDEATHSIG: not inherited. */
  deathSignal: number
  isDumpable: number
  timestampCounter: number
  /** Nanoseconds; 0 stands for the default. */
  timerSlack: number
  isSubreaper: number
  /** PR_SET_THP_DISABLE. */
  withoutHugePages: number
}

/** Those of the first process. */
export function freshSettings(): ProcessSettings {
  return {
    deathSignal: 0,
    isDumpable: 1,
    timestampCounter: 1,
    timerSlack: 0,
    isSubreaper: 0,
    withoutHugePages: 0,
  }
}
