/** The clock of a PC as a part: an MC146818 with CMOS memory at 0x70. */
import { definePart, type Part } from '@vmexit/core'
import { ramOf } from '../pc-memory.ts'
import { type CmosContents, cmosContents } from './cmos.ts'
import { Mc146818, type Mc146818State } from './mc146818.ts'

/** How the clock is attached, and what its memory says. */
export interface RtcOptions extends Partial<CmosContents> {
  /** The time when virtual time is 0, in seconds since 1970 UTC; 2020-01-01 unless stated. Never the host's time. */
  readonly epoch?: number
  /** Its interrupt; 8 unless stated. */
  readonly irq?: number
  /** Called when bit 7 of port 0x70 masks NMI or lets it through. */
  readonly onNmiMask?: (masked: boolean) => void
}

/** What `machine.of(rtc)` is. */
export interface RtcApi {
  readonly rtc: Mc146818
  reset(): void
  save(): Mc146818State
  restore(state: Mc146818State): void
}

/** 2020-01-01 00:00 UTC. */
const defaultEpoch = 1_577_836_800

/** The real-time clock. Its memory is told of as much RAM as the machine has, unless `ram` is stated. */
export function rtc(options: RtcOptions = {}): Part<{
  name: 'rtc'
  needs: 'ports' | 'interrupts' | 'clock' | 'memory'
  api: RtcApi
}> {
  const { epoch = defaultEpoch, irq = 8, onNmiMask, ...contents } = options
  return definePart({
    name: 'rtc',
    needs: ['ports', 'interrupts', 'clock', 'memory'],
    build({ ports, interrupts, clock, memory }, _, { name }): RtcApi {
      const chip = new Mc146818({ clock, line: interrupts.line(irq), epoch, onNmiMask })
      for (const [index, value] of cmosContents({ ram: ramOf(memory.size), ...contents })) chip.poke(index, value)
      ports.claim(name, 0x70, chip.regions.registers)
      return {
        rtc: chip,
        reset: () => chip.reset(),
        save: () => chip.save(),
        restore: (state) => chip.restore(state),
      }
    },
  })
}
