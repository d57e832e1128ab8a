/* Clocks and timers: clock_gettime(2), clock_nanosleep(2), setitimer(2), alarm(2), timer_create(2), timerfd_create(2), times(2). */
#include "cases.h"

enum { USR1 = 10, ALRM = 14 };
static volatile u32 handled;
static u32 last[32];
static void handler(i32 signal) { (void)signal, handled++; }
static void informed(i32 signal, u32 *info) { (void)signal, handled++, memcpy(last, info, 128); }

static void clocks(void) {
  static const i32 all[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 16, -1, -2, 99};
  u32 time[2], wide[4];
  for (u32 n = 0; n < COUNT(all); n++) {
    note("clock_gettime(%d) = %e", all[n], SYS(clock_gettime, all[n], time));
    note("clock_gettime64(%d) = %e", all[n], SYS(clock_gettime64, all[n], wide));
    note("clock_getres(%d) = %e", all[n], SYS(clock_getres, all[n], time));
    note("clock_getres_time64(%d) = %e", all[n], SYS(clock_getres_time64, all[n], wide));
  }
  C(clock_gettime, 0, BAD);
  C(clock_gettime, 99, BAD);
  C(clock_getres, 0, 0);
  C(clock_getres, 0, BAD);
  C(clock_getres, 99, BAD);
  C(clock_getres, 1, time);
  N("%u.%u", time[0], time[1]);
  C(clock_getres_time64, 0, wide);
  N("%u.%u", wide[0], wide[2]);
  u64 before = now();
  pause_for(5);
  T("clock_gettime goes on", now() - before >= 5000000);
  u32 a[2], b[2];
  SYS(gettimeofday, a, 0), SYS(clock_gettime, 0, b);
  T("gettimeofday is clock_gettime", b[0] - a[0] <= 1);
  T("time is clock_gettime", b[0] - SYS(time, 0) <= 1 || SYS(time, 0) - b[0] <= 1);
  C(gettimeofday, 0, 0);
  C(gettimeofday, BAD, 0);
  C(gettimeofday, 0, a);
  N("%u %u", a[0], a[1]);
  C(time, BAD);
  T("time stores what it answers", SYS(time, a) - a[0] <= 1);
  u32 words[18];
  T("times", !is_error(SYS(times, words)));
  C(times, BAD);
  C(getrusage, 0, words);
  C(getrusage, -1, words);
  C(getrusage, 1, words);
  C(getrusage, 2, words);
  C(getrusage, 0, BAD);
  C(getrusage, 2, BAD);
}

static void sleeping(void) {
  u32 time[2] = {0, 1000000}, left[2] = {9, 9}, wide[4] = {0, 0, 1000000, 0};
  u64 start = now();
  C(nanosleep, time, left);
  N("left %u.%u, %s", left[0], left[1], now() - start >= 1000000 ? "long enough" : "too short");
  C(nanosleep, time, 0);
  C(nanosleep, BAD, 0);
  C(nanosleep, time, BAD);
  time[1] = 0;
  C(nanosleep, time, 0);
  time[1] = 1000000000;
  C(nanosleep, time, 0);
  time[1] = -1;
  C(nanosleep, time, 0);
  time[0] = -1, time[1] = 0;
  C(nanosleep, time, 0);
  time[0] = 0, time[1] = 1000000;
  C(clock_nanosleep, 0, 0, time, 0);
  C(clock_nanosleep, 1, 0, time, 0);
  C(clock_nanosleep, 7, 0, time, 0);
  C(clock_nanosleep, 3, 0, time, 0);
  C(clock_nanosleep, 4, 0, time, 0);
  C(clock_nanosleep, 5, 0, time, 0);
  C(clock_nanosleep, 6, 0, time, 0);
  C(clock_nanosleep, 11, 0, time, 0);
  C(clock_nanosleep, 99, 0, time, 0);
  C(clock_nanosleep, 1, 1, time, 0);
  C(clock_nanosleep, 0, 1, time, 0);
  C(clock_nanosleep, 1, 2, time, 0);
  C(clock_nanosleep, 99, 0, BAD, 0);
  C(clock_nanosleep, 1, 0, BAD, 0);
  time[1] = 1000000000;
  C(clock_nanosleep, 1, 0, time, 0);
  C(clock_nanosleep, 3, 0, time, 0);
  C(clock_nanosleep_time64, 1, 0, wide, 0);
  wide[1] = -1;
  C(clock_nanosleep_time64, 1, 0, wide, 0);
  wide[1] = 0, wide[3] = 1;
  C(clock_nanosleep_time64, 1, 0, wide, 0);
  SYS(clock_gettime, 1, time);
  time[1] += 5000000;
  if (time[1] >= 1000000000) time[1] -= 1000000000, time[0]++;
  C(clock_nanosleep, 1, 1, time, 0);
  SYS(clock_gettime, 1, left);
  N("%s", left[0] > time[0] || (left[0] == time[0] && left[1] >= time[1]) ? "not too early" : "too early");
}

