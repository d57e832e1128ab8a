/* From real mode to the kernel's C, and the entries of its interrupt gates. */
        .code16
        .section .start, "ax"
        .globl start
start:
        cli
        cld
        movw    %cs, %ax
        movw    %ax, %ds
        lgdtl   gdt_register - start
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
        movl    $kernel_stack_top, %esp
        movl    $bss_start, %edi
        movl    $bss_end, %ecx
        subl    %edi, %ecx
        xorl    %eax, %eax
        rep stosb
        call    kernel_main

/* enter_user(eip, esp): to ring 3, for good. */
        .globl enter_user
enter_user:
        movl    4(%esp), %ecx
        movl    8(%esp), %edx
        movw    $0x23, %ax
        movw    %ax, %ds
        movw    %ax, %es
        pushl   $0x23
        pushl   %edx
        pushl   $0x202
        pushl   $0x1b
        pushl   %ecx
        iretl

/* One entry per vector; those without an error code push 0 in its place. */
        .macro  entry vector
        .balign 16
        .if !(\vector == 8 || (\vector >= 10 && \vector <= 14) || \vector == 17)
        pushl   $0
        .endif
        pushl   $\vector
        jmp     trap_entry
        .endm

        .balign 16
        .globl trap_entries
trap_entries:
        .set    vector, 0
        .rept   32
        entry   vector
        .set    vector, vector + 1
        .endr
        .balign 16
        .globl system_call_entry
system_call_entry:
        pushl   $0
        pushl   $0x80
trap_entry:
        pushal
        pushl   %esp
        call    trap
        addl    $4, %esp
        popal
        addl    $8, %esp
        iretl

        .balign 8
        .globl gdt
gdt:
        .quad   0
        .quad   0x00cf9b000000ffff      /* 08: code, ring 0 */
        .quad   0x00cf93000000ffff      /* 10: data, ring 0 */
        .quad   0x00cffb000000ffff      /* 18: code, ring 3 */
        .quad   0x00cff3000000ffff      /* 20: data, ring 3 */
        .quad   0                       /* 28: TSS, filled in by the kernel */
gdt_register:
        .word   gdt_register - gdt - 1
        .long   gdt

        .bss
        .balign 16
        .skip   8192
kernel_stack_top:

        .section .note.GNU-stack, "", @progbits
