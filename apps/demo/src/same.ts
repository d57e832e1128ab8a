/** Whether the demo prints what is in demo.golden.txt: for other versions of Node than that which tests run on. */
import { readFileSync } from 'node:fs'
import { demoComparison, demoText } from './demo.ts'

const [lines, golden] = [
  demoText(await demoComparison()),
  readFileSync(new URL('demo.golden.txt', import.meta.url), 'utf8'),
].map((text) => text.split('\n'))
const differs = lines!.findIndex((line, n) => line !== golden![n])
if (differs < 0 && lines!.length === golden!.length) {
  process.stdout.write(`Node ${process.versions.node}: the same counts, to the digit\n`)
} else {
  process.stderr.write(
    `Node ${process.versions.node}: line ${differs + 1} of the demo is\n${lines![differs]}\ninstead of\n${golden![differs]}\n`,
  )
  process.exitCode = 1
}
