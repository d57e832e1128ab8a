/** The guest in vmexit. */
import { setFlagsFromString } from 'node:v8'
import { V8_FLAGS } from '@vmexit/jit'
import { createPc } from '@vmexit/vmexit'
import type { Engine } from '@vmexit/x86'
import { systemOf } from '../engines.ts'
import { type Guest, load, MEBIBYTES, timelineOf } from './guest.ts'
import { peakMemory } from './process.ts'
import type { BootRecord } from './timeline.ts'

export async function bootVmexit(engine: Engine, { kernel, initrd, append }: Guest): Promise<BootRecord> {
  for (const flag of V8_FLAGS) setFlagsFromString(flag)
  const files = { kernel: load(kernel), initrd: load(initrd) }
  await using pc = await createPc({ memory: MEBIBYTES << 20, engine, ...files, append })
  const cpu = pc.machine.find('x86')!
  const lines = timelineOf(systemOf(engine), () => cpu.retired)
  // The console hands out its output between slices of some milliseconds: too late to tell the time.
  const { console } = pc
  const transmit = console.transmit.bind(console)
  console.transmit = (bytes) => {
    lines.feed(bytes)
    transmit(bytes)
  }
  await pc.run({ idle: 'return', onReset: 'stop' })
  return lines.finish(peakMemory())
}
