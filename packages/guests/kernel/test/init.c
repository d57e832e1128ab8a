/* PID 1: runs the programs that its arguments name, or all in /tests, one after the other, and says how each ended. */
#include "test.h"

/* Programs that must be named: one waits for keys, one ends the machine, one is for events.ts. */
static bool must_be_named(const char *name)
{
    return strcmp(name, "typing") == 0 || strcmp(name, "reboot") == 0 || strcmp(name, "events") == 0;
}

static void run(const char *name)
{
    char path[64] = "/tests/";
    memcpy(path + 7, name, strlen(name) + 1);
    s32 pid = fork();
    if (pid == 0) {
        char *argv[] = {path, NULL}, *envp[] = {"A=1", NULL};
        execve(path, argv, envp);
        print("FAILED to execute ");
        print(path);
        print("\n");
        exit(127);
    }
    s32 status = -1, ended;
    do
        ended = waitpid(-1, &status, 0);
    while (ended > 0 && ended != pid);
    if (status) {
        print("FAILED ");
        print(path);
        print(" ended with ");
        print_number(status);
        print("\n");
    }
}

int main(int argc, char **argv, char **envp)
{
    (void)envp;
    for (int i = 1; i < argc; i++)
        run(argv[i]);
    if (argc > 1)
        return 0;
    static u8 names[4096];
    s32 directory = open("/tests", O_RDONLY | O_DIRECTORY, 0);
    s32 bytes = getdents64(directory, names, sizeof names);
    close(directory);
    for (s32 at = 0; at < bytes; at += ((struct dirent64 *)(names + at))->bytes) {
        const struct dirent64 *entry = (struct dirent64 *)(names + at);
        if (entry->name[0] != '.' && !must_be_named(entry->name))
            run(entry->name);
    }
    return 0;
}
