/** An initramfs with nothing in it but the workload programs. */
import { type CpioEntry, writeCpio } from '@vmexit/boot'
import { type ProgramName, programs, readProgram } from './programs.ts'

/** What goes into an initramfs. */
export interface InitramfsOptions {
  /** The programs; all unless stated. */
  readonly programs?: readonly ProgramName[] | undefined
  /** More of one's own. A static program in `bin` is run by init like the others. */
  readonly entries?: readonly CpioEntry[] | undefined
}

/**
 * An uncompressed archive with `/init`, the programs in `/bin`, `/dev/console` and `/tmp`. What init is to run stands behind
 * `--` on the kernel's command line, as in `console=ttyS0 -- syscall fork:1000`: all programs where nothing does.
 * @throws VmexitError of `writeCpio`, for entries that it cannot take; `program-unknown`.
 */
export function workloadInitramfs(options: InitramfsOptions = {}): Uint8Array {
  const { programs: names = programs.map(({ name }) => name), entries = [] } = options
  const executable = { kind: 'file', mode: 0o755 } as const
  return writeCpio([
    { ...executable, path: 'init', bytes: readProgram('init') },
    ...names.map((name) => ({ ...executable, path: `bin/${name}`, bytes: readProgram(name) })),
    { kind: 'character', path: 'dev/console', mode: 0o600, major: 5, minor: 1 },
    { kind: 'directory', path: 'tmp', mode: 0o1777 },
    ...entries,
  ])
}
