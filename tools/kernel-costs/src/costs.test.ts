import { calibrations } from '@vmexit/compare'
import { expect, test } from 'vitest'
import { calibrateKernel, kernels, sha256 } from './costs.ts'

const here = new Map(kernels().map((kernel) => [kernel.name, kernel]))

test.each(calibrations)(
  'the constants of the kernel $kernel are what it costs',
  { timeout: 1_200_000 },
  async (known) => {
    const kernel = here.get(known.kernel)
    if (kernel === undefined || sha256(kernel) !== known.sha256) {
      console.log(`skipped: the image of ${known.kernel} that was calibrated is not here; see \`vmexit guests\``)
      return
    }
    expect(await calibrateKernel(kernel)).toEqual(known)
  },
)

test('what no constant comes from is charged about what it costs: a signal for a page fault', () => {
  for (const { workloads, instructions } of calibrations) {
    const { total, program } = workloads['pgfault']!
    const charged = instructions.signals + instructions['plain-calls']
    expect(Math.abs(charged / (total - program) - 1)).toBeLessThan(0.1)
  }
})
