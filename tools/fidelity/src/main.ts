/** Writes docs/fidelity.md. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { workspaceRoot } from '@vmexit-tools/workspace'
import { comparisons } from './evidence.ts'
import { fidelityPage } from './page.ts'

const HELP = `Usage: node --conditions=@vmexit/source tools/fidelity/src/main.ts [--help]

Sets published figures beside those of comparisons, and writes docs/fidelity.md. The teaching kernel is measured anew; for Debian's
record first, which takes some minutes:

  npx -y pnpm@12 -s vmexit compare --guest debian --json \\
    --techniques native,vtx-shadow,vtx-nested,vtx-nested-2m,guest-container,process,container > tools/fidelity/debian.json`

if (process.argv.length > 2) {
  console.log(HELP)
  process.exitCode = process.argv[2] === '--help' ? 0 : 2
} else writeFileSync(join(workspaceRoot, 'docs/fidelity.md'), fidelityPage(await comparisons()))
