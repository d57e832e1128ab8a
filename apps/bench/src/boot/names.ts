/** The systems that boot, by name. */

/** A system. */
export type BootSystem = 'interpreter' | 'v86' | 'v86-jit'
/** What to call them; records have these names. */
export const BOOT_TITLES: Readonly<Record<BootSystem, string>> = {
  interpreter: 'vmexit-interpreter',
  v86: 'v86-nojit',
  'v86-jit': 'v86',
}
