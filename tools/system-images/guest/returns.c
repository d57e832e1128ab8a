/* Far RET and IRET within a ring and outward (SDM vol. 2, RET and IRET; vol. 3A, 5.8.6). */
#include "runtime.h"

static const char *const operations[] = {"retf", "retf 8", "iret", "retf16", "iret16"};
#define OPERATIONS 5
#define IS_IRET(n) ((n) == 2 || (n) == 4)
#define IS_16(n) ((n) > 2)

static void operation(u32 n) {
  switch (n) {
  case 0: code(ASM("lret")); break;
  case 1: code(ASM("lret $8")); break;
  case 2: code(ASM("iret")); break;
  case 3: code(ASM("lretw")); break;
  case 4: code(ASM("iretw")); break;
  }
}

/* The frame that an operation pops, at the top of the current stack; `outer` with a stack pointer. */
static struct {
  u32 selector, offset, flags, esp, ss, outer;
} to;

static void frame(u32 op, u32 rpl) {
  u32 bytes = IS_16(op) ? 2 : 4, words[8], count = 0;
  words[count++] = to.offset;
  words[count++] = to.selector;
  if (IS_IRET(op)) words[count++] = to.flags;
  if (op == 1) words[count++] = 0x111, words[count++] = 0x222;
  if (to.outer) words[count++] = to.esp, words[count++] = to.ss;
  in_esp = (rpl ? STACK_TOP(rpl) : STACK_TOP(0) - 0x80) - bytes * count;
  for (u32 i = 0; i < count; i++) {
    if (bytes == 4) *at32(in_esp + i * 4) = words[i];
    else *at16(in_esp + i * 2) = words[i];
  }
}

/* A return from ring `cpl` to the landing in flat code of ring `rpl`. */
static void plain(u32 cpl, u32 rpl) {
  ring(cpl);
  to.selector = FLAT_CODE(rpl) | rpl;
  to.offset = LANDING;
  to.flags = 0x202 | CF;
  to.outer = rpl > cpl;
  to.esp = STACK_TOP(rpl) - 0x20;
  to.ss = FLAT_DATA(rpl) | rpl;
}

static void privileges(void) {
  for (u32 op = 0; op < OPERATIONS; op++)
    for (u32 conforming = 0; conforming < 2; conforming++)
      for (u32 cpl = 0; cpl < 4; cpl++)
        for (u32 rpl = 0; rpl < 4; rpl++)
          for (u32 dpl = 0; dpl < 4; dpl++) {
            if (IS_16(op) && rpl != dpl) continue;
            begin("%s ring %d: RPL %d, %s %d", operations[op], cpl, rpl, conforming ? "conforming" : "code", dpl);
            plain(cpl, rpl);
            segment(FREE(0), 0, 0xfffff, (conforming ? CONF_XR : CODE_XR) | DPL(dpl), FLAT_);
            to.selector = FREE(0) | rpl;
            frame(op, cpl);
            operation(op);
            go();
          }
}

static const char *const code_errors[] = {
  "null", "null with RPL 3", "beyond the GDT", "beyond the LDT", "not present", "not present and too privileged", "data", "a TSS", "a call gate",
  "offset beyond the limit", "execute-only", "in the LDT", "16-bit code", "conforming not present", "high half of the selector set",
};

static void bad_code(u32 e) {
  u32 selector = FREE(0) | 3, type = CODE_XR | DPL(3), limit = 0xfffff, flags = FLAT_;
  switch (e) {
  case 0: selector = 0; break;
  case 1: selector = 3; break;
  case 2: selector = 0x7fb; break;
  case 3: selector = 0x7ff; break;
  case 4: type &= ~PRESENT; break;
  case 5: type = CODE_XR & ~PRESENT; break;
  case 6: type = DATA_RW | DPL(3); break;
  case 7: type = TSS32 | DPL(3); break;
  case 8: type = CALL32 | DPL(3); break;
  case 9: limit = LANDING - 1, flags = BIG; break;
  case 10: type = CODE_XO | DPL(3); break;
  case 11: selector = 0x0f; break;
  case 12: flags = PAGES; break;
  case 13: type = CONF_XR & ~PRESENT; break;
  case 14: selector |= 0xabcd0000; break;
  }
  to.selector = selector;
  /* There is no segment for a null selector or one beyond its table. */
  if (e > 3) segment(selector, 0, limit, type, flags);
}

static void code_error_cases(void) {
  for (u32 op = 0; op < OPERATIONS; op++)
    for (u32 cpl = 0; cpl < 4; cpl += 3)
      for (u32 e = 0; e < COUNT(code_errors); e++) {
        begin("%s from ring %d to code %s", operations[op], cpl, code_errors[e]);
        plain(cpl, 3);
        bad_code(e);
        frame(op, cpl);
        operation(op);
        go();
      }
}

