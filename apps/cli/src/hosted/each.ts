/** The same for several instances: what fails for one is told, and the others have their turn. */
import { isVmexitError } from '@vmexit/core'
import { type Found, StateDirectory } from './state-directory.ts'

/** Does it for each. Unless `say` is false, prints the words of those for which it was done, as Docker does. */
export async function eachOf(
  words: readonly string[],
  act: (found: Found) => Promise<void>,
  { say = true }: { readonly say?: boolean } = {},
): Promise<void> {
  const state = new StateDirectory()
  for (const word of words) {
    try {
      await act(state.find(word))
      if (say) process.stdout.write(`${word}\n`)
    } catch (error) {
      if (!isVmexitError(error)) throw error
      process.stderr.write(`vmexit: ${error.message}\n`)
      process.exitCode = 1
    }
  }
}
