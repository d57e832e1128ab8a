/** Frames: the kinds of thing that parts are composed into. */

/** A kind of composition. Given `as const`, the compiler reads it too. */
export interface Frame {
  /** In error messages: `machine`. */
  readonly what: string
  /** Its slots in the order in which they are looked at: of two that give the same, the later one is the wrong one. */
  readonly order: readonly string[]
  /** The slots for a user to read: `memory, cpu, devices`. */
  readonly slots: string
  /** What the part in a slot must give. */
  readonly takes: Readonly<Record<string, string>>
  /** Slots that must be filled. */
  readonly required: readonly string[]
}

/** The hardware: see `createMachine`. */
export const machineFrame = {
  what: 'machine',
  order: ['memory', 'cpu', 'devices'],
  slots: 'memory, cpu, devices',
  takes: { memory: 'memory', cpu: 'cpu' },
  required: ['memory', 'cpu'],
} as const

/** A virtual machine: see `createVm`. */
export const vmFrame = {
  what: 'VM',
  order: ['memory', 'execution', 'mmu', 'devices', 'guest'],
  slots: 'memory, execution, mmu, devices, guest',
  takes: { memory: 'memory', execution: 'cpu', mmu: 'mmu' },
  required: ['execution'],
} as const
