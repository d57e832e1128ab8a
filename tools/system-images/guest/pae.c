/* Paging in the PAE format, with NX (SDM vol. 3A, 4.4). */
#include "paging.h"

#define POINTERS 0x33000
#define OTHER_POINTERS 0x33040
#define PAE_DIRECTORY 0x34000
#define PAE_TABLE 0x35000
#define EFER 0xc0000080
#define NXE 0x800

typedef struct {
  u32 low, high;
} entry;
#define NX 0x80000000

static entry *entries(u32 table) { return (entry *)table; }
static void set(u32 table, u32 n, u32 low, u32 high) {
  entries(table)[n].low = low;
  entries(table)[n].high = high;
}

static void set_test_tables(void) {
  set(POINTERS, 0, PAE_DIRECTORY | P, 0);
  for (u32 n = 1; n < 4; n++) set(POINTERS, n, 0, 0);
  set(PAE_DIRECTORY, 2, PAE_TABLE | P | W | U, 0);
  set(PAE_DIRECTORY, 3, 0, 0);
  for (u32 n = 0; n < PAGES_; n++) set(PAE_TABLE, n, FRAME(n) | P | W | U, 0);
  write_cr3(POINTERS);
}

static void nxe(u32 on) { write_msr(EFER, on ? NXE : 0, 0); }

/* Also where a case left other tables or no paging; what it made of the tables is still to be reported. */
static void restore_paging(void) {
  write_cr0(read_cr0() & ~(PG | WP));
  write_cr4(read_cr4() | CR4_PAE);
  set(OTHER_POINTERS, 3, 0, 0);
  set(OTHER_POINTERS, 0, PAE_DIRECTORY | P, 0);
  write_cr3(OTHER_POINTERS);
  write_cr0(read_cr0() | PG);
  nxe(0);
}

static void enable_paging(void) {
  fill(POINTERS, 0, 0x1000);
  fill(PAE_DIRECTORY, 0, 0x1000);
  fill(PAE_TABLE, 0, 0x1000);
  for (u32 n = 0; n < 2; n++) set(PAE_DIRECTORY, n, n << 21 | P | W | U | A | D | PS, 0);
  restore_paging();
}

static const char *const kinds[] = {"read", "write", "modify", "execute"};

static void access(u32 kind) {
  in_ebx = PAGE(0);
  switch (kind) {
  case 0: code(ASM("movl (%ebx), %ecx")); break;
  case 1: code(ASM("movl %ecx, (%ebx)")); break;
  case 2: code(ASM("orl $0, (%ebx); cmpl %ebx, %ebx")); break;
  case 3: code(ASM("jmp *%ebx")); break;
  }
}

/* ── rights ── */
static const struct {
  const char *name;
  u32 low, high;
} rights[] = {{"S ro", P, 0}, {"S rw", P | W, 0}, {"U ro", P | U, 0}, {"U rw", P | U | W, 0}, {"U rw nx", P | U | W, NX}, {"S rw nx", P | W, NX}};

static void matrix(void) {
  fill(FRAME(0), 0x0b0f0b0f, 64);
  for (u32 large = 0; large < 2; large++)
    for (u32 dir = 0; dir < COUNT(rights); dir++)
      for (u32 page = 0; page < COUNT(rights); page++)
        for (u32 cpl = 0; cpl < 4; cpl += 3)
          for (u32 wp = 0; wp < 2; wp++)
            for (u32 kind = 0; kind < 4; kind++) {
              if (large && page) continue;
              /* The matrix without NX is that of the 32-bit format: a part of it will do. */
              if (!large && dir < 4 && page < 4 && (wp == 0 || kind == 2)) continue;
              begin("%s %s%s%s, ring %d, WP %d: %s", large ? "2 MB page" : "directory", rights[dir].name, large ? "" : ", page ", large ? "" : rights[page].name, cpl, wp, kinds[kind]);
              ring(cpl);
              nxe(1);
              access(kind);
              if (large) {
                set(PAE_DIRECTORY, 2, PS | rights[dir].low, rights[dir].high);
                in_ebx += LANDING;
              } else {
                set(PAE_DIRECTORY, 2, PAE_TABLE | rights[dir].low, rights[dir].high);
                set(PAE_TABLE, 0, FRAME(0) | rights[page].low, rights[page].high);
              }
              write_cr3(POINTERS);
              if (wp) write_cr0(read_cr0() | WP);
              go();
            }
}

