/*
 * Records what the host's own processor does for every form of every x87 instruction.
 *
 *   gcc -O1 -o generate generate.c && ./generate 12000 | gzip -9n > host.bin.gz
 *
 * The argument is the number of vectors; with more of them it serves a longer search by hand: the test reads what it is given in
 * the environment variable X87_VECTORS. x86-64 Linux.
 *
 * Each vector is one instruction between FRSTOR and FNSAVE, so that unmasked exceptions stay pending and nothing traps:
 *
 *   u8 opcode, u8 ModRM (memory operands are [rcx])
 *   before: u16 control, u16 status, u8 empty (bit i: physical register i), u16 EFLAGS, ST(0), ST(1), 10 bytes of memory
 *   after:  u16 control, u16 status, u8 empty, u16 EFLAGS, 10 bytes of memory (FNSTSW AX: AX),
 *           u8 changed (bit i: physical register i), 10 bytes for each register that changed
 *
 * ST(2) to ST(7) hold the values of `rest`. EFLAGS are the six status flags.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* The 32-bit protected-mode image of FNSAVE. */
struct state {
  uint16_t control, pad0, status, pad1, tags, pad2, pointers[8];
  uint8_t st[8][10];
} __attribute__((packed));
struct context {
  struct state before, after;
  uint8_t memory[16];
  uint64_t flags, rax;
};

static uint64_t seed = 88172645463325252u;
static uint64_t random64(void) {
  seed ^= seed << 13;
  seed ^= seed >> 7;
  seed ^= seed << 17;
  return seed * 0x2545f4914f6cdd1du;
}
static uint32_t below(uint32_t n) { return (random64() >> 33) % n; }
static int once_in(uint32_t n) { return below(n) == 0; }

/* Significands with the integer bit set: where rounding and carries are decided. */
static uint64_t normalised(void) {
  const uint64_t top = 1ull << 63;
  switch (below(8)) {
    case 0: return top;
    case 1: return ~0ull;
    case 2: return top | top >> 1;
    case 3: return top | 1ull << below(63);
    case 4: return ~0ull << below(64);
    case 5: return (random64() | top) & ~0ull << below(64);
    default: return random64() | top;
  }
}

static void extended(uint8_t *out) {
  const uint64_t top = 1ull << 63;
  uint64_t m = normalised();
  uint16_t e;
  switch (below(24)) {
    case 0: e = 0, m = 0; break;
    case 1: e = 0, m = random64() >> (1 + below(63)); break;
    case 2: e = 0; break;
    case 3: e = 0x7fff, m = top; break;
    case 4: e = 0x7fff, m = top | top >> 1 | random64() >> 2 >> below(60); break;
    case 5: e = 0x7fff, m = top | (random64() >> 2 >> below(60)) | 1; break;
    case 6: e = random64() & 0x7fff, m = random64() >> 1 >> below(62); break;
    case 7: case 8: e = 1 + below(70); break;
    case 9: case 10: e = 0x7ffe - below(70); break;
    case 11: case 12: e = 16383 + below(66), m = (m & ~0ull << (63 - (e - 16383 > 63 ? 63 : e - 16383))) | top; break;
    case 13: case 14: e = 1 + below(0x7ffe); break;
    case 15: case 16: e = 16375 + below(16); break;
    case 17: e = 16383 - (once_in(2) ? 1023 : 127) - 30 + below(60); break;
    case 18: e = 16383 + (once_in(2) ? 1023 : 127) - 3 + below(6); break;
    default: e = 16313 + below(140); break;
  }
  if (once_in(2)) e |= 0x8000;
  memcpy(out, &m, 8);
  memcpy(out + 8, &e, 2);
}

enum kind { none, real32, real64, real80, integer, decimal };

static void operand(uint8_t *out, enum kind kind) {
  memset(out, 0x5a, 16);
  if (kind == real80) extended(out);
  if (kind == integer) {
    int64_t v = random64() >> below(64);
    if (once_in(2)) v = -v;
    memcpy(out, &v, 8);
  }
  if (kind == decimal) {
    for (int i = 0; i < 9; i++) out[i] = below(10) | below(10) << 4;
    out[9] = once_in(2) ? 0x80 : 0;
  }
  if (kind == real32 || kind == real64) {
    const int width = kind == real64 ? 52 : 23, special = kind == real64 ? 2047 : 255;
    uint64_t f = random64() & ((1ull << width) - 1);
    uint64_t e = once_in(4) ? (once_in(2) ? random64() & special : once_in(2) ? 0 : special) : special / 2 - 40 + below(80);
    if (once_in(3)) f &= ~0ull << below(width);
    if (once_in(8)) f = 0;
    uint64_t v = (uint64_t)below(2) << (kind == real64 ? 63 : 31) | e << width | f;
    memcpy(out, &v, kind == real64 ? 8 : 4);
  }
}

