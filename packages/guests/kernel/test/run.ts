/**
 * Boots the kernel with test programs and shows what they print: run.ts [BUILD [ENGINE [PROGRAM…]]], with BUILD
 * `teaching` or `teaching-pae`, ENGINE `jit`, `interpreter` or `reference`, and all programs unless some are named.
 */
import { type KernelRun, runKernel } from '../../test/kernel.ts'

const [build = 'teaching', engine = 'jit', ...programs] = process.argv.slice(2)
const { stop, counts } = await runKernel({
  build: build as KernelRun['build'],
  engine: engine as KernelRun['engine'],
  ...(programs.length > 0 && { programs }),
  memory: process.env['MEMORY'] ?? '32 MiB',
  instructions: 3_000_000_000,
  onText: (text) => process.stdout.write(text),
})
console.log(stop, counts)
