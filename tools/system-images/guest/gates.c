/* Interrupt and trap gates: who may call which, what is pushed, which errors they raise (SDM vol. 3A, 6.12). */
#include "runtime.h"

#define VECTOR 0x60
/* Another landing, above 64 KB. */
#define HIGH_LANDING 0x39000
#define CALL_VECTOR ASM("int $0x60")

static const struct {
  const char *name;
  u8 type;
} gate_types[] = {{"int16", INT16}, {"trap16", TRAP16}, {"int32", INT32}, {"trap32", TRAP32}};

/* Every gate from every ring to every ring. */
static void privileges(void) {
  for (u32 t = 0; t < COUNT(gate_types); t++)
    for (u32 gate_dpl = 0; gate_dpl < 4; gate_dpl += 3)
      for (u32 cpl = 0; cpl < 4; cpl++)
        for (u32 dpl = 0; dpl < 4; dpl++)
          for (u32 conforming = 0; conforming < 2; conforming++) {
            begin("%s gate dpl %d: ring %d to %s %d", gate_types[t].name, gate_dpl, cpl, conforming ? "conforming" : "ring", dpl);
            ring(cpl);
            segment(FREE(0), 0, 0xfffff, (conforming ? CONF_XR : CODE_XR) | DPL(dpl), FLAT_);
            idt(VECTOR, FREE(0) | dpl, LANDING, gate_types[t].type | DPL(gate_dpl));
            in_eflags = 2 | CF | IF | DF | NT;
            code(CALL_VECTOR);
            go();
          }
}

/* Exceptions that push an error code, through each kind of gate, with and without a change of stack. */
static void error_codes(void) {
  for (u32 t = 0; t < COUNT(gate_types); t++)
    for (u32 cpl = 0; cpl < 4; cpl++)
      for (u32 dpl = 0; dpl <= cpl; dpl++) {
        begin("error code by %s: ring %d to ring %d", gate_types[t].name, cpl, dpl);
        ring(cpl);
        idt(13, FLAT_CODE(dpl) | 3, LANDING, gate_types[t].type);
        in_eax = 0x5ab4;
        code(ASM("movw %ax, %ds"));
        go();
      }
  begin("16-bit code behind a 16-bit gate");
  segment(FREE(0), 0x10000, 0xffff, CODE_XR, 0);
  idt(VECTOR, FREE(0), (u32)stub16 - 0x10000, INT16);
  code(CALL_VECTOR);
  go();
  begin("16-bit code behind a 32-bit gate");
  segment(FREE(0), 0x10000, 0xffff, CODE_XR, 0);
  idt(VECTOR, FREE(0), (u32)stub16 - 0x10000, INT32);
  code(CALL_VECTOR);
  go();
  begin("a handler in the LDT");
  ring(3);
  segment(0x0c, 0, 0xfffff, CODE_XR, FLAT_);
  idt(VECTOR, 0x0c, LANDING, INT32 | DPL(3));
  code(CALL_VECTOR);
  go();
  begin("accessed bits of code and stack are set");
  ring(3);
  segment(FREE(0), 0, 0xfffff, CODE_XR, FLAT_);
  segment(FREE(1), 0, 0xfffff, DATA_RW, FLAT_);
  *at32(TSS_MAIN + 8) = FREE(1);
  idt(VECTOR, FREE(0), LANDING, INT32 | DPL(3));
  code(CALL_VECTOR);
  go();
  begin("an inner stack of 16 bits keeps the upper half of ESP");
  ring(3);
  in_esp |= 0x770000;
  segment(FREE(1), 0, 0xffff, DATA_RW, 0);
  *at32(TSS_MAIN + 4) = 0x990000 + STACK_TOP(0);
  *at32(TSS_MAIN + 8) = FREE(1);
  idt(VECTOR, DRIVER_CODE, LANDING, INT32 | DPL(3));
  code(ASM("movl $0x774900, %esp; int $0x60"));
  go();
  begin("an inner stack of 16 bits wraps");
  ring(3);
  segment(FREE(1), STACK_TOP(0) - 8, 0xffff, DATA_RW, 0);
  *at32(TSS_MAIN + 4) = 8;
  *at32(TSS_MAIN + 8) = FREE(1);
  idt(VECTOR, DRIVER_CODE, LANDING, INT32 | DPL(3));
  code(CALL_VECTOR);
  go();
}

