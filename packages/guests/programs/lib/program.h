/* What a workload program is, and how its cost becomes a slope. */
#pragma once
#include "system.h"
#include "text.h"

struct program {
  const char *name;
  /* Repetitions unless argv[1] says how many. */
  u32 count;
  /* Repetitions before the first marker: after them nothing is touched or done for the first time. */
  u32 warm;
  /* Sets up what the work needs. May be 0. */
  void (*prepare)(char **arguments);
  /* Does the work `count` times, at least once. Returns a checksum that depends on nothing but `count`. */
  u32 (*work)(u32 count);
  /* Takes down what was set up, and checks it. May be 0. */
  void (*finish)(void);
};

/* Runs a program: does its work N times and then 2N times, with a line on standard output before, between and behind:

     @@begin NAME N
     @@middle NAME
     @@end NAME CHECKSUM

   Each is one write() of the same length, padded with spaces, and what is done for it takes the same instructions: so
   the cost of a repetition is ((end - middle) - (middle - begin)) / N, and whatever is done once is in neither. */
int measure(const struct program *program, int argc, char **argv);

/* Ends the program with exit code 1 and a line on standard error that begins with its name. */
_Noreturn void fail(const char *why);

/* The same if `result` is an error of a system call, with its number. */
void check(i32 result, const char *call);
