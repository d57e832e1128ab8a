/* Faults on purpose: the handler steps past an instruction of two bytes. */
#pragma once
#include "program.h"

enum { SIGFPE = 8, SIGSEGV = 11 };

/* Faults stepped past so far. */
extern volatile u32 faults;

/* From now on `signal` counts a fault and goes on behind the instruction, which must have two bytes. */
void step_past(u32 signal);