static struct form {
  uint8_t opcode, modrm;
  enum kind kind;
} forms[1000];
static int count;
static void memory_form(uint8_t opcode, int extension, enum kind kind, int weight) {
  while (weight--) forms[count++] = (struct form){opcode, extension << 3 | 1, kind};
}
static void register_form(uint8_t opcode, uint8_t modrm, int weight) {
  while (weight--) forms[count++] = (struct form){opcode, modrm, none};
}

static void list_forms(void) {
  static const uint8_t constants[] = {0xe8, 0xe9, 0xea, 0xeb, 0xec, 0xed, 0xee};
  static const uint8_t plain[] = {0xd0, 0xe0, 0xe1, 0xe4, 0xf6, 0xf7};
  static const uint8_t unary[] = {0xe5, 0xf4, 0xf5, 0xf8, 0xfa, 0xfc, 0xfd};
  static const uint8_t transcendental[] = {0xf0, 0xf1, 0xf2, 0xf3, 0xf9, 0xfb, 0xfe, 0xff};
  static const uint8_t on_stack[][2] = {{0xdd, 0xc0}, {0xdd, 0xd0}, {0xdd, 0xd8}, {0xdd, 0xe0}, {0xdd, 0xe8}, {0xdb, 0xe8},
                                        {0xdb, 0xf0}, {0xdf, 0xe8}, {0xdf, 0xf0}, {0xdf, 0xc0}, {0xd9, 0xc0}, {0xd9, 0xc8}};
  for (int n = 0; n < 8; n++) {
    memory_form(0xd8, n, real32, 2);
    memory_form(0xdc, n, real64, 2);
    memory_form(0xda, n, integer, 1);
    memory_form(0xde, n, integer, 1);
    for (int i = 0; i < 8; i += i == 1 ? 4 : i ? 2 : 1) {
      register_form(0xd8, 0xc0 | n << 3 | i, i == 1 ? 6 : 1);
      if (n != 2 && n != 3) register_form(0xdc, 0xc0 | n << 3 | i, i == 1 ? 2 : 1);
      if (n != 2 && n != 3) register_form(0xde, 0xc0 | n << 3 | i, i == 1 ? 2 : 1);
      if (n < 4) register_form(0xda, 0xc0 | n << 3 | i, 1);
      if (n < 4) register_form(0xdb, 0xc0 | n << 3 | i, 1);
    }
  }
  for (unsigned i = 0; i < sizeof constants; i++) register_form(0xd9, constants[i], 1);
  for (unsigned i = 0; i < sizeof plain; i++) register_form(0xd9, plain[i], 1);
  for (unsigned i = 0; i < sizeof unary; i++) register_form(0xd9, unary[i], 8);
  for (unsigned i = 0; i < sizeof transcendental; i++) register_form(0xd9, transcendental[i], 6);
  for (unsigned i = 0; i < sizeof on_stack / 2; i++)
    for (int r = 0; r < 8; r += 3) register_form(on_stack[i][0], on_stack[i][1] | r, r ? 1 : 2);
  register_form(0xda, 0xe9, 2);
  register_form(0xde, 0xd9, 2);
  memory_form(0xd9, 0, real32, 2);
  memory_form(0xdd, 0, real64, 2);
  memory_form(0xdb, 5, real80, 1);
  memory_form(0xd9, 2, real32, 4);
  memory_form(0xd9, 3, real32, 4);
  memory_form(0xdd, 2, real64, 4);
  memory_form(0xdd, 3, real64, 4);
  memory_form(0xdb, 7, real80, 1);
  memory_form(0xdb, 0, integer, 1);
  memory_form(0xdf, 0, integer, 1);
  memory_form(0xdf, 5, integer, 1);
  memory_form(0xdb, 2, integer, 3);
  memory_form(0xdb, 3, integer, 3);
  memory_form(0xdf, 2, integer, 3);
  memory_form(0xdf, 3, integer, 3);
  memory_form(0xdf, 7, integer, 3);
  memory_form(0xdf, 4, decimal, 2);
  memory_form(0xdf, 6, decimal, 4);
  memory_form(0xd9, 5, integer, 2);
  memory_form(0xd9, 7, integer, 1);
  memory_form(0xdd, 7, integer, 1);
  register_form(0xdf, 0xe0, 1);
  register_form(0xdb, 0xe2, 1);
  register_form(0xdb, 0xe3, 1);
}

/* 1, −2.5, +0, +∞, a quiet NaN, 2^62 + 2^31: sign and exponent, significand. */
static const struct {
  uint16_t se;
  uint64_t significand;
} rest[] = {{0x3fff, 1ull << 63},           {0xc000, 0xa000000000000000}, {0x0000, 0},
            {0x7fff, 0x8000000000000000},   {0xffff, 0xc123456789abcdef}, {0x403d, 0x8000000100000000}};

