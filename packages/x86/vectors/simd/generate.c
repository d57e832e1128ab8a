/*
 * Records what the host's own processor computes for every MMX, SSE and SSE2 instruction.
 *
 *   gcc -O1 -o generate generate.c && ./generate | gzip -9n > host.bin.gz
 *
 * With an argument it records so many times as many vectors, for a longer search by hand: the test reads what it is given in
 * the environment variable SIMD_VECTORS.
 *
 * x86-64 Linux. The inputs come from a generator with a fixed seed per form, which `replay.test.ts` repeats, so that only
 * outputs are stored. Each form is a line of text
 *
 *   mnemonic, code bytes in hexadecimal, kinds of destination and source, outputs, how many vectors
 *
 * and the outputs of its vectors: those that the letters name, in their order, and then, if the form computes in floating
 * point (kinds s and d of the source, or outputs with f), MXCSR and a byte that is 1 if #XM was raised.
 *
 * State before: XMM0 and MM0 hold the destination operand, XMM1 and MM1 the source, RAX the low half of the destination,
 * RCX that of the source, [RSI] = [RDI] the source (for stores: the destination). TOP is 3, half of the x87 registers empty.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

struct state {
  uint8_t fx[512];
  uint64_t rax, rcx, flags;
} __attribute__((aligned(64)));

typedef void code(struct state *, void *memory);
struct form {
  const char *name;
  const uint8_t *from, *to;
  code *run;
  const char *kinds, *outputs;
  int count;
};

/* state in R8, memory in RSI and RDI. */
#define CODE(id, text)                                                                                       \
  __asm__(".text\nrun_" #id ":\n mov %rdi, %r8\n mov %rsi, %rdi\n"                                           \
          " fxrstor64 (%r8)\n mov 512(%r8), %rax\n mov 520(%r8), %rcx\n push $0x2\n popf\n"                   \
          "from_" #id ":\n " text "\n"                                                                       \
          "to_" #id ":\n pushf\n popq 528(%r8)\n cld\n mov %rax, 512(%r8)\n fxsave64 (%r8)\n emms\n ret\n"); \
  extern code run_##id;                                                                                      \
  extern const uint8_t from_##id[], to_##id[];

#include "forms.h"
#define FORM(id, name, text, kinds, outputs, count) CODE(id, text)
FORMS
#undef FORM
static const struct form forms[] = {
#define FORM(id, name, text, kinds, outputs, count) {name, from_##id, to_##id, run_##id, kinds, outputs, count},
    FORMS
#undef FORM
};

static uint32_t seed;
static uint32_t next(void) {
  seed ^= seed << 13;
  seed ^= seed >> 17;
  seed ^= seed << 5;
  return seed;
}

static const uint32_t words[8] = {0, 1, 0x7fff, 0x8000, 0xffff, 0x00ff, 0x0100, 0xff80};
static const uint32_t singles[16] = {0, 1, 0x007fffff, 0x00800000, 0x00800001, 0x3f800000, 0x3f000000, 0x3fc00000,
                                     0x40400000, 0x4b000001, 0x4f000000, 0x7f7fffff, 0x7f800000, 0x7f800001, 0x7fc00000, 0x7fd23456};
static const uint32_t doubles[16][2] = {{0, 0}, {1, 0}, {0xffffffff, 0x000fffff}, {0, 0x00100000}, {1, 0x00100000}, {0, 0x3ff00000},
                                        {0, 0x3fe00000}, {0, 0x3ff80000}, {0, 0x40080000}, {1, 0x43300000}, {0xffc00000, 0x41dfffff},
                                        {0xffffffff, 0x7fefffff}, {0, 0x7ff00000}, {1, 0x7ff00000}, {0, 0x7ff80000}, {0x56789abc, 0x7ffd1234}};

static uint32_t single(void) {
  uint32_t how = next() & 7, bits = next();
  if (how < 3) return singles[bits & 15] | (bits & 0x80000000);
  if (how < 6) return (bits & 0x807c0000) | ((127 - 16 + ((bits >> 8) & 31)) << 23) | (how == 3 ? bits & 0xff : 0);
  if (how == 6) return (bits & 0x807fffff) | ((127 + ((bits >> 24) & 3) * 30) << 23);
  return bits;
}
static void twice(uint32_t *at) {
  uint32_t how = next() & 7, low = next(), high = next();
  if (how < 3) {
    at[0] = doubles[high & 15][0];
    at[1] = doubles[high & 15][1] | (high & 0x80000000);
    return;
  }
  at[0] = how < 5 ? 0 : how == 5 ? low & 0xff : low;
  at[1] = how < 6 ? (high & 0x800f0000) | ((1023 - 16 + ((high >> 4) & 63)) << 20)
          : how == 6 ? (high & 0x800fffff) | ((1023 + ((high >> 24) & 3) * 60) << 20) : high;
}

/* i integers, s singles, d doubles, k a shift count */
static void fill(char kind, uint32_t *at) {
  uint32_t how = next() & 3, part;
  for (int i = 0; i < 4; i++) {
    if (kind == 's') at[i] = single();
    else if (kind == 'd') {
      if (i & 1) twice(at + i - 1);
    } else if (kind == 'k') at[i] = how == 3 || i > 1 ? next() : i == 0 ? next() % 72 : 0;
    else if (how == 0) {
      part = words[next() & 7];
      at[i] = part | words[next() & 7] << 16;
    } else if (how == 1) {
      part = next() & 1 ? 0x80000000 : 0;
      at[i] = part + next() % 3 - 1;
    }
    else at[i] = next();
  }
}

static uint32_t control(void) {
  uint32_t how = next() & 3, bits = next();
  if (how < 2) return how ? 0x1f80 : 0x1fa0;
  return how == 2 ? (bits & 0xe07f) | 0x1f80 : bits & 0xffc0;
}

static struct state state;
static uint8_t memory[64] __attribute__((aligned(64)));
static const struct form *current;
static int raised;

static void skip(int sig, siginfo_t *info, void *context) {
  (void)sig, (void)info;
  raised = 1;
  ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] = (greg_t)current->to;
}