static const char *const stack_errors[] = {
  "null", "null with RPL 3", "of RPL 0", "of RPL 2", "of DPL 0", "of DPL 2", "read-only", "code", "not present", "a TSS", "beyond the GDT", "beyond the LDT",
  "of 16 bits", "expand-down", "in the LDT", "not present and of DPL 2",
};

static void bad_stack(u32 e) {
  u32 selector = FREE(1) | 3, type = DATA_RW | DPL(3), limit = 0xfffff, flags = FLAT_;
  switch (e) {
  case 0: selector = 0; break;
  case 1: selector = 3; break;
  case 2: selector = FREE(1); break;
  case 3: selector = FREE(1) | 2; break;
  case 4: type = DATA_RW; break;
  case 5: type = DATA_RW | DPL(2); break;
  case 6: type = DATA_RO | DPL(3); break;
  case 7: type = CODE_XR | DPL(3); break;
  case 8: type &= ~PRESENT; break;
  case 9: type = TSS32 | DPL(3); break;
  case 10: selector = 0x7fb; break;
  case 11: selector = 0x7ff; break;
  case 12: limit = 0xffff, flags = 0, to.esp |= 0x770000; break;
  case 13: type = DOWN_RW | DPL(3), limit = 0x100, flags = BIG; break;
  case 14: selector = 0x0f; break;
  case 15: type = (DATA_RW & ~PRESENT) | DPL(2); break;
  }
  to.ss = selector;
  if (e > 1 && e != 10 && e != 11) segment(selector, 0, limit, type, flags);
}

static void stack_error_cases(void) {
  for (u32 op = 0; op < OPERATIONS; op++)
    for (u32 cpl = 0; cpl < 3; cpl++)
      for (u32 e = 0; e < COUNT(stack_errors); e++) {
        begin("%s from ring %d to a stack %s", operations[op], cpl, stack_errors[e]);
        plain(cpl, 3);
        bad_stack(e);
        frame(op, cpl);
        operation(op);
        go();
      }
}

/* What becomes of the data segments when a return leaves their ring. */
static void nulling(void) {
  static const struct {
    const char *name;
    u8 type;
  } types[] = {{"data", DATA_RW}, {"code", CODE_XR}, {"conforming code", CONF_XR}, {"expand-down data", DOWN_RW}};
  for (u32 op = 0; op < 3; op += 2)
    for (u32 rpl = 1; rpl < 4; rpl++)
      for (u32 t = 0; t < COUNT(types); t++) {
        begin("%s to ring %d with DS to GS: %s of DPL 0 to 3", operations[op], rpl, types[t].name);
        plain(0, rpl);
        for (u32 n = 0; n < 4; n++) segment(FREE(n), 0, 0xfffff, types[t].type | ACCESSED | DPL(n), FLAT_);
        in_ds = FREE(0);
        in_es = FREE(1) | (t == 2 ? 3 : 1);
        in_fs = FREE(2);
        in_gs = FREE(3) | 3;
        frame(op, 0);
        operation(op);
        go();
      }
  begin("iret to ring 3 with null selectors of every RPL");
  plain(0, 3);
  in_ds = 0, in_es = 1, in_fs = 2, in_gs = 3;
  frame(2, 0);
  operation(2);
  go();
  begin("retf within ring 3 leaves segments alone");
  plain(3, 3);
  in_ds = 0, in_es = 3, in_fs = FLAT_DATA(3) | 3, in_gs = FLAT_CODE(3) | 3;
  frame(0, 3);
  operation(0);
  go();
}