static void intervals(void) {
  u32 value[4] = {0, 0, 0, 20000}, old[4];
  handle(ALRM, informed, SA_SIGINFO);
  C(setitimer, 0, value, 0);
  C(getitimer, 0, old);
  N("%u %u %u %s", old[0], old[1], old[2], old[3] > 0 && old[3] <= 20000 ? "less" : "not less");
  SYS(pause);
  N("handled %u code %d", handled, last[2]);
  C(getitimer, 0, old);
  N("%u %u %u %u", old[0], old[1], old[2], old[3]);
  handled = 0;
  value[1] = 10000, value[3] = 10000;
  C(setitimer, 0, value, old);
  for (u32 n = 0; n < 3; n++) SYS(pause);
  C(setitimer, 0, 0, old);
  N("handled %u, interval %u", handled, old[1]);
  C(getitimer, 0, old);
  N("%u", old[3]);
  C(setitimer, 3, value, 0);
  C(setitimer, -1, value, 0);
  C(getitimer, 3, old);
  C(getitimer, 0, BAD);
  C(setitimer, 0, BAD, 0);
  value[3] = 1000000;
  C(setitimer, 0, value, 0);
  value[3] = -1;
  C(setitimer, 0, value, 0);
  value[3] = 0, value[2] = -1;
  C(setitimer, 0, value, 0);
  value[2] = 100, value[0] = 0, value[1] = 0;
  C(setitimer, 0, value, BAD);
  C(alarm, 0);
  value[2] = 0;
  C(setitimer, 1, value, old);
  C(setitimer, 2, value, old);
  C(alarm, 10);
  C(alarm, 1);
  C(alarm, 0);
  C(alarm, 0);
  C(alarm, 5);
  C(getitimer, 0, old);
  N("%u", old[2] == 4 || old[2] == 5);
  ALONE(C(alarm, 0));
  C(alarm, 0);
  handle(26, informed, SA_SIGINFO);
  handled = 0;
  value[3] = 10000;
  C(setitimer, 1, value, 0);
  for (u64 start = now(); !handled && now() - start < 2000000000;)
    ;
  N("ITIMER_VIRTUAL %u", handled);
  handle(27, informed, SA_SIGINFO);
  handled = 0;
  C(setitimer, 2, value, 0);
  for (u64 start = now(); !handled && now() - start < 2000000000;)
    ;
  N("ITIMER_PROF %u", handled);
}

