/** The ROM on a machine of our own. */
import { createMachine, definePart } from '@vmexit/core'
import { engineNamed } from '@vmexit/jit'
import { ram } from '@vmexit/memory'
import { type Engine, x86 } from '@vmexit/x86'
import type { Meter } from './meter.ts'

const ROM_BYTES = 0x1_0000
const BELOW_1_MIB = 0x10_0000 - ROM_BYTES
const BELOW_4_GIB = 0x1_0000_0000 - ROM_BYTES
const SERIAL = 0x3f8
/** As an app runs a machine that serves a host too. */
const SLICE = 1_000_000

/** Runs `rom` until `meter` has enough. */
export async function runVmexit(engine: Engine, rom: Uint8Array, meter: Meter): Promise<void> {
  const serial = definePart({
    name: 'serial',
    needs: ['ports', 'power'],
    build({ ports, power }, _, { name }) {
      ports.claim(name, SERIAL, {
        size: 8,
        widest: 1,
        read: () => 0,
        write(offset, _width, value) {
          if (offset === 0 && meter.feed(value, cpu.retired)) power.request('off')
        },
      })
      return {}
    },
  })
  const memory = ram({
    ranges: [
      { kind: 'ram', start: 0, bytes: 0xa_0000 },
      { kind: 'rom', start: BELOW_1_MIB, bytes: ROM_BYTES },
      { kind: 'ram', start: 0x10_0000, bytes: 0xf0_0000 },
      { kind: 'rom', start: BELOW_4_GIB, bytes: ROM_BYTES },
    ],
  })
  await using machine = await createMachine({ memory, cpu: x86({ engine: engineNamed(engine) }), devices: [serial] })
  const cpu = machine.get('x86')
  for (const address of [BELOW_1_MIB, BELOW_4_GIB]) machine.get('guestMemory').load(address, rom)
  while (machine.runSlice({ instructions: SLICE }).reason !== 'off');
}
