/** What went wrong, as data: errors lose what is special about them on their way from a worker. */
import { isVmexitError, VmexitError } from '@vmexit/core'

/** A problem, as it is shown. */
export interface Problem {
  /** The thing and what is wrong with it. */
  readonly what: string
  readonly remedy: string
}

/** The problem that an error tells of. */
export function problemOf(error: unknown): Problem {
  if (isVmexitError(error)) return { what: error.problem, remedy: error.remedy }
  if (error instanceof WebAssembly.CompileError) {
    return {
      what: `the page may not compile WebAssembly (${error.message})`,
      remedy: "serve it with 'wasm-unsafe-eval' in the script-src of its Content-Security-Policy",
    }
  }
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  return { what, remedy: 'this should not happen: please report it, with what the console of the browser says' }
}

/** An error of the page itself. */
export function failure(problem: string, remedy: string, cause?: unknown): VmexitError {
  return new VmexitError('playground', { problem, remedy, cause })
}