static void posix(void) {
  struct { u32 value; i32 signal, notify, thread; u32 more[12]; } event = {0x77, USR1, 0, 0, {0}};
  i32 timer = -1, second;
  u32 value[4] = {0, 0, 0, 10000000}, got[4];
  handle(USR1, informed, SA_SIGINFO);
  handle(ALRM, informed, SA_SIGINFO);
  handled = 0;
  C(timer_create, 1, &event, &timer);
  N("timer %d", timer);
  C(timer_gettime, timer, got);
  N("%u %u %u %u", got[0], got[1], got[2], got[3]);
  C(timer_settime, timer, 0, value, got);
  C(timer_gettime, timer, got);
  N("%u", got[3] > 0 && got[3] <= 10000000);
  SYS(pause);
  N("handled %u signal %d code %d timer %d overrun %d value %x", handled, last[0], last[2], last[3], last[4], last[5]);
  C(timer_getoverrun, timer);
  C(timer_gettime, timer, got);
  N("%u %u", got[2], got[3]);
  value[1] = 5000000, value[3] = 5000000;
  handled = 0;
  C(timer_settime, timer, 0, value, 0);
  SYS(pause), SYS(pause), SYS(pause);
  N("handled %u", handled);
  value[1] = 5000000, value[3] = 0;
  C(timer_settime, timer, 0, value, got);
  N("%u", got[1]);
  C(timer_gettime, timer, got);
  N("%u %u", got[1], got[3]);
  value[1] = 0;
  /* Overruns while the signal is blocked. */
  u32 set[2] = {1 << (USR1 - 1), 0};
  SYS(rt_sigprocmask, 0, set, 0, 8);
  value[1] = value[3] = 2000000;
  SYS(timer_settime, timer, 0, value, 0);
  pause_for(50);
  value[1] = value[3] = 0;
  SYS(timer_settime, timer, 0, value, 0);
  handled = 0;
  SYS(rt_sigprocmask, 1, set, 0, 8);
  N("handled %u after a disarm", handled);
  C(timer_create, 0, 0, &second);
  N("%s", second != timer ? "another" : "the same");
  value[3] = 1000000;
  handled = 0;
  C(timer_settime, second, 0, value, 0);
  SYS(pause);
  N("signal %d code %d value %s", last[0], last[2], last[5] == (u32)second ? "its number" : "another");
  C(timer_delete, second);
  C(timer_delete, second);
  C(timer_settime, second, 0, value, 0);
  C(timer_gettime, second, got);
  C(timer_getoverrun, second);
  C(timer_create, 99, &event, &second);
  C(timer_create, 5, &event, &second);
  C(timer_create, 4, &event, &second);
  C(timer_create, 1, BAD, &second);
  C(timer_create, 1, &event, BAD);
  event.signal = 65;
  C(timer_create, 1, &event, &second);
  event.signal = 0;
  C(timer_create, 1, &event, &second);
  event.signal = USR1, event.notify = 9;
  C(timer_create, 1, &event, &second);
  event.notify = 4, event.thread = 99999;
  C(timer_create, 1, &event, &second);
  event.thread = SYS(gettid);
  C(timer_create, 1, &event, &second);
  C(timer_delete, second);
  /* The same with seconds of 64 bits. */
  u64 wide[4] = {0, 0, 100, 0}, wide_got[4];
  C(timer_settime64, timer, 0, wide, wide_got);
  C(timer_gettime64, timer, wide_got);
  N("%u", wide_got[2] == 99 || wide_got[2] == 100);
  wide[3] = 1ull << 32;
  C(timer_settime64, timer, 0, wide, 0);
  wide[3] = 1000000000;
  C(timer_settime64, timer, 0, wide, 0);
  wide[2] = -1ull, wide[3] = 0;
  C(timer_settime64, timer, 0, wide, 0);
  C(timer_settime64, timer, 0, BAD, 0);
  C(timer_gettime64, timer, BAD);
  C(timer_gettime64, 99, wide_got);
  event.notify = 1;
  C(timer_create, 1, &event, &second);
  C(timer_settime, second, 0, BAD, 0);
  C(timer_settime, second, 0, 0, 0);
  value[3] = 1000000000;
  C(timer_settime, second, 0, value, 0);
  value[3] = 1;
  C(timer_settime, second, 0, value, BAD);
  C(timer_settime, second, 1, value, 0);
  pause_for(5);
  C(timer_gettime, second, BAD);
  C(timer_getoverrun, second);
  ALONE(C(timer_gettime, timer, got));
  C(timer_delete, timer);
  C(timer_delete, -1);
}