/* Which flags IRET and POPF may change, by ring and IOPL. */
static void flags(void) {
  static const u32 images[] = {0, 0xffffffff & ~(TF | VM | NT), 0x3000, IF, 0x247ad7 & ~TF, VIF | VIP, NT | RF};
  for (u32 op = 0; op < 4; op++)
    for (u32 cpl = 0; cpl < 4; cpl++)
      for (u32 iopl = 0; iopl < 4; iopl++)
        for (u32 i = 0; i < COUNT(images); i++) {
          if ((op == 1 || op == 3) && i > 3) continue;
          static const char *const names[] = {"iret", "iret16", "popf", "popf16"};
          begin("%s ring %d, IOPL %d, image %x", names[op], cpl, iopl, images[i]);
          plain(cpl, cpl);
          in_eflags = 2 | IOPL(iopl) | (i == 0 ? 0x40ed5 | IF : 0);
          to.flags = images[i];
          if (op < 2) {
            frame(op == 0 ? 2 : 4, cpl);
            operation(op == 0 ? 2 : 4);
          } else {
            in_esp -= 4;
            *at32(in_esp) = images[i];
            code(op == 2 ? ASM("popfl; pushfl") : ASM("popfw; pushfl"));
          }
          go();
        }
  /* An outward return judges by the ring that it leaves. */
  for (u32 cpl = 0; cpl < 3; cpl++)
    for (u32 iopl = 0; iopl < 4; iopl++) {
      begin("iret ring %d to 3, IOPL %d, image 3202", cpl, iopl);
      plain(cpl, 3);
      in_eflags = 2 | IOPL(iopl);
      to.flags = 0x3202;
      frame(2, cpl);
      operation(2);
      go();
    }
  for (u32 op = 0; op < 2; op++)
    for (u32 cpl = 0; cpl < 4; cpl++)
      for (u32 iopl = 0; iopl < 4; iopl++) {
        begin("%s ring %d, IOPL %d", op ? "sti" : "cli", cpl, iopl);
        ring(cpl);
        in_eflags = 2 | IOPL(iopl) | (op ? 0 : IF);
        code(op ? ASM("sti; nop; nop") : ASM("cli; nop; nop"));
        go();
      }
  for (u32 cpl = 0; cpl < 4; cpl++) {
    begin("pushf in ring %d hides RF and VM", cpl);
    ring(cpl);
    in_eflags = 0x247ed7;
    in_eflags &= ~(TF | VM);
    code(ASM("pushfl; pushfw; nop"));
    go();
  }
}

/* The frame itself beyond the limit of the stack. */
static void limits(void) {
  for (u32 op = 0; op < OPERATIONS; op++)
    for (u32 outer = 0; outer < 2; outer++)
      for (u32 bytes = 0; bytes <= 20; bytes += IS_16(op) ? 1 : 2) {
        if (bytes > (outer ? 20u : 12u)) continue;
        begin("%s %s, %d bytes of the frame within the limit", operations[op], outer ? "outward" : "within ring 1", bytes);
        plain(1, outer ? 3 : 1);
        frame(op, 1);
        segment(FREE(0), 0, in_esp + bytes - 1, DATA_RW | DPL(1), BIG);
        in_ss = FREE(0) | 1;
        operation(op);
        go();
      }
  begin("retf from a stack of 16 bits that wraps");
  plain(1, 1);
  segment(FREE(0), STACK_TOP(1) - 0x10000, 0xffff, DATA_RW | DPL(1), 0);
  in_ss = FREE(0) | 1;
  *at32(STACK_TOP(1) - 4) = LANDING;
  *at32(STACK_TOP(1) - 0x10000) = 0;
  in_esp = 0x5555fffc;
  operation(0);
  go();
  begin("retf 8 outward, parameters leave both stacks");
  plain(0, 3);
  frame(1, 0);
  code(ASM("lret $8"));
  go();
  begin("retf 0xfff8 within ring 3 on a stack of 16 bits");
  plain(3, 3);
  segment(FREE(0), 0, 0xffff, DATA_RW | DPL(3), 0);
  frame(0, 3);
  in_ss = FREE(0) | 3;
  in_esp |= 0x330000;
  code(ASM("lret $0xfff8"));
  go();
  begin("iret to an offset of 32 bits in 16-bit code");
  plain(0, 0);
  segment(FREE(0), 0, 0xfffff, CODE_XR, PAGES);
  to.selector = FREE(0);
  to.offset = 0x39000;
  fill(0x39000, 0x0b0f0b0f, 16);
  frame(2, 0);
  operation(2);
  go();
  for (u32 accessed = 0; accessed < 2; accessed++) {
    begin("iret sets accessed bits of code and stack%s", accessed ? " once" : "");
    plain(0, 3);
    segment(FREE(0), 0, 0xfffff, CODE_XR | DPL(3) | accessed, FLAT_);
    segment(FREE(1), 0, 0xfffff, DATA_RW | DPL(3) | accessed, FLAT_);
    to.selector = FREE(0) | 3;
    to.ss = FREE(1) | 3;
    frame(2, 0);
    operation(2);
    go();
  }
  begin("iret whose code fails leaves the stack's accessed bit");
  plain(0, 3);
  segment(FREE(0), 0, 0x10, CODE_XR | DPL(3), BIG);
  segment(FREE(1), 0, 0xfffff, DATA_RW | DPL(3), FLAT_);
  to.selector = FREE(0) | 3;
  to.ss = FREE(1) | 3;
  frame(2, 0);
  operation(2);
  go();
}

void tests(void) {
  privileges();
  code_error_cases();
  stack_error_cases();
  nulling();
  flags();
  limits();
}
