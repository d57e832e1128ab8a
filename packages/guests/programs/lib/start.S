/* Where a program begins, and what C cannot say: a system call of six arguments, the return from a signal. */

/* The stack holds argc, argv[], 0, envp[], 0, … (System V ABI, i386 supplement, "Process Initialization"). */
.globl _start
_start:
  xorl %ebp, %ebp
  movl (%esp), %eax
  leal 4(%esp), %edx
  andl $-16, %esp
  subl $8, %esp
  pushl %edx
  pushl %eax
  call main
  movl %eax, %ebx
  movl $252, %eax /* exit_group */
  int $0x80

/* i32 call6(u32 number, u32 a, u32 b, u32 c, u32 d, u32 e, u32 f): EBP is an argument. */
.globl call6
call6:
  pushl %ebp
  pushl %ebx
  pushl %esi
  pushl %edi
  movl 20(%esp), %eax
  movl 24(%esp), %ebx
  movl 28(%esp), %ecx
  movl 32(%esp), %edx
  movl 36(%esp), %esi
  movl 40(%esp), %edi
  movl 44(%esp), %ebp
  int $0x80
  popl %edi
  popl %esi
  popl %ebx
  popl %ebp
  ret

/* Where a signal handler returns to; the frame that the kernel made lies on the stack. */
.globl return_from_signal
return_from_signal:
  movl $173, %eax /* rt_sigreturn */
  int $0x80

.section .note.GNU-stack, "", @progbits
