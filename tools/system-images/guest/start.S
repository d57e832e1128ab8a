/* Reset, entry to a test's context, and the stubs that every vector leads to. */
#include "layout.h"

  .section .reset, "ax"
  .code16
  .globl reset
reset:
  cli
  jmp start16

  .section .text.start, "ax"
  .code16
start16:
  xorw %ax, %ax
  movw %ax, %ds
  movb $2, %al          /* A20 */
  outb %al, $0x92
  movb $0xff, %al       /* no interrupts from the 8259s */
  outb %al, $0x21
  outb %al, $0xa1
  lgdtl %cs:boot_gdtr_offset
  movl %cr0, %eax
  andl $0x9fffffff, %eax
  orl $1, %eax
  movl %eax, %cr0
  ljmpl $DRIVER_CODE, $(start32 + 0xfffe0000)
  .code32
start32:
  movl $DRIVER_DATA, %eax
  movl %eax, %ds
  movl %eax, %es
  movl %eax, %ss
  cld
  movl $0xffff0000, %esi
  movl $0x10000, %edi
  movl $0x4000, %ecx
  rep movsl
  movl $0x20000, %edi
  movl $0x4000, %ecx
  xorl %eax, %eax
  rep stosl
  movl $driver_stack_top, %esp
  movl $1f, %eax
  jmp *%eax
1:call run
  .globl boot_gdtr
  .balign 8
boot_gdt:
  .quad 0
  .quad 0x00cf9b000000ffff
  .quad 0x00cf93000000ffff
boot_gdtr:
  .word 23
  .long boot_gdt + 0xfffe0000

  .text
/* void enter(void): go to the context whose registers are in `in` and whose launch stack `launch` names: DS, EIP, CS,
   EFLAGS and what IRET takes beyond. Returns after the next event, with everything about it in `out`. */
  .globl enter
enter:
  pushal
  pushfl
  movl %esp, driver_esp
  movw in_es, %es
  movw in_fs, %fs
  movw in_gs, %gs
  movl in_ecx, %ecx
  movl in_edx, %edx
  movl in_ebx, %ebx
  movl in_ebp, %ebp
  movl in_esi, %esi
  movl in_edi, %edi
  movl in_eax, %eax
  lssl launch, %esp
  popl %ds
  iretl

/* Every vector: its number, then what it found. */
  .globl common
common:
  pushl %cs
  ljmp $DRIVER_CODE, $arrive
arrive:
  pushfl
  pushl %ds
  pushl %eax
  movw $DRIVER_DATA, %ax
  movw %ax, %ds
  popl out_eax
  popl out_ds
  popl out_eflags
  popl out_cs
  popl out_vector
  movl %esp, out_esp
  movw %ss, out_ss
  movw %es, out_es
  movw %fs, out_fs
  movw %gs, out_gs
  movl %ecx, out_ecx
  movl %edx, out_edx
  movl %ebx, out_ebx
  movl %ebp, out_ebp
  movl %esi, out_esi
  movl %edi, out_edi
  str out_tr
  sldt out_ldtr
  movl %cr0, %eax
  movl %eax, out_cr0
  movl %cr2, %eax
  movl %eax, out_cr2
  movl %cr3, %eax
  movl %eax, out_cr3
  movl %dr6, %eax
  movl %eax, out_dr6
  movl %dr7, %eax
  movl %eax, out_dr7
  xorl %eax, %eax
  movl %eax, %dr7
  movw $DRIVER_DATA, %ax
  movw %ax, %ss
  movl driver_esp, %esp
  movw %ax, %es
  xorl %eax, %eax
  movw %ax, %fs
  movw %ax, %gs
  popfl
  popal
  ret

/* stubs: 256 of STUB_BYTES for the vectors; task_stubs: 16 more, numbered from 0x100 on, for tasks; stub16: 0x1ff, in
   16-bit code. They run at any base of CS that makes their distance to `common` the same. */
  .globl stubs, task_stubs, stub16
  .balign 16
stubs:
  .set n, 0
  .rept 256
  .balign 16
  pushl $n
  .byte 0xe9
  .long common - . - 4
  .set n, n + 1
  .endr
task_stubs:
  .rept 16
  .balign 16
  pushl $n
  .byte 0xe9
  .long common - . - 4
  .set n, n + 1
  .endr
stub16:
  .code16
  pushl $0x1ff
  pushl %cs
  ljmpl $DRIVER_CODE, $arrive
  .code32

  .macro variable name, bytes=4
  .globl \name
  .comm \name, \bytes, 4
  .endm
  .irp r, eax, ecx, edx, ebx, esp, ebp, esi, edi, eip, eflags, es, cs, ss, ds, fs, gs
  variable in_\r
  variable out_\r
  .endr
  .irp r, vector, tr, ldtr, cr0, cr2, cr3, dr6, dr7
  variable out_\r
  .endr
  variable driver_esp
  variable launch, 8

  .bss
  .balign 16
  .space 0x1000
driver_stack_top:

  .section .note.GNU-stack, "", @progbits
