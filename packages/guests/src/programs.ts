/** The workload programs: static i386 Linux programs of a few kilobytes, whose sources are in `programs`. */
import { VmexitError } from '@vmexit/core'
import { images } from './programs.generated.ts'

/** The programs by name, which are also the names of their files. */
export type ProgramName =
  | 'syscall'
  | 'in'
  | 'cpuid'
  | 'callret'
  | 'pgfault'
  | 'divzero'
  | 'ptemod'
  | 'switch'
  | 'fork'
  | 'exec'
  | 'mmap'
  | 'random'
  | 'integer'
  | 'float'
  | 'copy'
  | 'files'

/** A program, and what it is for. */
export interface Program {
  readonly name: ProgramName
  /** For the row of a table: `Null system call`. */
  readonly title: string
  /** What it measures, in a sentence. */
  readonly measures: string
  /** What is done in one repetition, in a few words. */
  readonly unit: string
  /** Repetitions if its first argument does not say how many. */
  readonly defaultCount: number
  /** The checksum that it prints at {@link defaultCount}, on every kernel and every CPU. */
  readonly checksum: string
}

/** All programs, in the order in which init runs them unless it is told which. */
export const programs: readonly Program[] = [
  {
    name: 'syscall',
    title: 'Null system call',
    measures: 'The way into the kernel and out of it, by INT 80h.',
    unit: 'one getppid',
    defaultCount: 10_000,
    checksum: '00007530',
  },
  {
    name: 'in',
    title: 'Port read',
    measures: 'An instruction that a hypervisor must stand in for. The kernel must grant iopl.',
    unit: 'one IN from port 80h',
    defaultCount: 10_000,
    checksum: '00007530',
  },
  {
    name: 'cpuid',
    title: 'CPUID',
    measures: 'One exit, under VT-x, and no more.',
    unit: 'one CPUID of leaf 0',
    defaultCount: 10_000,
    checksum: '00007530',
  },
  {
    name: 'callret',
    title: 'Calls and returns',
    measures: 'Control flow whose targets a translator does not know beforehand.',
    unit: 'a direct and an indirect call, two returns',
    defaultCount: 100_000,
    checksum: 'd1203b0d',
  },
  {
    name: 'pgfault',
    title: 'Page fault',
    measures: "A page fault that is the guest's own, its signal, and the return from it.",
    unit: 'one fault of a read from a PROT_NONE page',
    defaultCount: 1000,
    checksum: '00000bb8',
  },
  {
    name: 'divzero',
    title: 'Division by zero',
    measures: 'A fault that has to do with no memory, its signal, and the return from it.',
    unit: 'one #DE',
    defaultCount: 1000,
    checksum: '00000bb8',
  },
  {
    name: 'ptemod',
    title: 'Page-table change',
    measures: 'A store to a page-table entry that is in use, without a fault.',
    unit: 'one mprotect of a touched page',
    defaultCount: 1000,
    checksum: '00000bb8',
  },
  {
    name: 'switch',
    title: 'Context switch',
    measures: 'Two processes that wake each other through pipes.',
    unit: 'one round trip: two switches',
    defaultCount: 1000,
    checksum: '0005b97c',
  },
  {
    name: 'fork',
    title: 'fork, exit, wait',
    measures: 'An address space that is copied and torn down.',
    unit: 'one child',
    defaultCount: 100,
    checksum: '00002212',
  },
  {
    name: 'exec',
    title: 'fork, exec, exit, wait',
    measures: 'A program that is loaded and started.',
    unit: 'one child that begins the program anew',
    defaultCount: 100,
    checksum: '0000012c',
  },
  {
    name: 'mmap',
    title: 'Fresh memory',
    measures: 'Page tables that grow by faults, and shrink.',
    unit: 'mmap, a touch of each of 16 pages, munmap',
    defaultCount: 100,
    checksum: '00069dc0',
  },
  {
    name: 'random',
    title: 'Random access',
    measures: 'Misses of the TLB: what a page walk costs.',
    unit: 'one read somewhere in 32 MiB',
    defaultCount: 100_000,
    checksum: '36c16947',
  },
  {
    name: 'integer',
    title: 'Integer arithmetic',
    measures: 'A CPU that is left alone.',
    unit: '64 bytes made, sorted and summed up by CRC-32',
    defaultCount: 1000,
    checksum: 'e8ba6836',
  },
  {
    name: 'float',
    title: 'Floating point',
    measures: 'An x87 unit that is left alone.',
    unit: 'a product of two 8 × 8 matrices, and a square root',
    defaultCount: 1000,
    checksum: 'edf50585',
  },
  {
    name: 'copy',
    title: 'Memory copy',
    measures: 'The way to memory and back.',
    unit: '64 KiB by REP MOVSD',
    defaultCount: 100,
    checksum: '4b0e7924',
  },
  {
    name: 'files',
    title: 'Small files',
    measures: 'The file system of the current directory.',
    unit: 'a file of 1 KiB created, written, read, removed',
    defaultCount: 100,
    checksum: '00f67c00',
  },
]

/**
 * The ELF file of a program; of `pipe`, which moves pages through the kernel; of `init`, which runs the others as the first process of a guest; of `sh`, a small shell; or of
 * `kvm`, which has Linux's /dev/kvm run a guest of twelve bytes. Each call gives a copy.
 * @throws VmexitError `program-unknown`.
 */
export function readProgram(name: ProgramName | 'pipe' | 'init' | 'sh' | 'kvm'): Uint8Array<ArrayBuffer> {
  const image = Object.hasOwn(images, name) ? images[name] : undefined
  if (image === undefined) {
    throw new VmexitError('program-unknown', {
      problem: `there is no program '${name}'`,
      remedy: `take one of ${Object.keys(images).join(', ')}`,
    })
  }
  return Uint8Array.from(atob(image), (character) => character.charCodeAt(0))
}
