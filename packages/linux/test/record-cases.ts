/** Compiles the programs of `cases/` and records what this machine's kernel answers: `node test/record-cases.ts [NAME…]`. Linux, root. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { buildCases, caseNames, hostRelease, programPath, recordingPath, runNatively } from './cases.ts'

const wanted = process.argv.slice(2)
mkdirSync(dirname(programPath('x')), { recursive: true })
mkdirSync(dirname(recordingPath('x')), { recursive: true })
buildCases(dirname(programPath('x')))
for (const name of wanted.length > 0 ? wanted : caseNames()) {
  const lines = runNatively(name)
  writeFileSync(recordingPath(name), `${[`# Linux ${hostRelease()}`, ...lines].join('\n')}\n`, 'latin1')
  console.log(`${name}: ${lines.filter((line) => !line.startsWith(' ')).length} cases`)
}
