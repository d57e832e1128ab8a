/*
 * Runs sequences of instructions on the host's processor: reads items from standard input, writes outcomes to standard
 * output. Linux, x86-64; built for 64-bit code and, with -m32, for 32- and 16-bit code:
 *   gcc -O1 -mno-red-zone -ffreestanding -fno-stack-protector -nostdlib -static -fno-pie -no-pie [-m32] runner.c -o runner
 * The signal frame is the way in and out: every sequence ends in an exception, whose handler notes the state that the
 * kernel has saved and puts the next sequence's state in its place. Free of libc, because FS and GS are the sequences'.
 */
#include <asm/signal.h>
#include <asm/siginfo.h>
#include <asm/sigcontext.h>
#include <asm/ucontext.h>
#include <asm/ldt.h>
#include <asm/unistd.h>
#include <linux/types.h>

#define CODE 0x4000
#define DATA 0x8000
#define PAGE 0x1000
/* Bases of FS and GS; those of 32-bit code are segments of the LDT with limits. */
#define FS_BASE 0x7000
#define FS_LIMIT 0x1fff
#define GS_BASE64 0x12345000
#define GS_BASE32 0x8000
#define GS_LIMIT32 0xff

struct item {
  __u32 length, bits;
  __u64 gpr[16], flags;
  __u8 fx[512], code[256], page[PAGE];
};
struct outcome {
  __u32 vector, error;
  __u64 ip, cr2, gpr[16], flags;
  __u8 fx[512], page[PAGE];
};

static struct item item;
static struct outcome outcome;
static int started;

void *memcpy(void *to, const void *from, unsigned long n) {
  for (unsigned long i = 0; i < n; i++) ((__u8 *)to)[i] = ((const __u8 *)from)[i];
  return to;
}
void *memset(void *to, int value, unsigned long n) {
  for (unsigned long i = 0; i < n; i++) ((__u8 *)to)[i] = value;
  return to;
}

static long call(long number, long a, long b, long c, long d, long e, long f) {
  long result;
#ifdef __x86_64__
  register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
#else
  long six[6] = {a, b, c, d, e, f};
  __asm__ volatile("push %%ebp; push %%ebx; mov %1, %%esi; mov (%%esi), %%ebx; mov 4(%%esi), %%ecx; mov 8(%%esi), %%edx; mov 16(%%esi), %%edi;"
                   "mov 20(%%esi), %%ebp; mov 12(%%esi), %%esi; int $0x80; pop %%ebx; pop %%ebp"
                   : "=a"(result) : "S"(six), "a"(number) : "ecx", "edx", "edi", "memory");
#endif
  return result;
}
static void leave(int status) {
  call(__NR_exit, status, 0, 0, 0, 0, 0);
  for (;;) {}
}
static void need(int ok, int status) {
  if (!ok) leave(status);
}
static int readAll(void *to, long bytes) {
  long done = 0;
  while (done < bytes) {
    long n = call(__NR_read, 0, (long)((char *)to + done), bytes - done, 0, 0, 0);
    if (n <= 0) return 0;
    done += n;
  }
  return 1;
}
static void writeAll(const void *from, long bytes) {
  for (long done = 0; done < bytes;) {
    long n = call(__NR_write, 1, (long)((const char *)from + done), bytes - done, 0, 0, 0);
    need(n > 0, 2);
    done += n;
  }
}
static void *map(long at, long bytes, int protection) {
#ifdef __x86_64__
  long number = __NR_mmap;
#else
  long number = __NR_mmap2;
#endif
  return (void *)call(number, at, bytes, protection, at ? 0x32 : 0x22, -1, 0);
}

#ifdef __x86_64__
static __u64 *registers(struct sigcontext *c, __u64 **at) {
  __u64 *all[16] = {&c->rax, &c->rcx, &c->rdx, &c->rbx, &c->rsp, &c->rbp, &c->rsi, &c->rdi,
                    &c->r8,  &c->r9,  &c->r10, &c->r11, &c->r12, &c->r13, &c->r14, &c->r15};
  for (int i = 0; i < 16; i++) at[i] = all[i];
  return at[0];
}
#define IP rip
#define FLAGS eflags
#define COUNT 16
typedef __u64 word;
#else
static __u32 *registers(struct sigcontext *c, __u32 **at) {
  __u32 *all[8] = {&c->eax, &c->ecx, &c->edx, &c->ebx, &c->esp, &c->ebp, &c->esi, &c->edi};
  for (int i = 0; i < 8; i++) at[i] = all[i];
  return at[0];
}
#define IP eip
#define FLAGS eflags
#define COUNT 8
typedef __u32 word;
#endif

/* 32-bit frames keep the x87 state in the old format in front of the FXSAVE image. */
struct old {
  __u32 cw, sw, tag, ip, cs, dp, ds;
  __u8 st[80];
  __u32 status;
};

static void note(struct sigcontext *c) {
  word *at[COUNT];
  registers(c, at);
  outcome.vector = c->trapno;
  outcome.error = c->err;
  outcome.ip = c->IP;
  outcome.cr2 = c->cr2;
  outcome.flags = c->FLAGS;
  for (int i = 0; i < COUNT; i++) outcome.gpr[i] = *at[i];
  __u8 *frame = (__u8 *)c->fpstate;
#ifdef __x86_64__
  memcpy(outcome.fx, frame, 416);
#else
  struct old *old = (struct old *)frame;
  memcpy(outcome.fx, frame + sizeof *old, 416);
  memcpy(outcome.fx, &old->cw, 2);
  memcpy(outcome.fx + 2, &old->sw, 2);
  outcome.fx[4] = 0;
  for (int i = 0; i < 8; i++) {
    if ((old->tag >> (2 * i) & 3) != 3) outcome.fx[4] |= 1 << i;
    memcpy(outcome.fx + 32 + 16 * i, old->st + 10 * i, 10);
  }
#endif
  memcpy(outcome.page, (void *)DATA, PAGE);
}