/* Burns CPU time: until the clock is at `until`, or the handler has run. */
static void burn(i32 clock, u64 until) {
  u32 wide[4];
  for (u32 n = 0; n < 2000000 && !handled; n++) {
    if (SYS(clock_gettime64, clock, wide)) return;
    if ((u64)wide[0] * 1000000000u + wide[2] >= until) return;
  }
}
static u64 time_of(i32 clock) {
  u32 wide[4] = {0};
  SYS(clock_gettime64, clock, wide);
  return (u64)wide[0] * 1000000000u + wide[2];
}
static u8 stack[8192];
static volatile u32 other_thread, is_over;
static void burns(void) {
  other_thread = SYS(gettid);
  while (!is_over) SYS(sched_yield);
}

/* Timers by CPU time, and sleeping by it. */
static void cpu_time(void) {
  struct { u32 value; i32 signal, notify, thread; u32 more[12]; } event = {0x55, USR1, 0, 0, {0}};
  i32 timer = -1, ended = CHILD(SYS(pause));
  u32 value[4] = {0, 0, 0, 20000000}, got[4];
  i32 process = ~SYS(getpid) << 3 | 2, thread_clock = ~SYS(gettid) << 3 | 6, of_child = ~ended << 3 | 2;
  C(clock_gettime, process, got);
  C(clock_gettime, thread_clock, got);
  C(clock_gettime, of_child, got);
  C(clock_gettime, of_child | 4, got);
  C(clock_gettime, of_child | 3, got);
  C(clock_gettime, process & ~3, got);
  C(clock_gettime, (process & ~3) | 1, got);
  static const i32 clocks[] = {2, 3};
  i32 numbers[] = {clocks[0], clocks[1], process, thread_clock, -2, -6};
  static const char *const names[] = {"2", "3", "process", "thread", "-2", "-6"};
  handle(USR1, informed, SA_SIGINFO);
  for (u32 n = 0; n < COUNT(numbers); n++) {
    note("timer_create(%s) = %e", names[n], SYS(timer_create, numbers[n], &event, &timer));
    C(timer_gettime, timer, got);
    N("%u %u %u %u", got[0], got[1], got[2], got[3]);
    handled = 0;
    u64 start = time_of(numbers[n]);
    C(timer_settime, timer, 0, value, got);
    C(timer_gettime, timer, got);
    N("%u", got[3] > 0 && got[3] <= 20000000);
    pause_for(5);
    C(timer_gettime, timer, got);
    N("%s, handled %u", got[3] > 15000000 ? "it stands while the process sleeps" : "it goes on", handled);
    burn(numbers[n], start + 2000000000);
    N("handled %u signal %d code %d overrun %d value %x, %s", handled, last[0], last[2], last[4], last[5],
      time_of(numbers[n]) - start >= 20000000 ? "not too early" : "too early");
    C(timer_gettime, timer, got);
    N("%u %u %u %u", got[0], got[1], got[2], got[3]);
    C(timer_delete, timer);
  }
  /* Again and again, then no more. */
  C(timer_create, 2, &event, &timer);
  value[1] = 10000000, value[3] = 10000000;
  C(timer_settime, timer, 0, value, 0);
  for (u32 n = 0; n < 3; n++) handled = 0, burn(2, -1ull);
  N("handled %u", handled);
  value[3] = 0;
  C(timer_settime, timer, 0, value, got);
  N("%u", got[1]);
  C(timer_gettime, timer, got);
  N("%u %u", got[1], got[3]);
  /* A time that is past. */
  value[1] = 0, value[3] = 1, handled = 0;
  C(timer_settime, timer, 1, value, 0);
  burn(2, -1ull);
  N("handled %u", handled);
  value[2] = 100, value[3] = 0;
  C(timer_settime, timer, 0, value, 0);
  value[2] = 0, value[3] = 1000000000;
  C(timer_settime, timer, 0, value, 0);
  C(timer_gettime, timer, got);
  N("%u", got[2] == 99 || got[2] == 100);
  ALONE(C(timer_gettime, timer, got));
  C(timer_delete, timer);
  /* Nobody is told. */
  event.notify = 1;
  C(timer_create, 2, &event, &timer);
  value[3] = 1000000, handled = 0;
  C(timer_settime, timer, 0, value, 0);
  burn(2, time_of(2) + 20000000);
  N("handled %u", handled);
  C(timer_gettime, timer, got);
  N("%u %u", got[2], got[3]);
  C(timer_delete, timer);
  event.notify = 0;
  /* Of another process, and of one that has ended. */
  C(timer_create, of_child | 4, &event, &timer);
  C(timer_create, of_child | 3, &event, &timer);
  C(timer_create, -1, &event, &timer);
  C(timer_create, 0x80000002, &event, &timer);
  C(timer_create, of_child, &event, &timer);
  C(timer_settime, timer, 0, value, 0);
  SYS(kill, ended, 9), wait_for(ended);
  C(timer_gettime, timer, got);
  N("%u %u", got[2], got[3]);
  C(timer_settime, timer, 0, value, 0);
  C(timer_delete, timer);
  C(clock_gettime, of_child, got);
  C(clock_getres, of_child, got);
  C(timer_create, of_child, &event, &timer);
  /* Sleeping. */
  u32 time[2] = {0, 10000000}, left[2] = {9, 9};
  C(clock_nanosleep, thread_clock, 0, time, 0);
  C(clock_nanosleep, -2, 0, time, 0);
  C(clock_nanosleep, of_child, 0, time, 0);
  C(clock_nanosleep, of_child | 3, 0, time, 0);
  C(clock_nanosleep, 2, 0, BAD, 0);
  time[1] = 1000000000;
  C(clock_nanosleep, 2, 0, time, 0);
  time[1] = 1;
  C(clock_nanosleep, 2, 1, time, 0);
  time[0] = 5, time[1] = 0;
  u32 alarm[4] = {0, 0, 0, 20000};
  handle(ALRM, informed, SA_SIGINFO);
  SYS(setitimer, 0, alarm, 0);
  C(clock_nanosleep, 2, 0, time, left);
  N("%s", left[0] == 4 || left[0] == 5 ? "nearly all is left" : "too little is left");
  SYS(setitimer, 0, alarm, 0);
  C(clock_nanosleep, process, 0, time, left);
  N("%s", left[0] == 4 || left[0] == 5 ? "nearly all is left" : "too little is left");
  time[0] = 0, time[1] = 20000000;
  thread(0x100 | 0x200 | 0x400 | 0x800 | 0x10000, stack + sizeof stack, burns, 0, 0, 0);
  while (!other_thread) SYS(sched_yield);
  u64 start = time_of(2);
  C(clock_nanosleep, 2, 0, time, 0);
  N("%s", time_of(2) - start >= 20000000 ? "not too early" : "too early");
  i32 of_other = ~(i32)other_thread << 3 | 6;
  start = time_of(of_other);
  C(clock_nanosleep, of_other, 0, time, 0);
  N("%s", time_of(of_other) - start >= 20000000 ? "not too early" : "too early");
  C(timer_create, of_other, &event, &timer);
  value[3] = 10000000, handled = 0;
  start = time_of(of_other);
  C(timer_settime, timer, 0, value, 0);
  while (!handled && time_of(of_other) - start < 2000000000) SYS(sched_yield);
  N("handled %u", handled);
  C(timer_delete, timer);
  is_over = 1;
  pause_for(5);
}

