/** The card as a part: what it says of itself in configuration space, and its wire. */
import { definePart, type Part, type State } from '@vmexit/core'
import { needPci, type PciFunctionState } from '@vmexit/pci'
import { Metronome, type MetronomeState } from './metronome.ts'

/** A saved card. */
export type MetronomeCardState = State & {
  readonly version: 1
  readonly metronome: MetronomeState
  readonly pci: PciFunctionState
}

/** What `machine.of(metronome)` is. */
export interface MetronomeApi {
  readonly metronome: Metronome
  reset(): void
  save(): MetronomeCardState
  restore(state: MetronomeCardState): void
}

/** A metronome, to be put into the `devices` of a PC. Its IDs are of the range that is free for experiments. */
export function metronome(): Part<{ name: 'metronome'; needs: typeof needPci | 'clock'; api: MetronomeApi }> {
  return definePart({
    name: 'metronome',
    needs: [needPci, 'clock'],
    build({ pci, clock }, _, { name }): MetronomeApi {
      const card: Metronome = new Metronome({ clock, line: { set: (level) => fn.interrupt.set(level) } })
      const fn = pci.add({
        name,
        vendorId: 0x1234,
        deviceId: 0x0be7,
        classCode: 0x08_8000, // a system peripheral
        interruptPin: 1,
        bars: [{ index: 0, space: 'memory', registers: card.regions.registers }],
      })
      return {
        metronome: card,
        reset() {
          card.reset()
          fn.reset()
        },
        save: () => ({ version: 1, metronome: card.save(), pci: fn.save() }),
        restore(state) {
          card.restore(state.metronome)
          fn.restore(state.pci)
        },
      }
    },
  })
}
