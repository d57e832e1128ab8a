/** A machine around parts under test: a CPU that waits for ever and acknowledges what comes, and some memory. */
import { type Cpu, createMachine, definePart, type InterruptSource, type Machine, type Part } from '@vmexit/core'

/** A machine with its ports at hand. */
export interface IdleMachine {
  readonly machine: Machine<never>
  /** Writes bytes to one port, one after the other. */
  out(port: number, ...values: number[]): void
  in8(port: number): number
  in16(port: number): number
  in32(port: number): number
  /** Lets virtual time pass, in nanoseconds. */
  pass(nanoseconds: number): void
  /** The vectors of all interrupts that are pending, sixteen at most. */
  vectors(): number[]
}

/** Composes `devices` into a machine with `memory` bytes. */
export async function idleMachine(devices: readonly Part[], { memory = 1 << 20 } = {}): Promise<IdleMachine> {
  const bytes = new Uint8Array(Math.min(memory, 1 << 20))
  let source: InterruptSource | undefined
  const cpu = {
    id: 0,
    retired: 0,
    halted: true,
    run: () => ({ reason: 'halt' as const }),
    shorten() {},
    connect: (interrupts: InterruptSource) => void (source = interrupts),
    reset() {},
    save: () => ({ version: 1 }),
    restore() {},
  } satisfies Cpu
  const inside = (address: number, length: number) => address + length <= bytes.length
  const parts: object = {
    memory: definePart({
      name: 'memory',
      gives: ['memory'],
      build: () => ({
        memory: {
          size: memory,
          read: (address: number, into: Uint8Array) =>
            inside(address, into.length) && (into.set(bytes.subarray(address, address + into.length)), true),
          write: (address: number, from: Uint8Array) =>
            inside(address, from.length) && (bytes.set(from, address), true),
        },
      }),
    }),
    cpu: definePart({ name: 'cpu', gives: ['cpu'], build: () => ({ cpu }) }),
    devices,
  }
  const machine = (await createMachine(parts as { memory: Part; cpu: Part })) as unknown as Machine<never>
  const ports = machine.get('ports')
  return {
    machine,
    out(port, ...values) {
      for (const value of values) ports.write(port, 1, value)
    },
    in8: (port) => ports.read(port, 1),
    in16: (port) => ports.read(port, 2),
    in32: (port) => ports.read(port, 4),
    pass(nanoseconds) {
      const clock = machine.get('clock')
      const until = clock.now + nanoseconds
      machine.runSlice({ until })
      clock.advanceTo(Math.max(clock.now, until))
    },
    vectors() {
      const vectors: number[] = []
      while (source?.pending && vectors.length < 16) vectors.push(source.acknowledge())
      return vectors
    },
  }
}
