/* The Multiboot header and the first instructions (Multiboot 0.6.96, 3.1, 3.2): 32 bits, flat, no paging, no stack. */
#include "layout.h"

  .section .multiboot, "a"
  .balign 4
  .long 0x1badb002
  .long 3                       /* modules on pages, memory sizes */
  .long -(0x1badb002 + 3)

  .section .boot.text, "ax"
  .globl start
start:
  cli
  cld
  movl $boot_stack_top, %esp
  pushl %ebx
  pushl %eax
  call boot                     /* boot.c: turns paging on, returns what it found out */
  addl $8, %esp
  movl $high, %ecx
  jmp *%ecx

  .text
high:
  movl $(start_stack_top), %esp
  addl $KERNEL_BASE, %eax
  pushl %eax
  call machine_start

  .section .boot.bss, "aw", @nobits
  .balign 16
  .space 1024
boot_stack_top:

  .bss
  .balign 16
  .space 4096
start_stack_top:

  .section .note.GNU-stack, "", @progbits
