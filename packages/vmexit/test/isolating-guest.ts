/**
 * A guest with page-table isolation, as kernels have it against Meltdown: programs run on tables that map the kernel's entry alone, and a system
 * call loads CR3 when it comes and when it goes. What the kernel does then, to count, is in a page that programs' tables do not have.
 *
 * Assembled from (AT&T syntax, at 7c00h, in 32-bit protected mode):
 *
 *     GDT with flat segments of rings 0 and 3 and a TSS; IDT with gates 80h and 81h for ring 3
 *     kernel's directory at 10000h: 4 MiB pages at 0, for user and kernel, and at 400000h, for the kernel
 *     user's directory at 11000h: the first of them
 *     ring 3:       mov $CALLS, %ecx;  2: int $0x80;  loop 2b;  int $0x81
 *     system call:  push %eax;  mov %cs:KERNEL, %eax;  mov %eax, %cr3;  incl %ss:0x400000;  mov %cs:USER, %eax;  mov %eax, %cr3;  pop %eax;  iret
 *     end:          the kernel's CR3;  mov %ss:0x400000, %ebx;  movb $0, %al;  outb %al, $0xf4;  hlt
 *
 * `KERNEL` and `USER` are words in memory; or, as in Linux on i386, each is CR3 with bit 12 cleared or set, so that CR3 is read as well.
 */
import { type LoaderBoot, type PcHardware, raw } from '../src/index.ts'

const STORED = `
  bc009000000f0115087d0000ea137c0000080066b810008ed88ec08ed00f011d0e7d0000c7050420010000980000c7050820010010000000
  66b828000f00d8c7050000010087000000c7050400010083004000c70500100100870000000f20e083c8100f22e0a1ce7c00000f22d80f20
  c00d010000800f22c06a236800a000006a026a1b68927c0000a1d27c00000f22d8cfb9e8030000cd80e2fccd81502ea1ce7c00000f22d836
  ff05000040002ea1d27c00000f22d858cf2ea1ce7c00000f22d8368b1d00004000b000e6f4f4000001000010010066900000000000000000
  ffff0000009acf00ffff00000092cf00ffff000000facf00ffff000000f2cf0067000020018900002f00d87c00000f04187900008d742600
  9d7c080000ee0000b97c080000ee0000
`
const READ = `
  bc009000000f0115107d0000ea137c0000080066b810008ed88ec08ed00f011d167d0000c7050420010000980000c7050820010010000000
  66b828000f00d8c7050000010087000000c7050400010083004000c70500100100870000000f20e083c8100f22e0a1d27c00000f22d80f20
  c00d010000800f22c06a236800a000006a026a1b68927c0000a1d67c00000f22d8cfb9e8030000cd80e2fccd81500f20d825ffefffff0f22
  d836ff05000040000f20d80d001000000f22d858cf2ea1d27c00000f22d8368b1d00004000b000e6f4f400000100001001008db600000000
  0000000000000000ffff0000009acf00ffff00000092cf00ffff000000facf00ffff000000f2cf0067000020018900002f00e07c00000f04
  207900008d7426009d7c080000ee0000bd7c080000ee0000
`
/** Where the number of calls stands. */
const CALLS_AT = 0x93

/** The guest, which makes so many system calls and has their number in EBX at its end. */
export function isolatingGuest(calls: number, reads: boolean): PcHardware & LoaderBoot {
  const hex = (reads ? READ : STORED).replace(/\s/g, '')
  const image = Uint8Array.from(hex.match(/../g)!, (pair) => Number.parseInt(pair, 16))
  new DataView(image.buffer).setUint32(CALLS_AT, calls, true)
  return { memory: '8 MiB', display: 'none', loader: raw({ image, address: 0x7c00, mode: 'flat' }) }
}
