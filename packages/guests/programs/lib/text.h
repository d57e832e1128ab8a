/* Text and numbers. */
#pragma once
#include "system.h"

u32 text_length(const char *text);
int text_equal(const char *a, const char *b);

/* Copies a text without its end, and returns where it ends. */
char *put_text(char *to, const char *text);
char *put_decimal(char *to, u32 value);
/* Eight digits, in as many instructions for any value. */
char *put_hex(char *to, u32 value);

/* A decimal number that is all of the text, from 1 on; 0 if it is none. */
u32 parse_count(const char *text);
