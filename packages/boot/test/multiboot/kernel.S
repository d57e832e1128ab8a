/* Multiboot header and entry of the kernel that the tests boot; see kernel.c. */
        .section .multiboot, "a"
        .balign 4
        .long 0x1badb002, FLAGS, -(0x1badb002 + FLAGS)
#if FLAGS & 0x10000
        .long 0x100000, 0x100000, load_end, bss_end, start
#else
        .long 0, 0, 0, 0, 0
#endif
        .long 1, 80, 25, 0
        .text
        .globl start
start:  mov $stack_end, %esp
        push %ebx
        push %eax
        /* Segments are loaded anew from the table that the loader left. */
        mov %ds, %cx
        mov %cx, %es
        mov %cx, %ss
        push %cs
        push $1f
        lret
1:      cld
        call kernel
2:      hlt
        jmp 2b
        .bss
        .skip 4096
stack_end:
        .section .note.GNU-stack, "", @progbits
