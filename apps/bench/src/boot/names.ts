/** The systems that boot, by name. */
import { ENGINES, engineOf, systemOf, type VmexitSystem } from '../engines.ts'

/** A system. */
export type BootSystem = VmexitSystem | 'v86' | 'v86-nojit' | 'qemu-tcg'

const OURS: readonly VmexitSystem[] = ENGINES.filter(({ rival }) => rival !== undefined).map(({ engine }) =>
  systemOf(engine),
)

/** All that boot, in the order of tables. */
export const BOOT_SYSTEMS: readonly BootSystem[] = [...OURS, 'v86', 'v86-nojit', 'qemu-tcg']

/** What is compared unless stated; QEMU only where it is installed. */
export const USUAL_SYSTEMS: readonly BootSystem[] = [OURS[0]!, 'v86', 'qemu-tcg']

/** The one of `systems` that is judged by the others: the fastest engine of vmexit. */
export const judgedOf = (systems: readonly BootSystem[]): BootSystem | undefined =>
  BOOT_SYSTEMS.find((system) => systems.includes(system) && engineOf(system) !== undefined)
