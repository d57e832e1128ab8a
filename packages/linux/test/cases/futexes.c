/* Futexes (futex(2)), robust lists (set_robust_list(2)) and thread areas (set_thread_area(2)), among threads. */
#include "cases.h"

enum { WAIT = 0, WAKE = 1, REQUEUE = 3, CMP_REQUEUE = 4, WAKE_OP = 5, WAIT_BITSET = 9, WAKE_BITSET = 10, PRIVATE = 128, REALTIME = 256 };
enum { THREAD = 0x100 | 0x200 | 0x400 | 0x800 | 0x10000 | 0x40000 | 0x200000 };

static volatile u32 word, second, woken, ended;
static u8 stacks[8][2 * PAGE] __attribute__((aligned(16)));
static void waits(void) {
  i32 got = SYS(futex, &word, WAIT | PRIVATE, 0, 0, 0, 0);
  __atomic_add_fetch(&woken, got == 0, __ATOMIC_SEQ_CST);
}
static void waits_for_bits(void) {
  i32 got = SYS(futex, &word, WAIT_BITSET | PRIVATE, 0, 0, 0, 6);
  __atomic_add_fetch(&woken, got == 0, __ATOMIC_SEQ_CST);
}
static void begin_threads(u32 count, void (*body)(void)) {
  woken = 0;
  for (u32 n = 0; n < count; n++) thread(THREAD & ~0x200000, stacks[n] + sizeof *stacks, body, 0, 0, 0);
  pause_for(100);
}
#define WOKEN() pause_for(100), N("woken %u", woken)

static void simple(void) {
  u32 time[2] = {0, 1000000}, wide[4] = {0, 0, 1000000, 0};
  C(futex, &word, WAIT, 1, 0, 0, 0);
  C(futex, &word, WAIT, 0, time, 0, 0);
  C(futex_time64, &word, WAIT, 0, wide, 0, 0);
  C(futex, BAD, WAIT, 0, time, 0, 0);
  C(futex, (u8 *)&word + 1, WAIT, 0, time, 0, 0);
  C(futex, &word, WAIT, 0, BAD, 0, 0);
  time[1] = 1000000000;
  C(futex, &word, WAIT, 0, time, 0, 0);
  time[1] = -1;
  C(futex, &word, WAIT, 0, time, 0, 0);
  time[1] = 0;
  C(futex, &word, WAIT, 0, time, 0, 0);
  C(futex, &word, WAIT, 1, time, 0, 0);
  time[0] = -1;
  C(futex, &word, WAIT, 0, time, 0, 0);
  time[0] = 0;
  C(futex, &word, WAIT_BITSET, 0, time, 0, -1);
  C(futex, &word, WAIT_BITSET, 0, time, 0, 0);
  C(futex, &word, WAIT_BITSET | REALTIME, 0, time, 0, -1);
  C(futex, &word, WAIT | REALTIME, 0, time, 0, 0);
  C(futex, &word, WAKE | REALTIME, 1, 0, 0, 0);
  C(futex, &word, WAKE, 1, 0, 0, 0);
  C(futex, BAD, WAKE, 1, 0, 0, 0);
  C(futex, BAD, WAKE | PRIVATE, 1, 0, 0, 0);
  C(futex, (u8 *)&word + 2, WAKE, 1, 0, 0, 0);
  C(futex, &word, WAKE_BITSET, 1, 0, 0, 0);
  C(futex, &word, WAKE_BITSET, 1, 0, 0, 1);
  C(futex, &word, REQUEUE, 1, 1, &second, 0);
  C(futex, &word, REQUEUE, -1, 1, &second, 0);
  C(futex, &word, REQUEUE, 1, -1, &second, 0);
  C(futex, &word, CMP_REQUEUE, 1, 1, &second, 1);
  C(futex, &word, CMP_REQUEUE, 1, 1, &second, 0);
  C(futex, &word, CMP_REQUEUE, 1, 1, BAD, 0);
  C(futex, &word, CMP_REQUEUE, 1, 1, (u8 *)&second + 1, 0);
  C(futex, &word, 99, 0, 0, 0, 0);
  C(futex, &word, 2, 0, 0, 0, 0);
  second = 5;
  C(futex, &word, WAKE_OP, 1, 1, &second, 0x00007005);
  N("%u", second);
  C(futex, &word, WAKE_OP, 1, 1, &second, 0x10003000);
  N("%u", second);
  C(futex, &word, WAKE_OP, 1, 1, &second, 0x20010000);
  N("%u", second);
  C(futex, &word, WAKE_OP, 1, 1, &second, 0x30010000);
  N("%u", second);
  C(futex, &word, WAKE_OP, 1, 1, &second, 0x40003000);
  N("%u", second);
  C(futex, &word, WAKE_OP, 1, 1, &second, 0x80004000);
  N("%u", second);
  C(futex, &word, WAKE_OP, 1, 1, &second, 0x50000000);
  C(futex, &word, WAKE_OP, 1, 1, &second, 0x06000000);
  C(futex, &word, WAKE_OP, 1, 1, BAD, 0);
  second = 0;
}

