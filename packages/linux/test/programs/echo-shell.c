/* A shell for one command: what glibc.c has a shell do, and nothing else. */
#include <unistd.h>

int main(void) {
  static const char line[] = "from a shell\n";
  return write(1, line, sizeof line - 1) == sizeof line - 1 ? 3 : 1;
}
