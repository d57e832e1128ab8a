/** The comparisons that assertions are judged by: one of the teaching kernel, measured anew, and one of Debian's, as it was recorded. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Comparison, compare, parseComparison, profileNamed, techniquesOn, workloads } from '@vmexit/compare'
import { readTeachingKernel } from '@vmexit/guests/node'
import { PROFILES } from './judges.ts'

/** What `vmexit compare --guest debian --json` printed: booting it under every technique takes minutes. */
const recordPath: string = fileURLToPath(new URL('../debian.json', import.meta.url))

/** Both, as far as they are there. */
export async function comparisons(): Promise<readonly Comparison[]> {
  const kernel = { name: 'teaching', image: readTeachingKernel('teaching') }
  const teaching = await compare({
    workloads,
    techniques: techniquesOn(kernel).filter(({ name }) => name !== 'software-emulation'),
    kernel,
    starts: true,
    profile: profileNamed(PROFILES.pentium4),
  })
  return existsSync(recordPath) ? [teaching, parseComparison(readFileSync(recordPath, 'utf8'), recordPath)] : [teaching]
}
