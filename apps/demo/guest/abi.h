/* What kernel and process agree upon. */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;

/* System calls, in EAX: write(EBX text, ECX bytes), exit(EBX code). */
enum { CALL_EXIT = 1, CALL_WRITE = 4 };

/* The process's memory. Pages are given on first touch. */
#define USER_IMAGE 0x40000000u
#define USER_BSS 0x50000000u
#define USER_BSS_BYTES 0x10000u
#define USER_HEAP 0x60000000u
#define USER_HEAP_BYTES 0x100000u
#define USER_STACK 0xbff00000u
#define USER_STACK_BYTES 0x100000u
