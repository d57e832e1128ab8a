/* ESP points to argc, argv, envp (System V ABI, i386, "Process Initialization"). */
  .globl _start, restore_info, restore_plain
_start:
  movl (%esp), %eax
  leal 4(%esp), %edx
  leal 8(%esp,%eax,4), %ecx
  xorl %ebp, %ebp
  pushl %ecx
  pushl %edx
  pushl %eax
  call main
  movl %eax, %ebx
  movl $1, %eax
  int $0x80

/* What SA_RESTORER names. */
restore_info:
  movl $173, %eax
  int $0x80
restore_plain:
  popl %eax
  movl $119, %eax
  int $0x80

  .section .note.GNU-stack, "", @progbits
