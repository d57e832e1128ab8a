/* Ways into the kernel and out of it (SDM vol. 3A, 6.12 and 6.13), and what may fault on a program's behalf. */
#include "layout.h"

  .text
/* One stub a vector. Some exceptions push an error code; the others get a 0, so that all frames are alike. */
  .globl stubs
  .balign STUB_BYTES
stubs:
  .set n, 0
  .rept VECTORS
  .balign STUB_BYTES
  .if !(n == 8 || (n >= 10 && n <= 14) || n == 17)
  pushl $0
  .endif
  pushl $n
  jmp enter
  .set n, n + 1
  .endr

  .globl system_call_stub
  .balign 16
system_call_stub:
  pushl %eax                    /* for calls that begin again after a signal */
  pushl $VECTOR_SYSTEM_CALL

enter:
  pushal
  pushl %ds
  pushl %es
  pushl %fs
  pushl %gs
  movl $KERNEL_DATA, %eax
  movl %eax, %ds
  movl %eax, %es
  cld
  pushl %esp
  call trap
  addl $4, %esp

/* Programs choose what is loaded here, and it may not be loadable: trap.c knows these places. */
  .globl return_to_frame, restore_gs, restore_fs, restore_es, restore_ds, restore_all
return_to_frame:
restore_gs:
  popl %gs
restore_fs:
  popl %fs
restore_es:
  popl %es
restore_ds:
  popl %ds
  popal
  addl $8, %esp
restore_all:
  iretl

/* void switch_stack(u32 *save, u32 load): to a context that left by this function, or return_to_frame. */
  .globl switch_stack
switch_stack:
  movl 4(%esp), %eax
  movl 8(%esp), %edx
  pushl %ebp
  pushl %ebx
  pushl %esi
  pushl %edi
  movl %esp, (%eax)
  movl %edx, %esp
  popl %edi
  popl %esi
  popl %ebx
  popl %ebp
  ret

/* u32 user_copy(void *to, const void *from, u32 bytes): words, then bytes. A word that faults is tried again by bytes,
   so that all that can be copied is. */
  .globl user_copy, user_copy_words, user_copy_bytes, user_copy_slow, user_copy_done
user_copy:
  pushl %edi
  pushl %esi
  movl 12(%esp), %edi
  movl 16(%esp), %esi
  movl 20(%esp), %ecx
  movl %ecx, %edx
  andl $3, %edx
  shrl $2, %ecx
user_copy_words:
  rep movsl
user_copy_slow:
  leal (%edx,%ecx,4), %ecx
user_copy_bytes:
  rep movsb
user_copy_done:
  movl %ecx, %eax
  popl %esi
  popl %edi
  ret

  .section .note.GNU-stack, "", @progbits
