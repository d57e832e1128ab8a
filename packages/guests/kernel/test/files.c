/* The file system: files, directories, descriptors, listings. */
#include "test.h"

static void contents(void)
{
    begin("files: what is written is read, across pages, holes and the tables of large files");
    s32 fd = open("/f", O_RDWR | O_CREAT | O_EXCL, 0640);
    check_equal(open("/f", O_RDWR | O_CREAT | O_EXCL, 0640), -EEXIST);
    static u8 part[10000], got[10000];
    for (u32 i = 0; i < sizeof part; i++)
        part[i] = (u8)(i * 7 + 3);
    check_equal(write(fd, part, sizeof part), sizeof part);
    check_equal(lseek(fd, 5000000, SEEK_SET), 5000000);
    check_equal(write(fd, part, 10), 10);
    check_equal(lseek(fd, -10, SEEK_END), 5000000);
    check_equal(lseek(fd, 4, SEEK_CUR), 5000004);
    check_equal(read(fd, got, 100), 6);
    check_equal(got[0], part[4]);
    check_equal(read(fd, got, 100), 0);
    lseek(fd, 3, SEEK_SET);
    check_equal(read(fd, got, 9000), 9000);
    check_equal(memcmp(got, part + 3, 9000), 0);
    lseek(fd, 100000, SEEK_SET);
    check_equal(read(fd, got, 100), 100);
    check_equal(got[0] + got[99], 0);
    u64 position = 1;
    check_equal(CALL5(140, fd, 0, 70000, &position, SEEK_SET), 0);
    check_equal((s32)position, 70000);
    check_equal(lseek(fd, -1, SEEK_SET), -EINVAL);
    check_equal(lseek(fd, 0, 7), -EINVAL);
    struct stat64 stat;
    check_equal(fstat64(fd, &stat), 0);
    check_equal(stat.size, 5000010);
    check_equal(stat.mode, S_IFREG | 0640);
    check_equal(stat.nlink, 1);
    check_equal(close(fd), 0);
    check_equal(close(fd), -EBADF);
    check_equal(read(fd, got, 1), -EBADF);
    fd = open("/f", O_RDONLY, 0);
    check_equal(write(fd, part, 1), -EBADF);
    close(fd);
    fd = open("/f", O_WRONLY | O_TRUNC, 0);
    check_equal(read(fd, got, 1), -EBADF);
    fstat64(fd, &stat);
    check_equal(stat.size, 0);
    close(fd);
    check_equal(unlink("/f"), 0);
    check_equal(unlink("/f"), -ENOENT);
    end();
}

static void appending(void)
{
    begin("files: O_APPEND, dup and children share a position, two openings do not");
    s32 a = open("/a", O_RDWR | O_CREAT | O_APPEND, 0644), b = open("/a", O_RDWR | O_APPEND, 0), c = dup(a);
    write(a, "one", 3);
    write(b, "two", 3);
    child_status(write(a, "three", 5));
    write(c, "!", 1);
    char got[16] = {0};
    lseek(c, 0, SEEK_SET);
    check_equal(read(a, got, 16), 12);
    check_equal(memcmp(got, "onetwothree!", 12), 0);
    check_equal(read(c, got, 16), 0);
    check_equal(lseek(b, 0, SEEK_CUR), 6);
    check_equal(dup2(a, 40), 40);
    check_equal(dup2(a, a), a);
    check_equal(dup2(a, 64), -EBADF);
    check_equal(dup2(41, 5), -EBADF);
    close(a), close(b), close(c);
    check_equal(lseek(40, 0, SEEK_CUR), 12);
    close(40);
    unlink("/a");
    end();
}

