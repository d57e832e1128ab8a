/** Writes the constants that a kernel outside of the machine is charged with. */
import { writeFileSync } from 'node:fs'
import { calibrations } from '@vmexit/compare'
import { calibrateKernel, kernels, moduleOf, modulePath } from './costs.ts'

const HELP = `Usage: node --conditions=@vmexit/source tools/kernel-costs/src/main.ts [--help]

Runs the workload programs on the teaching kernels and, where \`vmexit guests\` has fetched it, on Debian's, all on the bare
machine, and as bare processes; writes what the kernels cost to packages/compare/src/process/calibrations.generated.ts.
Constants of a kernel that is not here stay as they are. Format what it writes with \`npx -y pnpm@12 format\`.`

if (process.argv.length > 2) {
  console.log(HELP)
  process.exitCode = process.argv[2] === '--help' ? 0 : 2
} else {
  const known = new Map(calibrations.map((each) => [each.kernel, each]))
  for (const kernel of kernels()) {
    known.set(kernel.name, await calibrateKernel(kernel))
    console.log(`${kernel.name}:`, known.get(kernel.name)!.instructions)
  }
  writeFileSync(modulePath, moduleOf([...known.values()]))
}
