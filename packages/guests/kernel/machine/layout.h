/* Numbers that C and assembly of this folder share. */
#ifndef LAYOUT_H
#define LAYOUT_H

/* The kernel's gigabyte: physical address A is mapped at KERNEL_BASE + A in every address space. */
#define KERNEL_BASE 0xc0000000
/* As much RAM as is used: 128 MB of the gigabyte stay free. */
#define MOST_MEMORY 0x38000000

/* Selectors. Those that programs see (user code and data, the three for thread-local storage) are Linux's. */
#define TLS_FIRST 6
#define TLS_COUNT 3
#define KERNEL_CODE 0x60
#define KERNEL_DATA 0x68
#define USER_CODE 0x73
#define USER_DATA 0x7b
#define TSS_SELECTOR 0x80
#define GDT_ENTRIES 17

/* Vectors: exceptions, the sixteen IRQs of the two 8259s, and Linux's system call. */
#define VECTOR_DEBUG 1
#define VECTOR_BREAKPOINT 3
#define VECTOR_OVERFLOW 4
#define VECTOR_NO_FPU 7
#define VECTOR_PAGE_FAULT 14
#define VECTOR_IRQ 0x20
#define VECTORS 0x30
#define VECTOR_SYSTEM_CALL 0x80
#define STUB_BYTES 16
#endif
