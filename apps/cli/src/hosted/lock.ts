/**
 * Whose the folder of an instance is: of the process that runs it, or of one that changes what is kept of it while nothing runs. A process
 * that is gone holds nothing.
 */
import { join } from 'node:path'
import { VmexitError } from '@vmexit/core'
import { takeLock } from '@vmexit/image/node'

/** Milliseconds that whoever has ended, or looks something up, may take. */
const PATIENCE = 10_000

/** Takes it; what is answered gives it back. Throws a {@link VmexitError} `instance-busy`. */
export async function holdFolder(folder: string): Promise<Disposable> {
  let owner = 'another process'
  try {
    const giveBack = await takeLock(join(folder, 'lock'), {
      signal: AbortSignal.timeout(PATIENCE),
      waiting: (by) => {
        owner = by
      },
    })
    return { [Symbol.dispose]: giveBack }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new VmexitError('instance-unknown', { problem: `${folder} is gone`, remedy: 'see `vmexit ps -a`' })
    if (!(error instanceof DOMException || (error as Error).name === 'AbortError')) throw error
    throw new VmexitError('instance-busy', {
      problem: `${owner} uses ${folder}`,
      remedy: 'wait until it has done what it does, and try again',
    })
  }
}
