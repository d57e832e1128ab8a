/** Small programs in real mode, as bytes at 0x7c00, and the PC that runs one. */
import { createPc, type Pc, type PcHardware, type PcTechnique, raw } from '../src/index.ts'

const bytes = (hex: string): number[] =>
  hex
    .replace(/\s/g, '')
    .match(/../g)!
    .map((pair) => Number.parseInt(pair, 16))

/** Prints `text` on the serial port and ends the run with exit code 15. */
export const print = (text: string): number[] => [
  // mov si,7c20h; mov dx,3f8h; L: lodsb; test al,al; jz E; out dx,al; jmp L; E: mov al,7; out 0f4h,al; hlt
  ...bytes('be 20 7c  ba f8 03  ac  84 c0  74 03  ee  eb f8  b0 07  e6 f4  f4').concat(Array(32).fill(0)).slice(0, 32),
  ...new TextEncoder().encode(`${text}\0`),
]

/** Sends back each character that comes; ends after a `q`. */
export const echo: number[] = bytes(
  // S: mov dx,3fdh; L: in al,dx; test al,1; jz L; mov dx,3f8h; in al,dx; out dx,al; cmp al,'q'; jne S; exit 0
  'ba fd 03  ec  a8 01  74 fb  ba f8 03  ec  ee  3c 71  75 ef  b0 00  e6 f4  f4',
)

/** cli; hlt */
export const halt: number[] = bytes('fa f4')

/** sti; hlt, with no interrupt that would come. */
export const wait: number[] = bytes('b0 ff e6 21 e6 a1  fb  f4')

/** lidt [7c10h], whose limit is 0; int3 */
export const tripleFault: number[] = bytes('0f 01 1e 10 7c  cc').concat(Array(16).fill(0))

/** L: inc word [9000h]; jmp L */
export const count: number[] = bytes('ff 06 00 90  eb fa')

/** Counts its starts at 9000h, resets the machine twice by the keyboard controller, and then exits with 5. */
export const reset: number[] = bytes('fe 06 00 90  80 3e 00 90 03  73 05  b0 fe  e6 64  f4  b0 02  e6 f4  f4')

/** Prints what the timer says, 200 times, and exits with 1: whoever lets time go by elsewhere than in the guest is seen. */
export const readTimer: number[] = bytes(
  // mov al,34h; out 43h,al; xor ax,ax; out 40h,al; out 40h,al; mov cx,200; mov dx,3f8h
  'b0 34 e6 43  31 c0  e6 40  e6 40  b9 c8 00  ba f8 03' +
    // L: mov al,0; out 43h,al; in al,40h; out dx,al; in al,40h; out dx,al; loop L; mov al,0; out 0f4h,al; hlt
    'b0 00 e6 43  e4 40 ee  e4 40 ee  e2 f4  b0 00 e6 f4  f4',
)

/** In flat mode: mov edi,100000h; L: inc dword [edi]; add edi,4096; jmp L: a page more, and a page more. */
export const hog: number[] = bytes('bf 00 00 10 00  ff 07  81 c7 00 10 00 00  eb f6')

/**
 * In flat mode at 10000h: steps singly over what a VMM executes for its guest, and prints how often and where it was trapped: a byte for the
 * count, one for the sum of the addresses. Ends with exit code 1.
 */
