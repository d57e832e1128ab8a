/**
 * `node --conditions=@vmexit/source test/differential/run.ts COUNT [FIRST]`: sequences at random on this machine's kernel
 * and here, and where they differ. With `--record` before COUNT it writes down what the kernel does, for machines that
 * cannot mount an overlay. Needs root.
 */
import { differences } from './compare.ts'
import { kernelVersion, runKernel } from './kernel.ts'
import { type Outcome, randomSequence, type Sequence } from './operations.ts'
import { runOurs } from './ours.ts'
import { writeRecording } from './recording.ts'

const recording = process.argv[2] === '--record'
const [count = 100, first = 1] = process.argv.slice(recording ? 3 : 2).map(Number)
const version = kernelVersion()
if (version === null) throw new Error('no overlay can be mounted here: be root, on Linux, with python3 and unshare')
const recorded: [Sequence, Outcome][] = []
let differing = 0
let [done, succeeded] = [0, 0]
for (let at = first; at < first + count; at += 250) {
  const numbers = Array.from({ length: Math.min(250, first + count - at) }, (_, i) => at + i)
  const sequences = numbers.map(randomSequence)
  const outcomes = runKernel(sequences)
  for (const [index, sequence] of sequences.entries()) {
    const kernel = outcomes[index]!
    const operations = kernel.results.flat()
    done += operations.length
    succeeded += operations.filter(([errno]) => errno === 0).length
    if (recording) recorded.push([sequence, kernel])
    const found = differences(sequence, kernel, runOurs(sequence))
    if (found.length === 0) continue
    if (differing++ < 10)
      console.log(`sequence ${numbers[index]} ${sequence.options}:\n  ${found.slice(0, 6).join('\n  ')}`)
  }
}
console.log(`${count} sequences on Linux ${version}: ${differing} differ; ${succeeded} of ${done} operations succeeded`)
if (recording) writeRecording({ kernel: `Linux ${version}`, sequences: recorded })
if (differing > 0) process.exitCode = 1
