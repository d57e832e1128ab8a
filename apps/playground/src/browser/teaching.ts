/** The guest that is always there: the teaching kernel, a file of the page, and the programs of `@vmexit/guests` as its initramfs. */
import type { OfferedFiles } from '../offer.ts'
import { download, type Source } from './sources.ts'

/** A guest of the page's own. */
export const teaching: {
  readonly name: string
  readonly title: string
  readonly append: string
  readonly files: () => OfferedFiles<Source>
} = {
  name: 'teaching',
  title: 'Teaching kernel',
  append: 'teaching -- sh',
  files: () => ({ kernel: download({ name: 'teaching.elf', url: 'teaching.elf', bytes: 50_180 }), initrd: programs }),
}

/** Sixteen programs to measure with, a shell, and an init that runs what the command line names. */
const programs: Source = {
  name: 'programs',
  bytes: 0,
  async read() {
    const { readProgram, workloadInitramfs } = await import('@vmexit/guests')
    return workloadInitramfs({ entries: [{ kind: 'file', path: 'bin/sh', mode: 0o755, bytes: readProgram('sh') }] })
  },
}