/* ── reserved bits, entry by entry ── */
static void reserved(void) {
  static const struct {
    const char *name;
    u32 low, high;
  } bits[] = {
    {"none", 0, 0}, {"63", 0, NX}, {"62", 0, 1 << 30}, {"52", 0, 1 << 20}, {"51", 0, 1 << 19}, {"40", 0, 1 << 8}, {"12 of a large page", 0x1000, 0}, {"13 of a large page", 0x2000, 0}, {"20 of a large page", 0x100000, 0}, {"8", 0x100, 0}, {"9 to 11", 0xe00, 0},
  };
  static const char *const levels[] = {"page", "directory", "2 MB page", "directory over an absent page", "absent page", "read-only page", "supervisor's page"};
  for (u32 on = 0; on < 2; on++)
    for (u32 level = 0; level < COUNT(levels); level++)
      for (u32 b = 0; b < COUNT(bits); b++)
        for (u32 kind = 0; kind < 4; kind++) {
          if (kind == 2 || (kind && level > 2)) continue;
          if (bits[b].low > 0xfff && level != 2) continue;
          begin("NXE %d, %s, bit %s: %s", on, levels[level], bits[b].name, kinds[kind]);
          ring(3);
          nxe(on);
          access(kind);
          u32 low = P | W | U | bits[b].low, high = bits[b].high;
          switch (level) {
          case 0: set(PAE_TABLE, 0, FRAME(0) | low, high); break;
          case 1: set(PAE_DIRECTORY, 2, PAE_TABLE | low, high); break;
          case 2:
            set(PAE_DIRECTORY, 2, PS | low, high);
            in_ebx += LANDING;
            break;
          case 3:
            set(PAE_DIRECTORY, 2, PAE_TABLE | low, high);
            set(PAE_TABLE, 0, 0, 0);
            break;
          case 4: set(PAE_TABLE, 0, (FRAME(0) | low) & ~P, high); break;
          case 5: set(PAE_TABLE, 0, (FRAME(0) | low) & ~W, high); break;
          case 6: set(PAE_TABLE, 0, (FRAME(0) | low) & ~U, high); break;
          }
          write_cr3(POINTERS);
          go();
        }
}

/* ── the four pointers ── */
static void pointers(void) {
  static const struct {
    const char *name;
    u32 low, high;
  } bits[] = {
    {"none", 0, 0}, {"1", 2, 0}, {"2", 4, 0}, {"PWT and PCD", 0x18, 0}, {"5", 0x20, 0}, {"6", 0x40, 0}, {"8", 0x100, 0}, {"9 to 11", 0xe00, 0}, {"63", 0, NX}, {"52", 0, 1 << 20}, {"51", 0, 1 << 19},
  };
  for (u32 way = 0; way < 3; way++)
    for (u32 present = 0; present < 2; present++)
      for (u32 b = 0; b < COUNT(bits); b++) {
        static const char *const ways[] = {"MOV CR3", "MOV CR0.PG", "a task switch"};
        /* A task whose pointers are refused has no handler either. */
        if (way == 2 && present && b != 0 && b != 3 && b != 7) continue;
        begin("%s with bits of pointer 3, %s%s", ways[way], bits[b].name, present ? "" : ", absent");
        copy(OTHER_POINTERS, at8(POINTERS), 32);
        set(OTHER_POINTERS, 3, PAE_DIRECTORY | present | bits[b].low, bits[b].high);
        in_eax = OTHER_POINTERS;
        switch (way) {
        case 0: code(ASM("movl %eax, %cr3; xorl %eax, %eax")); break;
        case 1:
          write_cr0(read_cr0() & ~PG);
          write_cr3(OTHER_POINTERS);
          in_eax = read_cr0() | PG;
          code(ASM("movl %eax, %cr0; movl %cr0, %ebx; shrl $31, %ebx; xorl %eax, %eax"));
          break;
        case 2:
          task32(TSS_A, 1);
          *at32(TSS_A + 0x1c) = OTHER_POINTERS;
          in_ebx = DATA;
          *at16(DATA + 4) = SEL_TSS_A;
          code(ASM("ljmp *(%ebx)"));
          break;
        }
        enter_case();
        print(" cr0.pg %d cr3 %x", out_cr0 >> 31, out_cr3);
        report();
      }
  static const char *const names[] = {"absent pointer: read", "absent pointer: execute", "a pointer changed in memory, not loaded", "a pointer loaded again", "accessed bits of pointers do not exist", "a pointer to the same directory"};
  for (u32 n = 0; n < COUNT(names); n++) {
    begin("%s", names[n]);
    ring(n < 2 ? 3 : 0);
    in_ebx = 0x40000000;
    in_esi = POINTERS;
    switch (n) {
    case 0: code(ASM("movl (%ebx), %eax")); break;
    case 1: code(ASM("jmp *%ebx")); break;
    case 2:
      in_eax = PAE_DIRECTORY | P;
      code(ASM("movl %eax, 8(%esi); movl 0x9000(%ebx), %ecx"));
      break;
    case 3:
      in_eax = PAE_DIRECTORY | P;
      code(ASM("movl %eax, 8(%esi); movl %esi, %cr3; movl 0x9000(%ebx), %ecx"));
      break;
    case 4: code(ASM("movl 8(%esi), %ecx; movl (%esi), %eax")); break;
    case 5:
      set(POINTERS, 1, PAE_DIRECTORY | P, 0);
      write_cr3(POINTERS);
      code(ASM("movl 0x9000(%ebx), %ecx; movl 0x9000, %edx"));
      break;
    }
    go();
    set_test_tables();
  }
}