static void directories(void)
{
    begin("files: directories, paths with . and .., the working directory");
    check_equal(mkdir("/d", 0755), 0);
    check_equal(mkdir("/d", 0755), -EEXIST);
    check_equal(mkdir("/d/e/", 0755), 0);
    check_equal(mkdir("/x/y", 0755), -ENOENT);
    check_equal(mkdir("/tests/fork/y", 0755), -ENOTDIR);
    check_equal(chdir("/d/e"), 0);
    char path[32];
    check_equal(getcwd(path, 32), 5);
    check_equal(strcmp(path, "/d/e"), 0);
    check_equal(getcwd(path, 4), -ERANGE);
    s32 fd = open("./../e//file", O_RDWR | O_CREAT, 0644);
    check(fd >= 0);
    close(fd);
    struct stat64 stat;
    check_equal(stat64("/d/e/file", &stat), 0);
    check_equal(stat64("/d/e/file/", &stat), -ENOTDIR);
    check_equal(stat64("/d/../d/./e", &stat), 0);
    check_equal(stat.mode, S_IFDIR | 0755);
    check_equal(stat64("", &stat), -ENOENT);
    check_equal(rmdir("/d/e"), -ENOTEMPTY);
    check_equal(rmdir("/d/e/file"), -ENOTDIR);
    check_equal(unlink("/d/e"), -EISDIR);
    check_equal(unlink("file"), 0);
    check_equal(rmdir("/d/e"), 0);
    check_equal(getcwd(path, 32), -ENOENT);
    check_equal(open("file", O_RDWR | O_CREAT, 0644), -ENOENT);
    check_equal(chdir(".."), 0);
    check_equal(chdir("/dev/null"), -ENOTDIR);
    check_equal(chdir("/"), 0);
    check_equal(rmdir("/d"), 0);
    check_equal(rmdir("/d/."), -ENOENT);
    check_equal(open("/", O_RDWR, 0), -EISDIR);
    check_equal(open("/dev/null", O_RDONLY | O_DIRECTORY, 0), -ENOTDIR);
    static char name[300];
    for (u32 i = 0; i < sizeof name - 1; i++)
        name[i] = 'n';
    check_equal(mkdir(name, 0755), -ENAMETOOLONG);
    end();
}

static void listing(void)
{
    begin("files: a listing in small pieces shows each name once, while names come and go");
    mkdir("/l", 0755);
    char path[] = "/l/name00";
    for (u32 i = 0; i < 40; i++) {
        path[7] = (char)('0' + i / 10);
        path[8] = (char)('0' + i % 10);
        close(open(path, O_WRONLY | O_CREAT, 0600));
    }
    s32 fd = open("/l", O_RDONLY | O_DIRECTORY, 0), bytes;
    u8 buffer[100];
    u32 seen = 0, fixed = 0;
    while ((bytes = getdents64(fd, buffer, sizeof buffer)) > 0)
        for (s32 at = 0; at < bytes; at += ((struct dirent64 *)(buffer + at))->bytes) {
            const struct dirent64 *entry = (struct dirent64 *)(buffer + at);
            if (entry->name[0] == '.') {
                fixed++;
                check_equal(entry->type, 4);
                continue;
            }
            check_equal(entry->type, 8);
            path[7] = entry->name[4];
            path[8] = entry->name[5];
            check_equal(unlink(path), 0);
            seen++;
        }
    check_equal(bytes, 0);
    check_equal(fixed, 2);
    check_equal(seen, 40);
    lseek(fd, 0, SEEK_SET);
    check_equal(getdents64(fd, buffer, sizeof buffer), 48);
    lseek(fd, 0, SEEK_SET);
    check_equal(getdents64(fd, buffer, 10), -EINVAL);
    check_equal(read(fd, buffer, 10), -EISDIR);
    check_equal(getdents64(1, buffer, 100), -ENOTDIR);
    close(fd);
    check_equal(rmdir("/l"), 0);
    end();
}

static void unlinked(void)
{
    begin("files: an unlinked file lives as long as it is open");
    s32 fd = open("/u", O_RDWR | O_CREAT, 0644);
    write(fd, "still", 5);
    check_equal(unlink("/u"), 0);
    struct stat64 stat;
    check_equal(stat64("/u", &stat), -ENOENT);
    char got[5];
    lseek(fd, 0, SEEK_SET);
    check_equal(read(fd, got, 5), 5);
    check_equal(memcmp(got, "still", 5), 0);
    fstat64(fd, &stat);
    check_equal(stat.nlink, 0);
    close(fd);
    end();
}

static void devices(void)
{
    begin("files: devices");
    s32 fd = open("/dev/null", O_RDWR, 0);
    char byte;
    check_equal(write(fd, "x", 1), 1);
    check_equal(read(fd, &byte, 1), 0);
    check_equal(lseek(fd, 5, SEEK_SET), 0);
    check_equal(lseek(1, 0, SEEK_SET), -ESPIPE);
    struct stat64 stat;
    fstat64(fd, &stat);
    check_equal(stat.mode & S_IFMT, S_IFCHR);
    check_equal(stat.rdev, 0x103);
    close(fd);
    fstat64(1, &stat);
    check_equal(stat.rdev, 0x501);
    s32 opened = 0;
    while ((fd = open("/dev/null", O_RDONLY, 0)) >= 0)
        opened++;
    check_equal(fd, -EMFILE);
    check_equal(opened, 61);
    for (fd = 3; fd < 64; fd++)
        close(fd);
    end();
}

int main(int argc, char **argv, char **envp)
{
    (void)argc, (void)argv, (void)envp;
    contents();
    appending();
    directories();
    listing();
    unlinked();
    devices();
    return 0;
}