/* How an event comes: by INT n, or by an exception of a benign vector. */
static const struct {
  const char *name;
  u8 vector;
} sources[] = {{"INT n", VECTOR}, {"INT3", 3}, {"INTO", 4}, {"INT1", 1}, {"#UD", 6}, {"#BR", 5}, {"#NM", 7}, {"#DB fault", 1}};

static void source(u32 n) {
  switch (n) {
  case 0: code(CALL_VECTOR); break;
  case 1: code(ASM("int3")); break;
  case 2: code(ASM("movb $0x7f, %al; incb %al; movl $0, %eax; into")); break;
  case 3: code(ASM(".byte 0xf1")); break;
  case 4: code(ASM("ud2")); break;
  case 5:
    *at32(DATA) = *at32(DATA + 4) = 5;
    code(ASM("boundl %eax, (0xa000)"));
    break;
  case 6:
    write_cr0(read_cr0() | 4);
    code(ASM("fnop"));
    break;
  case 7:
    in_dr[0] = CODE + 1;
    in_dr7 = 1;
    code(ASM("nop; nop"));
    break;
  }
}

static void without_emulation(void) { write_cr0(read_cr0() & ~4); }

/* What is wrong with a gate. */
static const char *const gate_errors[] = {
  "not present", "beyond the table", "null selector", "null selector with RPL", "selector beyond the GDT", "selector beyond the LDT",
  "code not present", "data segment", "TSS", "call gate", "code of an outer ring", "conforming code of an outer ring",
  "offset beyond the limit", "of DPL 0", "to execute-only code", "to 16-bit code with a high offset",
};

static struct {
  u16 limit;
  u32 base;
} __attribute__((packed)) table_register = {0, IDT};

static void load_idt(u32 limit) {
  table_register.limit = limit;
  asm volatile("lidt %0" : : "m"(table_register));
}

static void restore_idt(void) {
  load_idt(IDT_BYTES - 1);
  without_emulation();
}

#define UD2S 0x0b0f0b0f
#define INT3S 0xcccccccc
static void landings(u32 instructions) {
  fill(LANDING, instructions, 16);
  fill(HIGH_LANDING, instructions, 16);
}

static void bad_gate(u32 what, u32 vector) {
  u32 selector = DRIVER_CODE, offset = LANDING, type = INT32 | DPL(3);
  switch (what) {
  case 0: type &= ~PRESENT; break;
  case 2: selector = 0; break;
  case 3: selector = 3; break;
  case 4: selector = 0x7f8; break;
  case 5: selector = 0x7fc; break;
  case 6:
    selector = FREE(0);
    segment(FREE(0), 0, 0xfffff, CODE_XR & ~PRESENT, FLAT_);
    break;
  case 7: selector = FLAT_DATA(0); break;
  case 8: selector = SEL_TSS_A; break;
  case 9:
    selector = FREE(0);
    gate(FREE(0), DRIVER_CODE, LANDING, CALL32, 0);
    break;
  case 10: selector = FLAT_CODE(3); break;
  case 11:
    selector = FREE(0);
    segment(FREE(0), 0, 0xfffff, CONF_XR | DPL(3), FLAT_);
    break;
  case 12:
    selector = FREE(0);
    segment(FREE(0), 0, LANDING - 1, CODE_XR, BIG);
    break;
  case 13: type = INT32; break;
  case 14:
    selector = FREE(0);
    segment(FREE(0), 0, 0xfffff, CODE_XO, FLAT_);
    break;
  case 15:
    selector = FREE(0);
    segment(FREE(0), 0, 0xfffff, CODE_XR, PAGES);
    offset = HIGH_LANDING;
    break;
  }
  if (what != 1) idt(vector, selector, offset, type);
}

