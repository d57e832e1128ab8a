/* A child that begins this program anew, which exits at once, and is waited for. */
#include "lib/program.h"

static char *path;

static void prepare(char **arguments) { path = arguments[0]; }

static u32 work(u32 count) {
  char *const arguments[] = {path, "child", 0}, *const environment[] = {0};
  for (u32 i = 0; i < count; i++) {
    i32 status, child = fork();
    check(child, "fork");
    if (child == 0) {
      execve(path, arguments, environment);
      exit(127);
    }
    if (waitpid(child, &status, 0) != child) fail("waitpid gave another process");
    if (exit_code(status) == 127) fail("execve failed: argv[0] must be the path of this program");
    if (exit_code(status) != 7) fail("a child ended with another exit code");
  }
  return count;
}

int main(int argc, char **argv) {
  if (argc == 2 && text_equal(argv[1], "child")) return 7;
  return measure(&(struct program){"exec", 100, 10, prepare, work, 0}, argc, argv);
}
