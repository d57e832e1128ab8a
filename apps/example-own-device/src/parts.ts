/** The device as a part, a capability of its own, and a second part that needs it. */
import { definePart, type Need, need, type Part } from '@vmexit/core'
import { Dice, type DiceState } from './dice.ts'

// A name of our own in the vocabulary that parts speak.
declare module '@vmexit/core' {
  interface Capabilities {
    dice: Dice
  }
}

/** For parts that need dice: the remedy becomes part of the compiler's error and of the thrown one. */
export const needDice: Need<'dice', 'add dice() of @vmexit-examples/own-device to devices'> = need(
  'dice',
  'add dice() of @vmexit-examples/own-device to devices',
)

/** Where the dice are attached, and how they are thrown. */
export interface DiceOptions {
  /** The first of their two ports; 0x240 unless stated. */
  readonly port?: number
  /** Their interrupt; 5 unless stated. */
  readonly irq?: number
  readonly seed?: number
}

/** What `machine.of(dice)` is. */
export interface DiceApi {
  readonly dice: Dice
  /** From outside, at any time: it is let in through the machine's gate, and can be recorded and replayed. */
  shake(strength: number): void
  reset(): void
  save(): DiceState
  restore(state: DiceState): void
}

/** Two dice on two ports. This is where a chip gets its address and its interrupt. */
export function dice({ port = 0x240, irq = 5, seed = 1 }: DiceOptions = {}): Part<{
  name: 'dice'
  needs: 'ports' | 'interrupts' | 'clock' | 'input'
  gives: 'dice'
  api: DiceApi
}> {
  return definePart({
    name: 'dice',
    needs: ['ports', 'interrupts', 'clock', 'input'],
    gives: ['dice'],
    build({ ports, interrupts, clock, input }, _, { name }) {
      const chip = new Dice({ line: interrupts.line(irq), clock, seed })
      ports.claim(name, port, chip.regions.registers)
      const table = input.open<number>(name, (strength) => chip.shake(strength))
      return {
        dice: chip,
        shake: (strength) => table.post(strength),
        reset: () => chip.reset(),
        save: () => chip.save(),
        restore: (state: DiceState) => chip.restore(state),
      }
    },
  })
}

/** A display that shows whether the dice are rolling: an example of a need. */
export function lamp(): Part<{ name: 'lamp'; needs: typeof needDice; api: { lit(): boolean } }> {
  return definePart({
    name: 'lamp',
    needs: [needDice],
    build: ({ dice }) => ({ lit: () => dice.rolling }),
  })
}
