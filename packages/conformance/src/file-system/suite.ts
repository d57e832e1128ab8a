/** The suite of file systems: the contract of `FileSystem` in `@vmexit/vfs`, bad input, and random sequences. */
import type { ConformanceTest } from '../suite.ts'
import { defineSuite } from '../suite.ts'
import { attributeTests } from './attributes.ts'
import { badInputTests, fullTests } from './bad-input.ts'
import { dataTests } from './data.ts'
import { directoryTests } from './directories.ts'
import { entryTests } from './entries.ts'
import { type RandomSequences, randomTests } from './random-operations.ts'
import { FileSystemSubject, type LimitedFileSystemFactory } from './subject.ts'

/** What is known of a kind of file systems. */
export interface FileSystemConformanceOptions {
  /** Entries of the large directory: a million unless stated. */
  readonly manyEntries?: number
  /** Random sequences: 40 of 500 operations unless stated. */
  readonly random?: RandomSequences
  /** Whether the factory minds limits; without, tests of full file systems are left out. True unless stated. */
  readonly limits?: boolean
}

/** Tests for any file system. Each makes its own; the factory's answer is empty. */
export function fileSystemConformance(
  make: LimitedFileSystemFactory,
  options: FileSystemConformanceOptions = {},
): readonly ConformanceTest[] {
  const { manyEntries = 1_000_000, random = { sequences: 40, operations: 500 }, limits = true } = options
  return defineSuite<FileSystemSubject>({
    name: 'file system',
    manual: 'FileSystem in @vmexit/vfs',
    make: () => new FileSystemSubject(make),
    tests: [
      ...entryTests,
      ...dataTests,
      ...attributeTests,
      ...directoryTests(manyEntries),
      ...badInputTests,
      ...(limits ? fullTests : []),
      ...randomTests(random),
    ],
  })
}