static void among_threads(void) {
  begin_threads(3, waits);
  C(futex, &word, WAKE | PRIVATE, 1, 0, 0, 0);
  WOKEN();
  C(futex, &word, WAKE | PRIVATE, 10, 0, 0, 0);
  WOKEN();
  begin_threads(2, waits);
  C(futex, &word, WAKE, 10, 0, 0, 0);
  C(futex, &word, WAKE | PRIVATE, 0, 0, 0, 0);
  WOKEN();
  C(futex, &word, WAKE | PRIVATE, 10, 0, 0, 0);
  WOKEN();
  begin_threads(2, waits_for_bits);
  C(futex, &word, WAKE_BITSET | PRIVATE, 10, 0, 0, 1);
  C(futex, &word, WAKE_BITSET | PRIVATE, 1, 0, 0, 2);
  C(futex, &word, WAKE | PRIVATE, 10, 0, 0, 0);
  WOKEN();
  begin_threads(4, waits);
  C(futex, &word, CMP_REQUEUE | PRIVATE, 1, 2, &second, 0);
  WOKEN();
  C(futex, &second, WAKE | PRIVATE, 10, 0, 0, 0);
  C(futex, &word, WAKE | PRIVATE, 10, 0, 0, 0);
  WOKEN();
  begin_threads(3, waits);
  C(futex, &word, REQUEUE | PRIVATE, 1, 10, &second, 0);
  C(futex, &word, WAKE | PRIVATE, 10, 0, 0, 0);
  C(futex, &second, WAKE | PRIVATE, 10, 0, 0, 0);
  WOKEN();
  begin_threads(2, waits);
  second = 7;
  C(futex, &second, WAKE_OP | PRIVATE, 1, 5, &word, 0x10000000);
  C(futex, &second, WAKE_OP | PRIVATE, 1, 5, &word, 0x11000001);
  WOKEN();
}

static void among_processes(void) {
  volatile u32 *shared = at_of(SYS(mmap2, 0, PAGE, 3, 0x21, -1, 0));
  put_file("f", "0000");
  i32 f = SYS(open, "f", 2);
  volatile u32 *one = at_of(SYS(mmap2, 0, PAGE, 3, 1, f, 0)), *two = at_of(SYS(mmap2, 0, PAGE, 3, 1, f, 0));
  i32 child = CHILD(leave(SYS(futex, shared, WAIT, 0, 0, 0, 0) == 0 ? 1 : 2));
  pause_for(20);
  C(futex, shared, WAKE | PRIVATE, 1, 0, 0, 0);
  C(futex, shared, WAKE, 1, 0, 0, 0);
  T("futex FUTEX_WAIT in a child", wait_for(child));
  child = CHILD(leave(SYS(futex, one, WAIT, *one, 0, 0, 0) == 0 ? 1 : 2));
  pause_for(20);
  C(futex, two, WAKE, 1, 0, 0, 0);
  T("futex FUTEX_WAIT on a file", wait_for(child));
  word = 0;
  child = CHILD(u32 time[2] = {0, 50000000}; leave(SYS(futex, &word, WAIT, 0, time, 0, 0) == 0 ? 1 : 2));
  pause_for(20);
  C(futex, &word, WAKE, 1, 0, 0, 0);
  T("futex FUTEX_WAIT on private memory", wait_for(child));
  u8 *read_only = at_of(SYS(mmap2, 0, PAGE, 1, 0x22, -1, 0));
  C(futex, read_only, WAIT, 1, 0, 0, 0);
  C(futex, read_only, WAKE, 1, 0, 0, 0);
}