static void errors(void) {
  restore = restore_idt;
  for (u32 s = 0; s < COUNT(sources); s++)
    for (u32 e = 0; e < COUNT(gate_errors); e++)
      for (u32 cpl = 0; cpl < 3; cpl++) {
        /* Only INT n has a vector beyond those that the handlers need. */
        if (e == 1 && s != 0) continue;
        begin("%s gate, %s, from ring %d", sources[s].name, gate_errors[e], cpl);
        ring(cpl);
        /* The landing would be the gate under test. */
        landings(sources[s].vector == 6 ? INT3S : UD2S);
        bad_gate(e, sources[s].vector);
        source(s);
        if (e == 1) load_idt(VECTOR * 8 + 3);
        go();
        landings(UD2S);
      }
  restore = 0;
}

/* Every type of descriptor in the place of a gate. */
static void types(void) {
  for (u32 type = 0; type < 32; type++)
    for (u32 ud = 0; ud < 2; ud++) {
      if (type == 5) continue;
      u32 vector = ud ? 6 : VECTOR;
      begin("%s, descriptor type %x in the IDT", ud ? "#UD" : "INT n", type);
      ring(3);
      /* A 16-bit gate leads to the low half of the offset. */
      idt(vector, DRIVER_CODE, STUB(0x70), PRESENT | DPL(3) | type);
      if (type == 6 || type == 7) idt(vector, FREE(0), STUB(0x70) - 0x10000, PRESENT | DPL(3) | type);
      segment(FREE(0), 0x10000, 0xfffff, CODE_XR, FLAT_);
      source(ud ? 4 : 0);
      go();
    }
}

/* What is wrong with the stack of ring 1, to which a gate leads. */
static const char *const stack_errors[] = {
  "null", "null with RPL 1", "of RPL 0", "of RPL 2", "of DPL 0", "of DPL 2", "read-only", "code", "not present", "a TSS",
  "beyond the GDT", "beyond the LDT", "too small", "expand-down and too small", "just large enough", "expand-down, just large enough",
  "of 16 bits", "in the LDT", "beyond the TSS", "in a 16-bit TSS", "beyond a 16-bit TSS", "with ESP 0", "of 16 bits with SP 0", "readable conforming code",
};

static void bad_stack(u32 what, u32 room) {
  u32 selector = FREE(1) | 1, type = DATA_RW | DPL(1), limit = 0xfffff, flags = FLAT_, esp = STACK_TOP(1);
  switch (what) {
  case 0: selector = 0; break;
  case 1: selector = 1; break;
  case 2: selector = FREE(1); break;
  case 3: selector = FREE(1) | 2; break;
  case 4: type = DATA_RW; break;
  case 5: type = DATA_RW | DPL(2); break;
  case 6: type = DATA_RO | DPL(1); break;
  case 7: type = CODE_XR | DPL(1); break;
  case 8: type &= ~PRESENT; break;
  case 9: type = TSS32 | DPL(1); break;
  case 10: selector = 0x7f9; break;
  case 11: selector = 0x7fd; break;
  case 12: flags = BIG, limit = STACK_TOP(1) - 2; break;
  case 13: type = DOWN_RW | DPL(1), flags = BIG, limit = STACK_TOP(1) - room; break;
  case 14: flags = BIG, limit = STACK_TOP(1) - 1; break;
  case 15: type = DOWN_RW | DPL(1), flags = BIG, limit = STACK_TOP(1) - room - 1; break;
  case 16: flags = 0, limit = 0xffff; break;
  case 17: selector = 0x0d; break;
  case 18: segment(SEL_TSS, TSS_MAIN, 0x12, TSS32, 0); break;
  case 19:
  case 20:
    segment(SEL_TSS, TSS_MAIN, what == 19 ? 9 : 8, TSS16, 0);
    *at16(TSS_MAIN + 2) = STACK_TOP(0);
    *at16(TSS_MAIN + 4) = DRIVER_DATA;
    *at16(TSS_MAIN + 6) = STACK_TOP(1);
    *at16(TSS_MAIN + 8) = selector;
    break;
  case 21: esp = 0; break;
  case 22: esp = 0, flags = 0, limit = 0xffff; break;
  case 23: type = CONF_XR | DPL(1); break;
  }
  segment(selector & 4 ? 0x0c : FREE(1), what == 21 || what == 22 ? STACK_TOP(1) : 0, limit, type, flags);
  if (what < 19 || what > 20) {
    *at32(TSS_MAIN + 12) = esp;
    *at32(TSS_MAIN + 16) = selector;
  }
  if (what >= 18 && what <= 20) asm volatile("ltr %w0" : : "r"(SEL_TSS));
}