static uint8_t *mmx(int n) { return state.fx + 32 + 16 * (((state.fx[3] >> 3 & 7) * 7 + n) & 7); }

static void run(const struct form *form, int isFloat) {
  uint32_t a[4], b[4], mxcsr = 0x1f80;
  int top = 3;
  fill(form->kinds[0], a);
  fill(form->kinds[1], b);
  if (isFloat) mxcsr = control();
  memset(&state, 0, sizeof state);
  memcpy(state.fx, (uint16_t[]){0x37f, top << 11}, 4);
  state.fx[4] = 0x5a;
  memcpy(state.fx + 24, &mxcsr, 4);
  for (int i = 0; i < 8; i++) {
    memcpy(mmx(i), i ? b : a, 8);
    memcpy(mmx(i) + 8, (uint16_t[]){0x3ff0 + i}, 2);
  }
  memcpy(state.fx + 160, a, 16);
  memcpy(state.fx + 176, b, 16);
  memcpy(&state.rax, a, 8);
  memcpy(&state.rcx, b, 8);
  memcpy(memory, strchr(form->outputs, 'M') ? a : b, 16);
  raised = 0;
  form->run(&state, memory);
  for (const char *output = form->outputs; *output; output++) {
    uint8_t x87[4] = {state.fx[3] >> 3 & 7, state.fx[4], mmx(0)[8], mmx(0)[9]};
    if (*output == 'x' || *output == 'a') fwrite(state.fx + 160, 16, 1, stdout);
    if (*output == 'm') fwrite(mmx(0), 8, 1, stdout);
    if (*output == 't') fwrite(x87, 4, 1, stdout);
    if (*output == 'r') fwrite(&state.rax, 8, 1, stdout);
    if (*output == 'M') fwrite(memory, 16, 1, stdout);
    if (*output == 'c') fwrite(&state.flags, 2, 1, stdout);
  }
  if (isFloat) {
    fwrite(state.fx + 24, 2, 1, stdout);
    fputc(raised, stdout);
  }
}

int main(int argc, char **argv) {
  int times = argc > 1 ? atoi(argv[1]) : 1;
  struct sigaction action = {.sa_sigaction = skip, .sa_flags = SA_SIGINFO};
  sigaction(SIGFPE, &action, 0);
  for (unsigned i = 0; i < sizeof forms / sizeof *forms; i++) {
    current = forms + i;
    printf("%s ", current->name);
    for (const uint8_t *p = current->from; p < current->to; p++) printf("%02x", *p);
    printf(" %s %s %d\n", current->kinds, current->outputs, current->count * times);
    fflush(stdout);
    seed = 0x9e3779b9u ^ (i + 1) * 0x01000193u;
    int isFloat = strchr(current->outputs, 'f') != 0;
    for (int n = 0; n < current->count * times; n++) run(current, isFloat);
  }
}
