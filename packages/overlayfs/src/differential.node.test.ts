/** The overlay does what Linux's does: with sequences of operations that a kernel has done, and that this one does. */
import { expect, test } from 'vitest'
import { differences } from '../test/differential/compare.ts'
import { kernelVersion, runKernel } from '../test/differential/kernel.ts'
import { randomSequence } from '../test/differential/operations.ts'
import { runOurs } from '../test/differential/ours.ts'
import { readRecording } from '../test/differential/recording.ts'

const { kernel, sequences } = readRecording()

test(`${sequences.length} sequences do what they did on ${kernel}`, () => {
  sequences.forEach(([sequence, outcome], number) => {
    expect(differences(sequence, outcome, runOurs(sequence)), `sequence ${number} ${sequence.options}`).toEqual([])
  })
})

const version = kernelVersion()
const count = 400

test.skipIf(version === null)(
  version === null
    ? 'the kernel: skipped, no overlay can be mounted here'
    : `${count} sequences do what Linux ${version} does`,
  { timeout: 180_000 },
  () => {
    const random = Array.from({ length: count }, (_, index) => randomSequence(100_000 + index))
    const outcomes = runKernel(random)
    random.forEach((sequence, index) => {
      const found = differences(sequence, outcomes[index]!, runOurs(sequence))
      expect(found, `sequence ${100_000 + index} ${sequence.options}`).toEqual([])
    })
  },
)