export const steps: number[] = bytes(
  // mov esp,20000h; lgdt [100a0h]; lidt [100a8h]; jmp 8:1001ah
  'bc 00 00 02 00  0f 01 15 a0 00 01 00  0f 01 1d a8 00 01 00  ea 1a 00 01 00 08 00' +
    // pushfd; or dword [esp],100h; popfd; cpuid; in al,61h; out 80h,al; mov ecx,10h; rdmsr
    '9c  81 0c 24 00 01 00 00  9d  0f a2  e4 61  e6 80  b9 10 00 00 00  0f 32' +
    // mov eax,cr0; mov cr0,eax; mov eax,cr3; mov cr3,eax; hlt; wbinvd; mov eax,[150000h]; mov [151000h],eax; pushfd; and dword [esp],0fffffeffh; popfd
    '0f 20 c0  0f 22 c0  0f 20 d8  0f 22 d8  f4  0f 09  a1 00 00 15 00  a3 00 10 15 00  9c  81 24 24 ff fe ff ff  9d' +
    // mov dx,3f8h; mov al,[600h]; out dx,al; mov al,[604h]; out dx,al; mov al,0; out 0f4h,al; hlt
    '66 ba f8 03  a0 00 06 00 00  ee  a0 04 06 00 00  ee  b0 00  e6 f4  f4',
)
  .concat(Array(128).fill(0x90))
  .slice(0, 0x80)
  .concat(
    // push eax; mov eax,[esp+4]; add [604h],eax; pop eax; inc dword [600h]; iret
    bytes('50  8b 44 24 04  01 05 04 06 00 00  58  ff 05 00 06 00 00  cf').concat(Array(32).fill(0)).slice(0, 32),
    // Limits and bases of GDT and IDT; segments: none, code; vectors: none, 1
    bytes('0f 00 b0 00 01 00 00 00  0f 00 c0 00 01 00 00 00  00 00 00 00 00 00 00 00  ff ff 00 00 00 9b cf 00'),
    bytes('00 00 00 00 00 00 00 00  80 00 08 00 00 8e 01 00'),
  )

/** In flat mode: prints what is at 500h and at 100500h, the A20 gate open, closed, opened by port 92h, and closed by it. Exits with 1. */
export const wrap: number[] = bytes(
  // mov dx,3f8h; mov byte [500h],'a'; mov byte [100500h],'b'; [500h]
  '66 ba f8 03  c6 05 00 05 00 00 61  c6 05 00 05 10 00 62  a0 00 05 00 00 ee' +
    // mov al,0ddh; out 64h,al; [100500h]; mov byte [100500h],'c'; [500h]
    'b0 dd e6 64  a0 00 05 10 00 ee  c6 05 00 05 10 00 63  a0 00 05 00 00 ee' +
    // mov al,2; out 92h,al; [100500h]; mov al,0; out 92h,al; [100500h]; out 0f4h,al; hlt
    'b0 02 e6 92  a0 00 05 10 00 ee  b0 00 e6 92  a0 00 05 10 00 ee  b0 00 e6 f4  f4',
)

/** In flat mode at 10000h: sends itself an NMI by its local APIC, whose handler prints `n`; then prints `.` and exits with 1. */
export const nmi: number[] = bytes(
  // mov esp,20000h; lgdt [10060h]; lidt [10068h]; jmp 8:1001ah
  'bc 00 00 02 00  0f 01 15 60 00 01 00  0f 01 1d 68 00 01 00  ea 1a 00 01 00 08 00' +
    // mov dword [0fee000f0h],1ffh; mov dword [0fee00300h],400h; mov al,'.'; mov dx,3f8h; out dx,al; mov al,0; out 0f4h,al; hlt
    'c7 05 f0 00 e0 fe ff 01 00 00  c7 05 00 03 e0 fe 00 04 00 00  b0 2e  66 ba f8 03  ee  b0 00  e6 f4  f4',
)
  .concat(Array(64).fill(0x90))
  .slice(0, 0x40)
  .concat(
    // push eax; mov al,'n'; mov dx,3f8h; out dx,al; pop eax; iret
    bytes('50  b0 6e  66 ba f8 03  ee  58  cf').concat(Array(32).fill(0)).slice(0, 32),
    // Limits and bases of GDT and IDT; segments: none, code; vectors: none, none, 2
    bytes('0f 00 70 00 01 00 00 00  17 00 80 00 01 00 00 00  00 00 00 00 00 00 00 00  ff ff 00 00 00 9b cf 00'),
    bytes('00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  40 00 08 00 00 8e 01 00'),
  )

/** A PC that runs a program. */
export function pcOf(program: readonly number[], hardware: PcHardware & PcTechnique = {}): Promise<Pc> {
  const image = Uint8Array.from(program)
  return createPc({ memory: '2 MiB', loader: raw({ image, address: 0x7c00, mode: 'real' }), ...hardware })
}