/* ── EFER ── */
static void efer(void) {
  static const struct {
    const char *name;
    u32 low, high;
  } values[] = {{"0", 0, 0}, {"NXE", NXE, 0}, {"bit 1", 2, 0}, {"bit 63", 0, 1u << 31}};
  for (u32 v = 0; v < COUNT(values); v++)
    for (u32 cpl = 0; cpl < 4; cpl += 3) {
      begin("WRMSR EFER %s, ring %d", values[v].name, cpl);
      ring(cpl);
      in_eax = values[v].low, in_edx = values[v].high, in_ecx = EFER;
      code(ASM("wrmsr; xorl %eax, %eax; xorl %edx, %edx; rdmsr"));
      go();
    }
  begin("NXE set makes an entry's bit 63 deny, and clearing it makes it reserved");
  nxe(1);
  set(PAE_TABLE, 0, FRAME(0) | P | W | U, NX);
  write_cr3(POINTERS);
  in_ebx = PAGE(0), in_ecx = EFER;
  code(ASM("movl (%ebx), %eax; xorl %eax, %eax; xorl %edx, %edx; wrmsr; movl %cr3, %eax; movl %eax, %cr3; movl (%ebx), %esi"));
  go();
  begin("a fetch across pages, the second NX");
  ring(3);
  nxe(1);
  set(PAE_TABLE, 1, FRAME(1) | P | W | U, NX);
  write_cr3(POINTERS);
  copy(FRAME(0) + 0xffe, "\xb9\x44\x33\x22\x11\x0f\x0b", 7);
  in_eip = PAGE(0) + 0xffe;
  go();
  begin("an interrupt handler on an NX page");
  ring(3);
  nxe(1);
  set(PAE_TABLE, 0, FRAME(0) | P | W, NX);
  write_cr3(POINTERS);
  idt(0x21, DRIVER_CODE, PAGE(0), INT32 | DPL(3));
  code(ASM("int $0x21"));
  go();
  begin("an interrupt handler on a user's page");
  ring(3);
  idt(0x21, DRIVER_CODE, PAGE(0), INT32 | DPL(3));
  fill(FRAME(0), 0x0b0f0b0f, 16);
  code(ASM("int $0x21"));
  go();
}

void tests(void) {
  enable_paging();
  prepare = set_test_tables;
  restore = restore_paging;
  watch("ptr", POINTERS, 32);
  watch("pde", PAE_DIRECTORY + 16, 16);
  watch("pte", PAE_TABLE, PAGES_ * 8);
  matrix();
  reserved();
  pointers();
  efer();
}