/* Setting clocks: by nobody who may. */
static void setting(void) {
  u32 time[2] = {1, 0}, wide[4] = {1, 0, 0, 0}, zone[2] = {0, 0};
  SYS(setuid32, 1000);
  C(clock_settime, 0, time);
  C(clock_settime64, 0, wide);
  static const i32 others[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 16, 99, -1, -2, -6};
  for (u32 n = 0; n < COUNT(others); n++) note("clock_settime(%d) = %e", others[n], SYS(clock_settime, others[n], time));
  C(clock_settime, 0, BAD);
  C(clock_settime64, 0, BAD);
  C(clock_settime, -6, BAD);
  C(clock_settime, 1, BAD);
  C(settimeofday, time, 0);
  C(settimeofday, 0, 0);
  C(settimeofday, 0, zone);
  C(settimeofday, time, zone);
  C(settimeofday, BAD, 0);
  C(settimeofday, 0, BAD);
  C(settimeofday, time, BAD);
  C(stime, time);
  C(stime, BAD);
  time[1] = 1000000, C(settimeofday, time, 0);
  time[1] = 1000001, C(settimeofday, time, 0);
  time[1] = 1000000000, C(clock_settime, 0, time);
  time[0] = time[1] = -1, C(settimeofday, time, 0);
  time[1] = 0, C(settimeofday, time, 0);
  C(clock_settime, 0, time);
  C(stime, time);
  wide[1] = 100, C(clock_settime64, 0, wide);
  wide[1] = wide[3] = 0, wide[2] = -1, C(clock_settime64, 0, wide);
  zone[0] = 901, C(settimeofday, 0, zone);
}

