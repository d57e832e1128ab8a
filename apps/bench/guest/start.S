/*
 * The ROM: from the reset vector through real mode to 32-bit protected mode with paging. The kernels are copied to RAM
 * at 1 MB. Everything before that lies at F000:0000, the last 64 KB below 1 MB and below 4 GB alike.
 */
        .code16
        .section .rom, "ax"
rom:
begin:
        cli
        cld
        movw    %cs, %ax
        movw    %ax, %ds
        lgdtl   gdt_register - rom
        movl    %cr0, %eax
        orl     $1, %eax
        movl    %eax, %cr0
        ljmpl   $0x08, $protected

        .code32
protected:
        movw    $0x10, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movl    $stack_top, %esp
        movl    $kernels_in_rom, %esi
        movl    $kernels_start, %edi
        movl    $kernels_bytes, %ecx
        rep movsb

/* Paging: the first 16 MB one to one, in pages of 4 KB. The directory lies at 10000h, four tables behind it. */
        movl    $0x10000, %edi
        movl    $0x11003, %eax
1:      stosl
        addl    $0x1000, %eax
        cmpl    $0x15003, %eax
        jne     1b
        movl    $0x11000, %edi
        movl    $3, %eax
2:      stosl
        addl    $0x1000, %eax
        cmpl    $0x1000003, %eax
        jne     2b
        movl    $0x10000, %eax
        movl    %eax, %cr3
        movl    %cr0, %eax
        orl     $0x80010000, %eax
        movl    %eax, %cr0
        ljmpl   $0x08, $bench_main

        .balign 8
gdt:
        .quad   0
        .quad   0x00cf9b000000ffff
        .quad   0x00cf93000000ffff
gdt_register:
        .word   gdt_register - gdt - 1
        .long   gdt

        .section .reset, "ax"
        .code16
        ljmpw   $0xf000, $begin - rom

        .bss
        .balign 16
        .skip   65536
stack_top:

        .section .note.GNU-stack, "", @progbits
