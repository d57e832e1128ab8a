import { createMachine, type MachineProblems } from '@vmexit/core'
import { expectTypeOf, test } from 'vitest'
import { type Dice, dice, lamp, noMemory, toyCpu, toyPic } from './index.ts'

type Parts<D extends readonly unknown[]> = {
  memory: ReturnType<typeof noMemory>
  cpu: ReturnType<typeof toyCpu>
  devices: D
}

test('a capability of our own is as typed as one of theirs', async () => {
  const machine = await createMachine({
    memory: noMemory(),
    cpu: toyCpu([]),
    devices: [toyPic(), dice(), lamp()],
  })
  expectTypeOf(machine.get('dice')).toEqualTypeOf<Dice>()
})

test('what is missing is a compile error in our own words', () => {
  // @ts-expect-error ✗ lamp needs 'dice'
  createMachine({ memory: noMemory(), cpu: toyCpu([]), devices: [lamp()] })
  expectTypeOf<
    MachineProblems<Parts<readonly [ReturnType<typeof lamp>]>>
  >().toEqualTypeOf<"✗ lamp needs 'dice': add dice() of @vmexit-examples/own-device to devices">()

  expectTypeOf<
    MachineProblems<Parts<readonly [ReturnType<typeof dice>]>>
  >().toEqualTypeOf<"✗ dice needs 'interrupts': add an interrupt controller to devices">()
})
