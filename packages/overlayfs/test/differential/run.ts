/**
 * `node --conditions=@vmexit/source test/differential/run.ts COUNT [FIRST]`: sequences at random on this machine's kernel
 * and here, and where they differ. Needs root.
 */
import { differences } from './compare.ts'
import { kernelVersion, runKernel } from './kernel.ts'
import { sequence } from './operations.ts'
import { runOurs } from './ours.ts'

const [count, first] = [Number(process.argv[2] ?? 100), Number(process.argv[3] ?? 1)]
const version = kernelVersion()
if (version === null) throw new Error('no overlay can be mounted here: be root, on Linux, with python3 and unshare')
let differing = 0
let [done, succeeded] = [0, 0]
for (let at = first; at < first + count; at += 250) {
  const numbers = Array.from({ length: Math.min(250, first + count - at) }, (_, i) => at + i)
  const sequences = numbers.map((number) => sequence(number, number % 6, 40))
  const kernel = runKernel(sequences)
  for (const { results } of kernel) {
    done += results.at(-1)!.length
    succeeded += results.at(-1)!.filter(([errno]) => errno === 0).length
  }
  sequences.forEach((one, index) => {
    const found = differences(one, kernel[index]!, runOurs(one))
    if (found.length === 0) return
    if (differing++ < 10) console.log(`sequence ${numbers[index]} ${one.options}:\n  ${found.slice(0, 6).join('\n  ')}`)
  })
}
console.log(`${count} sequences on Linux ${version}: ${differing} differ; ${succeeded} of ${done} operations succeeded`)
