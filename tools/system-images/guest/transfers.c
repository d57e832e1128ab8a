/* Far JMP and CALL: to code, through call gates, to what is neither (SDM vol. 3A, 5.8; vol. 2, JMP and CALL). */
#include "runtime.h"

/* Snippets by operation: the far pointer lies at EBX. */
#define OPERATIONS 4
static const char *const operations[] = {"jmp", "call", "jmp16", "call16"};

static void operation(u32 n) {
  switch (n) {
  case 0: code(ASM("ljmp *(%ebx)")); break;
  case 1: code(ASM("lcall *(%ebx)")); break;
  case 2: code(ASM("ljmpw *(%ebx)")); break;
  case 3: code(ASM("lcallw *(%ebx)")); break;
  }
}

/* A far pointer in DATA. */
static void target(u32 n, u32 selector, u32 offset) {
  in_ebx = DATA;
  if (n < 2) {
    *at32(DATA) = offset;
    *at16(DATA + 4) = selector;
  } else {
    *at16(DATA) = offset;
    *at16(DATA + 2) = selector;
  }
}

static void to_code(void) {
  for (u32 op = 0; op < OPERATIONS; op++)
    for (u32 conforming = 0; conforming < 2; conforming++)
      for (u32 cpl = 0; cpl < 4; cpl++)
        for (u32 rpl = 0; rpl < 4; rpl++)
          for (u32 dpl = 0; dpl < 4; dpl++) {
            if (op > 1 && rpl != 0 && rpl != cpl) continue;
            begin("%s ring %d: RPL %d, %s %d", operations[op], cpl, rpl, conforming ? "conforming" : "code", dpl);
            ring(cpl);
            segment(FREE(0), 0, 0xfffff, (conforming ? CONF_XR : CODE_XR) | DPL(dpl), FLAT_);
            target(op, FREE(0) | rpl, LANDING);
            operation(op);
            go();
          }
}

static const char *const code_errors[] = {
  "null", "null with RPL 3", "beyond the GDT", "beyond the LDT", "half beyond the GDT", "not present", "not present and too privileged",
  "data", "read-only data", "offset beyond the limit", "offset at the limit", "execute-only", "in the LDT", "16-bit code", "16-bit code, offset of 32 bits",
  "byte-granular, offset 0", "conforming, not present", "expand-down data",
};

static void bad_code(u32 e, u32 op) {
  u32 selector = FREE(0) | 3, offset = LANDING, type = CODE_XR | DPL(3), limit = 0xfffff, flags = FLAT_, base = 0;
  switch (e) {
  case 0: selector = 0; break;
  case 1: selector = 3; break;
  case 2: selector = 0x7fb; break;
  case 3: selector = 0x7ff; break;
  case 4: selector = 0x203; break;
  case 5: type &= ~PRESENT; break;
  case 6: type = CODE_XR & ~PRESENT; break;
  case 7: type = DATA_RW | DPL(3); break;
  case 8: type = DATA_RO | DPL(3); break;
  case 9: limit = LANDING - 1, flags = BIG; break;
  case 10: limit = LANDING + 1, flags = BIG; break;
  case 11: type = CODE_XO | DPL(3); break;
  case 12: selector = 0x0f; break;
  case 13: flags = PAGES; break;
  case 14: flags = PAGES, offset = 0x39000; break;
  case 15: base = LANDING, offset = 0, flags = BIG, limit = 1; break;
  case 16: type = CONF_XR & ~PRESENT; break;
  case 17: type = DOWN_RW | DPL(3); break;
  }
  segment(selector == 0x0f ? 0x0f : FREE(0), base, limit, type, flags);
  target(op, selector, offset);
}

static void code_error_cases(void) {
  fill(0x39000, 0x0b0f0b0f, 16);
  for (u32 op = 0; op < OPERATIONS; op++)
    for (u32 e = 0; e < COUNT(code_errors); e++) {
      begin("%s to code %s", operations[op], code_errors[e]);
      ring(3);
      bad_code(e, op);
      operation(op);
      go();
    }
}