static void stacks(void) {
  for (u32 kind = 0; kind < 4; kind++)
    for (u32 e = 0; e < COUNT(stack_errors); e++) {
      static const char *const kinds[] = {"INT n by int32", "INT n by int16", "#UD by int32", "#GP by int32"};
      begin("%s to ring 1, stack %s", kinds[kind], stack_errors[e]);
      ring(3);
      u32 vector = kind == 2 ? 6 : kind == 3 ? 13 : VECTOR;
      idt(vector, FLAT_CODE(1), LANDING, (kind == 1 ? INT16 : INT32) | DPL(3));
      landings(kind == 2 ? INT3S : UD2S);
      bad_stack(e, kind == 1 ? 10 : kind == 3 ? 24 : 20);
      if (kind == 3) code(ASM("cli"));
      else source(kind == 2 ? 4 : 0);
      go();
      landings(UD2S);
    }
  /* Too small by a word each way, for each size of frame. */
  for (u32 room = 0; room <= 24; room += 2) {
    begin("INT n to ring 1 with room for %d bytes", room);
    ring(3);
    idt(VECTOR, FLAT_CODE(1), LANDING, INT32 | DPL(3));
    segment(FREE(1), 0, STACK_TOP(1) - room - 1, DOWN_RW | DPL(1), BIG);
    *at32(TSS_MAIN + 16) = FREE(1) | 1;
    code(CALL_VECTOR);
    go();
    begin("#GP to ring 1 with room for %d bytes", room);
    ring(3);
    idt(13, FLAT_CODE(1), LANDING, INT32);
    segment(FREE(1), 0, STACK_TOP(1) - room - 1, DOWN_RW | DPL(1), BIG);
    *at32(TSS_MAIN + 16) = FREE(1) | 1;
    code(ASM("cli"));
    go();
    begin("INT n within ring 1 with room for %d bytes", room);
    ring(1);
    idt(VECTOR, FLAT_CODE(1), LANDING, INT32 | DPL(3));
    segment(FREE(1), 0, STACK_TOP(1) - room - 1, DOWN_RW | DPL(1), BIG);
    in_ss = FREE(1) | 1;
    code(CALL_VECTOR);
    go();
  }
}

/* INT n and its privileged relatives from each ring with each DPL of the gate. */
static void software(void) {
  for (u32 s = 0; s < COUNT(sources); s++)
    for (u32 cpl = 0; cpl < 4; cpl++)
      for (u32 dpl = 0; dpl < 4; dpl++) {
        begin("%s from ring %d through a gate of DPL %d", sources[s].name, cpl, dpl);
        ring(cpl);
        idt(sources[s].vector, DRIVER_CODE, STUB(0x70), INT32 | DPL(dpl));
        source(s);
        restore = without_emulation;
        go();
      }
  restore = 0;
}

void tests(void) {
  privileges();
  error_codes();
  errors();
  types();
  stacks();
  software();
}
