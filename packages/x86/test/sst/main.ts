/**
 * Runs MOO files, gzip or plain, of an 80286 or an 80386:
 * `node --conditions=@vmexit/source test/sst/main.ts reference|interpreter file…`
 */
import type { EngineChoice } from '../../src/index.ts'
import { runMooFile } from './run.ts'

const [engine, ...files] = process.argv.slice(2)
let tests = 0
let failed = 0
for (const file of files) {
  const result = runMooFile(file, engine as EngineChoice)
  tests += result.tests
  failed += result.failures.length
  for (const failure of result.failures) console.log(`${file} ${failure}`)
}
console.log(`${engine}: ${tests - failed} of ${tests} tests pass`)
process.exitCode = failed > 0 ? 1 : 0