/* All types of system descriptors as targets. */
static void system_types(void) {
  for (u32 op = 0; op < 2; op++)
    for (u32 present = 0; present < 2; present++)
      for (u32 type = 0; type < 16; type++) {
        u32 is_tss = type == 1 || type == 9, is_gate = type == 4 || type == 12;
        if (present && (is_tss || is_gate)) continue;
        begin("%s to system type %x%s", operations[op], type, present ? "" : ", not present");
        ring(3);
        segment(FREE(0), 0, 0xfffff, (present ? PRESENT : 0) | DPL(3) | type, 0);
        target(op, FREE(0) | 3, LANDING);
        operation(op);
        go();
      }
}

/* ── call gates ── */
#define GATE FREE(1)

static void gates(void) {
  for (u32 op = 0; op < 2; op++)
    for (u32 conforming = 0; conforming < 2; conforming++)
      for (u32 cpl = 0; cpl < 4; cpl++)
        for (u32 rpl = 0; rpl < 4; rpl += 3)
          for (u32 gate_dpl = 0; gate_dpl < 4; gate_dpl++)
            for (u32 dpl = 0; dpl < 4; dpl++) {
              /* Where the gate itself forbids it, one target is enough. */
              if ((cpl > gate_dpl || rpl > gate_dpl) && dpl) continue;
              begin("%s gate, ring %d: RPL %d, gate DPL %d, %s %d", operations[op], cpl, rpl, gate_dpl,
                    conforming ? "conforming" : "code", dpl);
              ring(cpl);
              segment(FREE(0), 0, 0xfffff, (conforming ? CONF_XR : CODE_XR) | DPL(dpl), FLAT_);
              gate(GATE, FREE(0) | (3 - dpl), LANDING, CALL32 | DPL(gate_dpl), 0);
              target(op, GATE | rpl, 0x12345678);
              operation(op);
              go();
            }
}

/* Parameters are copied from the outer stack to the inner one. */
static void parameters(void) {
  static const u8 counts[] = {0, 1, 2, 15, 31, 0x21, 0xff};
  for (u32 wide = 0; wide < 2; wide++)
    for (u32 c = 0; c < COUNT(counts); c++)
      for (u32 dpl = 0; dpl < 4; dpl++) {
        begin("call gate of %d bits, %d parameters, to ring %d", wide ? 32 : 16, counts[c], dpl);
        ring(3);
        gate(GATE, FLAT_CODE(dpl), LANDING, (wide ? CALL32 : CALL16) | DPL(3), counts[c]);
        in_esp = STACK_TOP(3) - 0x80;
        for (u32 i = 0; i < 0x80; i += 4) *at32(in_esp + i) = 0x10001000 + i + (i << 16);
        target(1, GATE | 3, 0);
        operation(1);
        go();
      }
  begin("call gate, parameters beyond the outer stack");
  ring(3);
  segment(FREE(0), 0, STACK_TOP(3) - 9, DATA_RW | DPL(3), BIG);
  in_ss = FREE(0) | 3;
  in_esp = STACK_TOP(3) - 16;
  gate(GATE, FLAT_CODE(0), LANDING, CALL32 | DPL(3), 3);
  target(1, GATE | 3, 0);
  operation(1);
  go();
  begin("call gate, parameters on an outer stack of 16 bits that wraps");
  ring(3);
  segment(FREE(0), STACK_TOP(3) - 0x10000 - 8, 0xffff, DATA_RW | DPL(3), 0);
  in_ss = FREE(0) | 3;
  in_esp = 0x5550fffc;
  *at32(STACK_TOP(3) - 12) = 0x11111111;
  *at32(STACK_TOP(3) - 8 - 0x10000 + 0) = 0;
  gate(GATE, FLAT_CODE(0), LANDING, CALL32 | DPL(3), 1);
  target(1, GATE | 3, 0);
  operation(1);
  go();
}

static const char *const gate_errors[] = {
  "not present", "to null", "to null with RPL 3", "to a selector beyond the GDT", "to a selector beyond the LDT", "to data",
  "to a TSS", "to a call gate", "to code not present", "to code of an outer ring", "to an offset beyond the limit",
  "in the LDT", "to code in the LDT", "of 16 bits with an offset of 32 bits", "to execute-only code", "to conforming code not present", "to 16-bit code",
};