/* A robust list with one lock: struct robust_list_head { next, offset of the lock, pending }. */
static struct { void *next, *entry; i32 offset; void *pending; void *lock_next; u32 lock; } robust;
static volatile u32 pending_lock[2];
static void dies_with_locks(void) {
  robust.next = &robust.lock_next, robust.offset = 4, robust.pending = 0;
  robust.lock_next = &robust.next;
  robust.lock = SYS(gettid);
  SYS(set_robust_list, &robust.next, 12);
}
static void robust_lists(void) {
  struct { void *next; i32 offset; void *pending; } *head;
  u32 length;
  C(set_robust_list, &robust, 12);
  C(set_robust_list, &robust, 24);
  C(set_robust_list, &robust, 0);
  C(set_robust_list, BAD, 12);
  C(get_robust_list, 0, &head, &length);
  N("%u %s", length, head == BAD ? "as it was set" : "another");
  C(get_robust_list, 99999, &head, &length);
  C(get_robust_list, 0, BAD, &length);
  C(get_robust_list, 0, &head, BAD);
  C(set_robust_list, 0, 12);
  struct { void *next; i32 offset; void *pending; void *entry; u32 lock; } *list = at_of(SYS(mmap2, 0, PAGE, 3, 0x21, -1, 0));
  ALONE(list->next = &list->entry; list->offset = 4; list->pending = 0; list->entry = list; list->lock = SYS(gettid);
        SYS(set_robust_list, list, 12));
  T("set_robust_list: the lock of one that ended", list->lock == 0x40000000);
  ALONE(list->next = &list->entry; list->lock = SYS(gettid) | 0x80000000; SYS(set_robust_list, list, 12));
  T("set_robust_list: one that others wait for", list->lock == 0xc0000000);
  ALONE(list->next = &list->entry; list->lock = 1; SYS(set_robust_list, list, 12));
  T("set_robust_list: one of another owner", list->lock == 1);
  ALONE(list->next = list; list->pending = &list->entry; list->lock = SYS(gettid); SYS(set_robust_list, list, 12));
  T("set_robust_list: one that is being taken", list->lock == 0x40000000);
  list->pending = 0;
  i32 child = CHILD(list->next = &list->entry; list->lock = SYS(gettid) | 0x80000000; SYS(set_robust_list, list, 12); pause_for(30));
  pause_for(10);
  u32 seen = list->lock;
  C(futex, &list->lock, WAIT, seen, 0, 0, 0);
  wait_for(child);
  T("set_robust_list: who waits is woken", list->lock == 0xc0000000);
  (void)dies_with_locks, (void)pending_lock;
  T("set_tid_address", SYS(set_tid_address, &ended) == SYS(gettid));
}

static void areas(void) {
  struct { u32 entry, base, limit, flags; } area = {-1, 0x1000, 0xfffff, 0x51}, got;
  C(set_thread_area, &area) == 0 ? N("entry given") : N("no entry");
  u32 entry = area.entry;
  got.entry = entry;
  C(get_thread_area, &got);
  N("%x %x %x", got.base, got.limit, got.flags);
  got.entry = 0;
  C(get_thread_area, &got);
  got.entry = 100;
  C(get_thread_area, &got);
  C(get_thread_area, BAD);
  C(set_thread_area, BAD);
  area.entry = 99;
  C(set_thread_area, &area);
  area.entry = -1;
  C(set_thread_area, &area);
  area.entry = -1;
  C(set_thread_area, &area);
  area.entry = -1;
  C(set_thread_area, &area);
  area.entry = entry, area.base = area.limit = 0, area.flags = 0x28;
  C(set_thread_area, &area);
  got.entry = entry;
  C(get_thread_area, &got);
  N("%x %x %x", got.base, got.limit, got.flags);
  area.entry = entry, area.flags = 0x57;
  C(set_thread_area, &area);
  area.flags = 0x50;
  C(set_thread_area, &area);
}

void cases(int argc, char **argv) {
  (void)argc, (void)argv;
  simple();
  among_threads();
  among_processes();
  robust_lists();
  areas();
}
