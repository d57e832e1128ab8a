/** What to do where nobody gives a capability, if who needs it does not say. */

/** For the capabilities that core names itself. Literal types, so the compiler says it too. */
const remedies = {
  memory: 'put a part that gives it into the slot memory',
  cpu: 'put a part that gives it into the slot cpu of a machine, or execution of a VM',
  cpus: 'use a part for the CPU that gives several',
  interrupts: 'add an interrupt controller to devices',
  msi: 'add an interrupt controller that takes messages to devices',
} as const

/** What to do where nobody gives `K`. */
export type Remedy<K extends string> = K extends keyof typeof remedies
  ? (typeof remedies)[K]
  : `add a part that gives '${K}'`

/** {@link Remedy} at run time. */
export function remedyFor(capability: string): string {
  const known: Readonly<Record<string, string>> = remedies
  return Object.hasOwn(known, capability) ? known[capability]! : `add a part that gives '${capability}'`
}
