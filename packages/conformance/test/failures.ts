/** What a suite says of a part that is broken on purpose. */
import { isVmexitError, type RegisterFile, type Width } from '@vmexit/core'
import { ConformanceError, type ConformanceTest } from '../src/index.ts'

/** The names of the tests that fail, without the suite's. Throws what is no {@link ConformanceError}. */
export function failures(suite: readonly ConformanceTest[]): string[] {
  return suite.flatMap(({ name, section, run }) => {
    try {
      run()
      return []
    } catch (error) {
      if (!(error instanceof ConformanceError) || !isVmexitError(error, 'not-conforming')) throw error
      if (error.section !== section || !error.message.includes(section)) throw error
      return [name.slice(name.indexOf(': ') + 2)]
    }
  })
}

/** Registers, some of whose reads or writes are others. What a change gives undefined for is as before. */
export function changed(
  registers: RegisterFile,
  change: {
    readonly read?: (offset: number, value: number, width: Width) => number | undefined
    /** The value that is written; null for none. */
    readonly write?: (offset: number, value: number, width: Width) => number | null | undefined
  },
): RegisterFile {
  return {
    ...registers,
    read(offset, width) {
      const value = registers.read(offset, width)
      return change.read?.(offset, value, width) ?? value
    },
    write(offset, width, value) {
      const written = change.write?.(offset, value, width)
      if (written !== null) registers.write(offset, width, written ?? value)
    },
  }
}
