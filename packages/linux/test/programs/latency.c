/* A parent that sleeps until its child, which is busy, writes to a pipe: how long it takes until it runs, at most, in microseconds. The first
   time it may not sleep yet. */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static long long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

int main(void) {
  int ends[2], count = 0;
  long long sent, most = 0;
  pipe(ends);
  if (fork() == 0) {
    for (int n = 0; n < 20; n++) {
      sent = now();
      write(ends[1], &sent, sizeof sent);
      while (now() - sent < 3700000) continue;
    }
    return 0;
  }
  close(ends[1]);
  while (read(ends[0], &sent, sizeof sent) == sizeof sent)
    if (count++ > 0 && now() - sent > most) most = now() - sent;
  printf("%lld\n", most / 1000);
  return 0;
}
