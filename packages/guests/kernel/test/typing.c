/* The console's input: a line with a correction, a line read in pieces, the end. */
#include "test.h"

int main(int argc, char **argv, char **envp)
{
    (void)argc, (void)argv, (void)envp;
    char line[64];
    print("first? ");
    begin("typing: a line, corrected with backspace");
    check_equal(read(0, line, sizeof line), 6);
    check_equal(memcmp(line, "hello\n", 6), 0);
    end();
    print("second? ");
    begin("typing: a line in pieces");
    check_equal(read(0, line, 4), 4);
    check_equal(read(0, line + 4, sizeof line), 3);
    check_equal(memcmp(line, "pieces\n", 7), 0);
    end();
    print("third? ");
    begin("typing: the end");
    check_equal(read(0, line, sizeof line), 0);
    print("\n");
    end();
    return 0;
}
