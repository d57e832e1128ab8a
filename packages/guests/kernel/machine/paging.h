/* Page tables and control registers as the SDM lays them out (vol. 3A, 2.5, 4.3, 4.4). Inside this folder only. */
#ifndef PAGING_H
#define PAGING_H

#define ENTRY_PRESENT 0x001u
#define ENTRY_WRITE 0x002u
#define ENTRY_USER 0x004u
#define ENTRY_LARGE 0x080u
#define ENTRY_GLOBAL 0x100u

#ifdef PAE
#define ENTRIES 512u
#define LARGE_PAGE 0x200000u
#define LARGE_SHIFT 21
#else
#define ENTRIES 1024u
#define LARGE_PAGE 0x400000u
#define LARGE_SHIFT 22
#endif

#define CPUID_PSE (1u << 3)
#define CPUID_PAE (1u << 6)
#define CPUID_PGE (1u << 13)
#define CPUID_CMOV (1u << 15)
#define CPUID_FXSR (1u << 24)
#define CPUID_SSE (1u << 25)

#define CR0_MP 0x00000002u
#define CR0_EM 0x00000004u
#define CR0_TS 0x00000008u
#define CR0_NE 0x00000020u
#define CR0_WP 0x00010000u
#define CR0_PG 0x80000000u
#define CR4_PSE 0x010u
#define CR4_PAE 0x020u
#define CR4_PGE 0x080u
#define CR4_OSFXSR 0x200u
#define CR4_OSXMMEXCPT 0x400u
#endif
