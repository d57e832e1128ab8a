/** Somebody's own device for vmexit, in a package of its own. */
export { Dice, type DiceState } from './dice.ts'
export { type DiceApi, type DiceOptions, dice, lamp, needDice } from './parts.ts'
export { type Instruction, log, noMemory, out, ToyCpu, type ToyCpuApi, toyCpu, toyPic, wait } from './toys.ts'
