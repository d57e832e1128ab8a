/* Values of control registers that must be refused: an emulator that does not refuse them does not survive them
   (SDM vol. 3A, 2.5). */
#include "runtime.h"

void tests(void) {
  for (u32 bit = 11; bit < 32; bit++) {
    begin("MOV CR4: bit %d", bit);
    in_eax = read_cr4() | 1u << bit;
    code(ASM("movl %eax, %cr4; movl %cr4, %ecx"));
    go();
  }
  begin("MOV CR0: PG without PE");
  in_eax = (read_cr0() | 0x80000000) & ~1;
  code(ASM("movl %eax, %cr0"));
  go();
  begin("MOV CR0: PG and NW without PE and CD");
  in_eax = (read_cr0() | 0xa0000000) & ~1;
  code(ASM("movl %eax, %cr0"));
  go();
}