static void bad_gate(u32 e) {
  u32 selector = FREE(0), offset = LANDING, type = CALL32 | DPL(3), code = CODE_XR, flags = FLAT_, limit = 0xfffff, at = GATE;
  switch (e) {
  case 0: type &= ~PRESENT; break;
  case 1: selector = 0; break;
  case 2: selector = 3; break;
  case 3: selector = 0x7f8; break;
  case 4: selector = 0x7fc; break;
  case 5: code = DATA_RW; break;
  case 6: code = TSS32; break;
  case 7: code = CALL32 | DPL(3); break;
  case 8: code &= ~PRESENT; break;
  case 9: code |= DPL(3); break;
  case 10: limit = LANDING - 1, flags = BIG; break;
  case 11: at = 0x1c; break;
  case 12: selector = 0x24; break;
  case 13: type = CALL16 | DPL(3), offset |= 0x70000; break;
  case 14: code = CODE_XO; break;
  case 15: code = CONF_XR & ~PRESENT; break;
  case 16: flags = PAGES; break;
  }
  segment(selector == 0x24 ? 0x24 : FREE(0), 0, limit, code, flags);
  gate(at, selector, offset, type, 0);
  target(1, at | 3, 0);
}

static void gate_error_cases(void) {
  /* Where the high half of a 16-bit gate's offset must not lead. */
  fill(LANDING + 0x70000, 0x0b0f0b0f, 16);
  for (u32 op = 0; op < 2; op++)
    for (u32 cpl = 0; cpl < 4; cpl++)
      for (u32 e = 0; e < COUNT(gate_errors); e++) {
        begin("%s from ring %d through a gate %s", operations[op], cpl, gate_errors[e]);
        ring(cpl);
        bad_gate(e);
        operation(op);
        go();
      }
}

/* ── the inner stack of a call gate ── */
static const char *const stack_errors[] = {
  "null", "null with RPL 1", "of RPL 0", "of RPL 2", "of DPL 0", "of DPL 2", "read-only", "code", "not present", "a TSS",
  "beyond the GDT", "beyond the LDT", "beyond its limit", "expand-down", "of 16 bits", "beyond the TSS", "in a 16-bit TSS", "beyond a 16-bit TSS",
};

static void bad_stack(u32 e) {
  u32 selector = FREE(2) | 1, type = DATA_RW | DPL(1), limit = 0xfffff, flags = FLAT_, tss = 0;
  switch (e) {
  case 0: selector = 0; break;
  case 1: selector = 1; break;
  case 2: selector = FREE(2); break;
  case 3: selector = FREE(2) | 2; break;
  case 4: type = DATA_RW; break;
  case 5: type = DATA_RW | DPL(2); break;
  case 6: type = DATA_RO | DPL(1); break;
  case 7: type = CODE_XR | DPL(1); break;
  case 8: type &= ~PRESENT; break;
  case 9: type = TSS32 | DPL(1); break;
  case 10: selector = 0x7f9; break;
  case 11: selector = 0x7fd; break;
  case 12: flags = BIG, limit = STACK_TOP(1) - 2; break;
  case 13: type = DOWN_RW | DPL(1), flags = BIG, limit = STACK_TOP(1) - 0x40; break;
  case 14: flags = 0, limit = 0xffff; break;
  case 15: tss = 1, segment(SEL_TSS, TSS_MAIN, 0x12, TSS32, 0); break;
  case 16:
  case 17:
    tss = 1;
    segment(SEL_TSS, TSS_MAIN, e == 16 ? 9 : 8, TSS16, 0);
    *at16(TSS_MAIN + 2) = STACK_TOP(0);
    *at16(TSS_MAIN + 4) = DRIVER_DATA;
    *at16(TSS_MAIN + 6) = STACK_TOP(1);
    *at16(TSS_MAIN + 8) = selector;
    break;
  }
  segment(FREE(2), 0, limit, type, flags);
  if (e < 16) *at32(TSS_MAIN + 16) = selector;
  if (tss) asm volatile("ltr %w0" : : "r"(SEL_TSS));
}