static void descriptors(void) {
  u32 value[4] = {0, 0, 0, 10000000}, got[4];
  u64 count;
  C(timerfd_create, 1, 0);
  C(timerfd_create, 1, 04000 | 02000000);
  C(fcntl64, 4, 1);
  C(timerfd_create, 0, 0);
  C(timerfd_create, 7, 0);
  C(timerfd_create, 2, 0);
  C(timerfd_create, 4, 0);
  C(timerfd_create, 8, 0);
  C(timerfd_create, 1, 1);
  C(read, 4, &count, 8);
  C(read, 4, &count, 7);
  C(read, 4, BAD, 8);
  C(write, 3, &count, 8);
  C(lseek, 3, 0, 0);
  C(timerfd_settime, 3, 0, value, got);
  N("%u %u %u %u", got[0], got[1], got[2], got[3]);
  C(timerfd_gettime, 3, got);
  N("%u %u", got[2], got[3] > 0 && got[3] <= 10000000);
  C(read, 3, &count, 8);
  N("%U", count);
  C(timerfd_gettime, 3, got);
  N("%u %u", got[2], got[3]);
  value[1] = 10000000;
  C(timerfd_settime, 3, 0, value, 0);
  pause_for(35);
  C(read, 3, &count, 100);
  N("%s", count >= 3 && count < 30 ? "several" : "not several");
  C(timerfd_settime, 3, 4, value, 0);
  C(timerfd_settime, 4, 3, value, 0);
  C(timerfd_settime, 4, 2, value, 0);
  C(timerfd_settime, 3, 0, BAD, 0);
  C(timerfd_settime, 3, 0, 0, 0);
  C(timerfd_settime, 3, 0, value, BAD);
  C(timerfd_settime, 99, 0, value, 0);
  C(timerfd_settime, 0, 0, value, 0);
  C(timerfd_settime, 99, 0, BAD, 0);
  u64 wide[4] = {0, 0, 100, 0}, wide_got[4];
  C(timerfd_settime64, 3, 0, wide, wide_got);
  N("%U %U", wide_got[0], wide_got[1]);
  C(timerfd_gettime64, 3, wide_got);
  N("%u", wide_got[2] == 99 || wide_got[2] == 100);
  C(timerfd_gettime64, 3, BAD);
  C(timerfd_settime64, 3, 0, BAD, 0);
  wide[3] = 1000000000;
  C(timerfd_settime64, 3, 0, wide, 0);
  C(timerfd_gettime, 3, BAD);
  C(timerfd_gettime, 99, got);
  C(timerfd_gettime, 0, got);
  value[3] = 1000000000;
  C(timerfd_settime, 3, 0, value, 0);
  value[3] = -1;
  C(timerfd_settime, 3, 0, value, 0);
  value[0] = value[1] = 0, value[3] = 1;
  C(timerfd_settime, 3, 1, value, 0);
  C(read, 3, &count, 8);
  N("%U", count);
  value[3] = 0;
  C(timerfd_settime, 3, 0, value, 0);
  struct { i32 fd; u16 wanted, found; } poll = {3, 1, 0};
  C(poll, &poll, 1, 5);
  value[3] = 1000000;
  C(timerfd_settime, 3, 0, value, 0);
  C(poll, &poll, 1, 500);
  N("%x", poll.found);
  SYS(close_range, 3, -1, 0);
}

void cases(int argc, char **argv) {
  (void)argc, (void)argv, (void)handler;
  clocks();
  sleeping();
  intervals();
  posix();
  descriptors();
  cpu_time();
  ALONE(setting());
}
