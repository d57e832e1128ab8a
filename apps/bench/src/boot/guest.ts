/** What is booted, and how a boot is timed: the same for every system. */
import { readFileSync } from 'node:fs'
import { VmexitError } from '@vmexit/core'
import type { BootSystem } from './names.ts'
import type { BootOptions } from './options.ts'
import { processorTime } from './process.ts'
import { Timeline } from './timeline.ts'

/** Files of the guest, and its command line. */
export interface Guest {
  readonly kernel: string
  readonly initrd: string
  readonly append: string
}

/** The same for every system, and addresses that do not move. */
export const COMMAND_LINE = 'console=ttyS0 earlyprintk=ttyS0,115200 nokaslr mitigations=off panic=-1'
export const MEBIBYTES = 128

export function guestOf({ kernel, initrd, append, workloads }: BootOptions): Guest {
  const words = [COMMAND_LINE, append, workloads === undefined ? '' : `bench=${workloads}`]
  return { kernel, initrd, append: words.filter((word) => word !== '').join(' ') }
}

/** A file. @throws VmexitError `bench-guest` if it cannot be read. */
export function load(path: string): Buffer<ArrayBuffer> {
  try {
    return readFileSync(path)
  } catch (cause) {
    throw new VmexitError('bench-guest', {
      problem: `${path} cannot be read`,
      remedy:
        'name a folder with vmlinuz and initramfs.cpio.gz, or give --kernel and --initrd; apps/bench/README.md says what they are',
      cause,
    })
  }
}

/** A timeline that begins now. `instructions` have been retired, and `cpu` milliseconds used, when it asks. */
export function timelineOf(
  system: BootSystem,
  instructions: () => number,
  cpu: () => number = processorTime,
): Timeline {
  const began = performance.now()
  const read = () => ({ wall: performance.now() - began, cpu: cpu(), instructions: instructions() })
  return new Timeline(system, read, new Date().toISOString())
}
