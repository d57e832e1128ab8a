/** The PIC of a PC as a part: two 8259As at 0x20 and 0xa0, their edge/level registers at 0x4d0. */
import { type Bus, definePart, type InterruptController, type InterruptSource, type Part } from '@vmexit/core'
import { IntrPin } from '../intr-pin.ts'
import { PicPair, type PicPairState } from './pair.ts'

/** What `machine.of(pic)` is. */
export interface PicApi {
  readonly interrupts: InterruptController
  readonly pair: PicPair
  reset(): void
  save(): PicPairState
  restore(state: PicPairState): void
}

/**
 * The interrupt controller of a PC without an APIC. Inputs are the ISA interrupt numbers. In edge mode a rise is a request
 * until it is served, in level mode the wire is to be held. Only CPU 0 is connected.
 */
export function pic(): Part<{ name: 'pic'; needs: 'ports'; gives: 'interrupts'; api: PicApi }> {
  return definePart({
    name: 'pic',
    needs: ['ports'],
    gives: ['interrupts'],
    build({ ports }, _, { name }): PicApi {
      const pin: IntrPin = new IntrPin(() => pair.acknowledge())
      const pair = new PicPair(pin)
      claimPicPorts(ports, name, pair)
      return {
        pair,
        interrupts: { inputs: 16, line: (input) => pair.line(input), source: (cpu) => (cpu === 0 ? pin : unconnected) },
        reset: () => pair.reset(),
        save: () => pair.save(),
        restore: (state) => pair.restore(state),
      }
    },
  })
}

/** Attaches a pair where PCs have it. */
export function claimPicPorts(ports: Bus, owner: string, { master, slave }: PicPair): void {
  ports.claim(owner, 0x20, master.regions.registers)
  ports.claim(owner, 0xa0, slave.regions.registers)
  ports.claim(owner, 0x4d0, master.regions.elcr)
  ports.claim(owner, 0x4d1, slave.regions.elcr)
}

/** What a CPU sees whose pin nothing drives. */
const unconnected: InterruptSource = {
  pending: false,
  acknowledge: () => 0xff,
  watch: () => ({ [Symbol.dispose]() {} }),
}