/* Arguments: RDI context. RCX is the memory operand. */
static uint8_t *assemble(uint8_t *code, const struct form *form) {
  static const uint8_t head[] = {
      0x49, 0x89, 0xf8,                                                             /* mov r8, rdi */
      0x49, 0x8d, 0x88, sizeof(struct state) * 2, 0, 0, 0,                          /* lea rcx, [r8 + memory] */
      0x41, 0xdd, 0x20,                                                             /* frstor [r8] */
      0x41, 0xff, 0xb0, sizeof(struct state) * 2 + 16, 0, 0, 0, 0x9d,               /* push qword [r8 + flags]; popf */
  };
  static const uint8_t tail[] = {
      0x9c, 0x41, 0x8f, 0x80, sizeof(struct state) * 2 + 16, 0, 0, 0,               /* pushf; pop qword [r8 + flags] */
      0x49, 0x89, 0x80, sizeof(struct state) * 2 + 24, 0, 0, 0,                     /* mov [r8 + rax], rax */
      0x41, 0xdd, 0xb0, sizeof(struct state), 0, 0, 0, 0xc3,                        /* fnsave [r8 + after]; ret */
  };
  uint8_t *p = code;
  p = (uint8_t *)memcpy(p, head, sizeof head) + sizeof head;
  *p++ = form->opcode;
  *p++ = form->modrm;
  memcpy(p, tail, sizeof tail);
  return code;
}

static uint8_t empty_of(uint16_t tags) {
  uint8_t empty = 0;
  for (int i = 0; i < 8; i++)
    if ((tags >> 2 * i & 3) == 3) empty |= 1 << i;
  return empty;
}
static void put(const void *bytes, size_t length) { fwrite(bytes, length, 1, stdout); }

static void record(uint8_t *code, const struct form *form) {
  static const uint16_t precisions[] = {0, 0x200, 0x300, 0x300};
  struct context c;
  memset(&c, 0, sizeof c);
  operand(c.memory, form->kind);
  if (form->opcode == 0xd9 && form->modrm >> 3 == 5) { /* FLDCW: reserved bits too, but not the reserved precision */
    uint16_t w = random64();
    if ((w & 0x300) == 0x100) w ^= 0x100;
    memcpy(c.memory, &w, 2);
  }
  uint16_t control = 0x37f, status = below(8) << 11 | (random64() & 0x4700), tags = 0;
  if (once_in(2)) control = (control & ~0xc00) | below(4) << 10;
  if (once_in(3)) control = (control & ~0x300) | precisions[below(4)];
  if (once_in(3)) control = (control & ~0x3f) | (random64() & 0x3f);
  /* Flags that are set already are masked ones: nothing is pending. */
  if (once_in(4)) status |= random64() & 0x7f & (control | 0x40);
  const int top = status >> 11;
  extended(c.before.st[0]);
  extended(c.before.st[1]);
  if (once_in(3)) { /* operands that nearly cancel */
    memcpy(c.before.st[1], c.before.st[0], 10);
    c.before.st[1][0] ^= !once_in(4);
    if (once_in(3)) c.before.st[1][9] ^= 0x80;
    if (once_in(3)) c.before.st[1][8] ^= below(4);
  }
  for (int i = 2; i < 8; i++) {
    memcpy(c.before.st[i], &rest[i - 2].significand, 8);
    memcpy(c.before.st[i] + 8, &rest[i - 2].se, 2);
  }
  for (int i = 0; i < 8; i++)
    if (i < 2 ? once_in(24) : once_in(2)) tags |= 3 << 2 * (top + i & 7);
  if (once_in(40)) tags = 0xffff;
  c.before.control = control;
  c.before.status = status;
  c.before.tags = tags;
  const uint16_t flags = random64() & 0x8d5;
  c.flags = 0x202 | flags;

  uint8_t before = empty_of(tags);
  put(&form->opcode, 2);
  put(&control, 2);
  put(&status, 2);
  put(&before, 1);
  put(&flags, 2);
  put(c.before.st[0], 10);
  put(c.before.st[1], 10);
  put(c.memory, 10);

  c.rax = 0x11223344;
  ((void (*)(struct context *))assemble(code, form))(&c);
  if (form->opcode == 0xdf && form->modrm == 0xe0) memcpy(c.memory, &c.rax, 8);
  const uint8_t after = empty_of(c.after.tags);
  const uint16_t flags_after = c.flags & 0x8d5;
  const int top_after = c.after.status >> 11 & 7;
  uint8_t changed = 0;
  for (int i = 0; i < 8; i++)
    if (memcmp(c.after.st[i - top_after & 7], c.before.st[i - top & 7], 10)) changed |= 1 << i;
  put(&c.after.control, 2);
  put(&c.after.status, 2);
  put(&after, 1);
  put(&flags_after, 2);
  put(c.memory, 10);
  put(&changed, 1);
  for (int i = 0; i < 8; i++)
    if (changed >> i & 1) put(c.after.st[i - top_after & 7], 10);
}

int main(int argc, char **argv) {
  const int vectors = argc > 1 ? atoi(argv[1]) : 12000;
  uint8_t *code = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  list_forms();
  for (int i = 0; i < vectors; i++) record(code, &forms[i % count]);
}
