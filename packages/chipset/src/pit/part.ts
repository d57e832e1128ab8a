/** The timer of a PC as a part: an 8254 at 0x40 and system control port B at 0x61. */
import { definePart, type Line, type Part, type State } from '@vmexit/core'
import { I8254, type I8254State } from './i8254.ts'
import { SystemPort, type SystemPortState } from './system-port.ts'

/** How the timer is attached. */
export interface PitOptions {
  /** The interrupt of counter 0; 0 unless stated. */
  readonly irq?: number
  /** The wire to a loudspeaker: counter 2 while port 0x61 lets it through. Without one no time is spent on sound. */
  readonly speaker?: Line
}

/** A saved timer. */
export type PitState = State & {
  readonly version: 1
  readonly timer: I8254State
  readonly port: SystemPortState
}

/** What `machine.of(pit)` is. */
export interface PitApi {
  readonly timer: I8254
  reset(): void
  save(): PitState
  restore(state: PitState): void
}

/** The interval timer: counter 0 interrupts, counter 2 is for the speaker and for measuring. */
export function pit({ irq = 0, speaker }: PitOptions = {}): Part<{
  name: 'pit'
  needs: 'ports' | 'interrupts' | 'clock'
  api: PitApi
}> {
  return definePart({
    name: 'pit',
    needs: ['ports', 'interrupts', 'clock'],
    build({ ports, interrupts, clock }, _, { name }): PitApi {
      let tone = false
      let enabled = false
      const drive = () => speaker?.set(tone && enabled)
      const sound: Line = { set: (level) => ((tone = level), drive()) }
      const timer = new I8254({ clock, outputs: [interrupts.line(irq), undefined, speaker && sound] })
      const port = new SystemPort(timer, clock, (on) => ((enabled = on), drive()))
      ports.claim(name, 0x40, timer.regions.registers)
      ports.claim(name, 0x61, port.regions.registers)
      return {
        timer,
        reset() {
          timer.reset()
          port.reset()
        },
        save: () => ({ version: 1, timer: timer.save(), port: port.save() }),
        restore(state) {
          timer.restore(state.timer)
          port.restore(state.port)
        },
      }
    },
  })
}
