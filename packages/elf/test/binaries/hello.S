/* A program that writes "hello" and ends with 0. `make` beside it builds the binaries that the tests read. */
#ifdef __x86_64__
#define WRITE mov $1, %eax; mov $1, %edi; lea text(%rip), %rsi; mov $6, %edx; syscall
#define EXIT mov $60, %eax; xor %edi, %edi; syscall
#else
#define WRITE mov $4, %eax; mov $1, %ebx; mov $text, %ecx; mov $6, %edx; int $0x80
#define EXIT mov $1, %eax; xor %ebx, %ebx; int $0x80
#endif
        .globl _start
        .type _start, @function
_start: WRITE
        EXIT
        .size _start, . - _start
        .section .rodata
        .type text, @object
text:   .ascii "hello\n"
        .size text, 6
        .bss
        .globl room
        .type room, @object
        .size room, 5000
room:   .skip 5000
        .section .note.vmexit, "a", @note
        .balign 4
        .long 7, 4, 1
        .asciz "vmexit"
        .byte 0
        .long 42
        .section .note.GNU-stack, "", @progbits