static void stacks(void) {
  for (u32 wide = 0; wide < 2; wide++)
    for (u32 e = 0; e < COUNT(stack_errors); e++) {
      begin("call gate of %d bits, stack %s", wide ? 32 : 16, stack_errors[e]);
      ring(3);
      bad_stack(e);
      gate(GATE, FLAT_CODE(1), LANDING, (wide ? CALL32 : CALL16) | DPL(3), 2);
      target(1, GATE | 3, 0);
      operation(1);
      go();
    }
  for (u32 room = 12; room <= 28; room += 2) {
    begin("call gate with 2 parameters and room for %d bytes", room);
    ring(3);
    segment(FREE(2), 0, STACK_TOP(1) - room - 1, DOWN_RW | DPL(1), BIG);
    *at32(TSS_MAIN + 16) = FREE(2) | 1;
    in_esp = STACK_TOP(3) - 8;
    *at32(in_esp) = 0x1111;
    *at32(in_esp + 4) = 0x2222;
    gate(GATE, FLAT_CODE(1), LANDING, CALL32 | DPL(3), 2);
    target(1, GATE | 3, 0);
    operation(1);
    go();
  }
  for (u32 op = 1; op < 4; op += 2)
    for (u32 room = 0; room <= 8; room++) {
      begin("%s with room for %d bytes", operations[op], room);
      ring(3);
      segment(FREE(2), 0, STACK_TOP(3) - room - 1, DOWN_RW | DPL(3), BIG);
      in_ss = FREE(2) | 3;
      target(op, FLAT_CODE(3) | 3, LANDING);
      operation(op);
      go();
    }
  /* Which comes first: the room on the stack, or the offset? */
  begin("call without room, and beyond the limit");
  ring(3);
  segment(FREE(0), 0, 0x10, CODE_XR | DPL(3), BIG);
  segment(FREE(2), 0, STACK_TOP(3) - 1, DOWN_RW | DPL(3), BIG);
  in_ss = FREE(2) | 3;
  target(1, FREE(0) | 3, LANDING);
  operation(1);
  go();
  begin("call gate without room, and beyond the limit");
  ring(3);
  segment(FREE(0), 0, 0x10, CODE_XR | DPL(1), BIG);
  segment(FREE(2), 0, STACK_TOP(1) - 1, DOWN_RW | DPL(1), BIG);
  *at32(TSS_MAIN + 16) = FREE(2) | 1;
  gate(GATE, FREE(0), LANDING, CALL32 | DPL(3), 0);
  target(1, GATE | 3, 0);
  operation(1);
  go();
  begin("a far pointer half beyond the limit");
  ring(3);
  segment(FREE(0), DATA, 4, DATA_RW | DPL(3), BIG);
  in_ds = FREE(0) | 3;
  target(0, FLAT_CODE(3) | 3, LANDING);
  in_ebx = 0;
  operation(0);
  go();
}

/* Near transfers against the limit of the code segment. */
static void near(void) {
  static const struct {
    const char *name;
    u32 target;
  } targets[] = {{"at the limit", 0x1f}, {"beyond the limit", 0x20}, {"far beyond", 0x90000}};
  for (u32 t = 0; t < COUNT(targets); t++)
    for (u32 op = 0; op < 6; op++) {
      static const char *const names[] = {"jmp", "call", "ret", "ret n", "call through memory", "jcc"};
      begin("near %s %s", names[op], targets[t].name);
      ring(3);
      segment(FREE(0), CODE, 0x1f, CODE_XR | DPL(3), BIG);
      in_cs = FREE(0) | 3;
      in_eip = 0;
      in_eax = targets[t].target;
      in_ebx = DATA;
      *at32(DATA) = in_eax;
      in_esp = STACK_TOP(3) - 8;
      *at32(in_esp) = in_eax;
      switch (op) {
      case 0: code(ASM("jmp *%eax")); break;
      case 1: code(ASM("call *%eax")); break;
      case 2: code(ASM("ret")); break;
      case 3: code(ASM("ret $4")); break;
      case 4: code(ASM("call *(%ebx)")); break;
      case 5: code(ASM("cmpl $0x20, %eax; jne 1f; .byte 0x74; .byte 0x20 - 0x7; 1: jb 1f; .byte 0x0f, 0x83; .long 0x90000 - 0xf; 1: .byte 0xeb, 0x1f - 0x11")); break;
      }
      fill(CODE + 0x1e, 0xf4f4f4f4, 0x10);
      go();
    }
}

void tests(void) {
  to_code();
  code_error_cases();
  system_types();
  gates();
  parameters();
  gate_error_cases();
  stacks();
  near();
}
