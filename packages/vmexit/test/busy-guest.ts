/**
 * A small guest that does a little of everything that a VMM has to do with: real mode, REP OUTSB, protected mode, paging with a page
 * fault, CPUID, timer interrupts, INVLPG, HLT, and soft-off. It prints `real f12345` and a line end.
 */
import { raw } from '../src/index.ts'

/*
_start: cli; xor ax,ax; mov ds,ax; mov es,ax; mov ss,ax; mov sp,7000h
        mov si,text; mov cx,5; mov dx,3f8h; cld; rep outsb
        vectors of the 8259 from 20h on; only the timer is not masked
        lgdt [gdtr]; lidt [idtr]; mov eax,cr0; or al,1; mov cr0,eax; jmp 8:pm
pm:     mov ax,10h; mov ds,ax; mov es,ax; mov ss,ax; mov esp,7000h
        gates of #PF and of vector 20h at 8000h; directory at 9000h, table at 0a000h: 1 MiB one to one but for page 40h
        mov cr3,9000h; mov cr0,… (paging)
        mov byte [7100h],0
        mov dword [40010h],12345678h        ; faults
        xor eax,eax; cpuid
        timer in mode 2, every 1193 ticks
        sti
wait:   hlt
        mov ecx,500
work:   add [40020h],ecx; invlpg [40000h]; loop work
        cmp byte [7100h],5; jb wait
        cli; mov al,10; mov dx,3f8h; out dx,al
        cmp dword [40010h],12345678h; jne bad
        mov dx,604h; mov ax,2000h; out dx,ax
bad:    hlt
fault:  mov dword [0a100h],50003h; print 'f'; add esp,4; iretd
tick:   inc byte [7100h]; print '0' + [7100h]; mov al,20h; out 20h,al; iretd
*/
const code = `
fa31c08ed88ec08ed0bc0070be847db90500baf803fcf36eb011e620b020e621b004e621b001e621b0fee6210f0116787d0f011e7e7d0f20c00c010f
22c066ea467c0000080066b810008ed88ec08ed0bc00700000bf70800000b8277d0000e8ac000000bf00810000b8407d0000e89d000000bf00a00000
b803000000b900010000ab0500100000e2f8c70500a1000000000000c7050090000003a00000b8009000000f22d80f20c00d000000800f22c0c60500
71000000c705100004007856341231c00fa2b034e643b0a9e640b004e640fbf4b9f4010000010d200004000f013d00000400e2f1803d007100000572
e2fab00a66baf803eea1100004003d78563412750a66ba040666b8002066eff466890766c74702080066c74704008ec1e81066894706c35052c70500
a1000003000500b06666baf803ee5a5883c404cf5052fe0500710000a000710000043066baf803eeb020e6205a58cf8d742600900000000000000000
ffff0000009acf00ffff00000092cf001700607d00000701008000007265616c20`

/** What it prints. */
export const said = 'real f12345\n'

/** Options of a PC that boots it. */
export const busyGuest = {
  memory: '2 MiB',
  frequency: 10_000_000,
  display: 'none',
  loader: raw({
    image: Uint8Array.from(code.match(/[0-9a-f]{2}/g)!, (pair) => Number.parseInt(pair, 16)),
    address: 0x7c00,
    mode: 'real',
  }),
} as const
