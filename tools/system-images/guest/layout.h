/* Where things lie in the RAM of every image, and selectors of the GDT. For C and for assembly. */
#ifndef LAYOUT_H
#define LAYOUT_H

#define GDT 0x1000
#define GDT_BYTES 0x200
#define LDT 0x1800
#define LDT_BYTES 0x40
#define IDT 0x2000
#define IDT_BYTES 0x800
/* The TSS of the driver, with an interrupt redirection map and an I/O permission map. */
#define TSS_MAIN 0x3000
#define TSS_MAIN_BYTES 0x300
/* Further TSSs, 0x80 bytes each. */
#define TSS_A 0x3400
#define TSS_B 0x3480
#define TSS_C 0x3500
#define TSS_D 0x3580
/* Stacks of rings 0 to 3: STACK_BYTES each, ring 0 first. */
#define STACKS 0x4000
#define STACK_BYTES 0x200
#define STACK_TOP(ring) (STACKS + ((ring) + 1) * STACK_BYTES)
/* Where snippets run, and where gates and returns lead: UD2, again and again. */
#define CODE 0x8000
#define CODE_BYTES 0x400
#define LANDING 0x9000
#define LANDING_BYTES 0x100
#define DATA 0xa000
#define DATA_BYTES 0x4000

#define DRIVER_CODE 0x08
#define DRIVER_DATA 0x10
#define SEL_TSS 0x18
#define SEL_LDT 0x20
#define SEL_TSS_A 0x28
#define SEL_TSS_B 0x30
#define SEL_TSS_C 0x38
#define SEL_TSS_D 0x40
/* Flat segments of rings 0 to 3; the selectors lack the RPL. */
#define FLAT_CODE(ring) (0x48 + (ring) * 0x10)
#define FLAT_DATA(ring) (0x50 + (ring) * 0x10)
/* Stacks of 16 bits at base 0, likewise: the upper half of ESP means nothing there. */
#define STACK16(ring) (0x1e0 + (ring) * 8)
/* Free for tests: 0x88 and up. */
#define FREE(n) (0x88 + (n) * 8)
#endif