static void put(struct sigcontext *c) {
  word *at[COUNT];
  registers(c, at);
  for (int i = 0; i < COUNT; i++) *at[i] = item.gpr[i];
  c->FLAGS = item.flags;
  c->IP = CODE;
  __u8 *frame = (__u8 *)c->fpstate;
#ifdef __x86_64__
  __u8 *fx = frame;
#else
  struct old *old = (struct old *)frame;
  __u8 *fx = frame + sizeof *old;
  memset(old, 0, 28);
  memcpy(&old->cw, item.fx, 2);
  memcpy(&old->sw, item.fx + 2, 2);
  for (int i = 0; i < 8; i++) {
    if (!(item.fx[4] >> i & 1)) old->tag |= 3 << (2 * i);
    memcpy(old->st + 10 * i, item.fx + 32 + 16 * i, 10);
  }
  c->cs = item.bits == 16 ? 0x17 : 0x23;
  c->ss = item.bits == 16 ? 0x1f : 0x2b;
  c->ds = c->es = 0x2b;
  c->fs = 0x07;
  c->gs = 0x0f;
#endif
  memcpy(fx, item.fx, 28);
  memcpy(fx + 32, item.fx + 32, 384);
  *(__u64 *)(fx + 512) |= 3;
}

static void next(struct ucontext *context) {
  memset(&item, 0, sizeof item);
  if (!readAll(&item, sizeof item)) leave(0);
  need(call(__NR_mprotect, CODE, PAGE, 3, 0, 0, 0) == 0, 3);
  memset((void *)CODE, 0xf4, PAGE);
  memcpy((void *)CODE, item.code, item.length);
  need(call(__NR_mprotect, CODE, PAGE, 5, 0, 0, 0) == 0, 3);
  memcpy((void *)DATA, item.page, PAGE);
  put(&context->uc_mcontext);
}

static void handle(int signal, void *info, struct ucontext *context) {
  (void)signal, (void)info;
  /* AC, NT and ID are the sequence's too. */
#ifdef __x86_64__
  __asm__ volatile("pushfq; andl $~0x244000, (%%rsp); popfq" ::: "cc", "memory");
#else
  __asm__ volatile("pushfl; andl $~0x244000, (%%esp); popfl" ::: "cc", "memory");
#endif
  if (started) {
    note(&context->uc_mcontext);
    writeAll(&outcome, sizeof outcome);
  }
  started = 1;
  next(context);
}

void restore(void);
__asm__(".text\nrestore:\n"
#ifdef __x86_64__
        "mov $15, %eax\n syscall\n"
#else
        "mov $173, %eax\n int $0x80\n"
#endif
);

struct action {
  void *handler;
  unsigned long flags;
  void *restorer;
  __u64 mask;
};

static void segments(void) {
#ifdef __x86_64__
  need(call(__NR_arch_prctl, 0x1002, FS_BASE, 0, 0, 0, 0) == 0, 4);
  need(call(__NR_arch_prctl, 0x1001, GS_BASE64, 0, 0, 0, 0) == 0, 4);
#else
  struct user_desc all[4] = {
      {.entry_number = 0, .base_addr = FS_BASE, .limit = FS_LIMIT, .seg_32bit = 1, .useable = 1},
      {.entry_number = 1, .base_addr = GS_BASE32, .limit = GS_LIMIT32, .seg_32bit = 1, .contents = 1, .useable = 1},
      {.entry_number = 2, .base_addr = 0, .limit = 0xffff, .contents = 2, .useable = 1},
      {.entry_number = 3, .base_addr = 0, .limit = 0xffff, .contents = 0, .useable = 1},
  };
  for (int i = 0; i < 4; i++) need(call(__NR_modify_ldt, 0x11, (long)(all + i), sizeof all[i], 0, 0, 0) == 0, 4);
#endif
}

void start(void) {
  char *stack = map(0, 1 << 20, 3);
  need((long)map(CODE, PAGE, 7) == CODE && (long)map(DATA, PAGE, 3) == DATA, 5);
  stack_t alternate = {.ss_sp = stack, .ss_size = 1 << 20};
  need(call(__NR_sigaltstack, (long)&alternate, 0, 0, 0, 0, 0) == 0, 6);
  /* SA_SIGINFO, SA_ONSTACK, SA_NODEFER, SA_RESTORER */
  struct action action = {handle, 0x4c000004, restore, 0};
  static const int signals[] = {SIGSEGV, SIGILL, SIGFPE, SIGTRAP, SIGBUS};
  for (int i = 0; i < 5; i++) need(call(__NR_rt_sigaction, signals[i], (long)&action, 0, 8, 0, 0) == 0, 7);
  segments();
  __asm__ volatile("ud2");
}
#ifdef __x86_64__
__asm__(".globl _start\n_start:\n and $-16, %rsp\n call start\n");
#else
__asm__(".globl _start\n_start:\n and $-16, %esp\n call start\n");
#endif
