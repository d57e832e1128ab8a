/* Directories, and the way from a path to an inode. Without a slash in front it begins at the process's directory. */
#include "kernel.h"

#define NAME_BYTES 255u
/* Cookies of `.` and `..` when a directory is listed; names come behind. */
#define COOKIES_FIXED 2u

struct inode *root;

void files_start(void)
{
    root = inode_create(S_IFDIR | 0755, DEVICE_NONE);
    root->parent = root;
    root->links = 1;
    root->next_cookie = COOKIES_FIXED;
    static const struct {
        const char *path;
        u32 mode;
        enum device device;
    } nodes[] = {
        {"/dev", S_IFDIR | 0755, DEVICE_NONE},
        {"/dev/console", S_IFCHR | 0600, DEVICE_CONSOLE},
        {"/dev/null", S_IFCHR | 0666, DEVICE_NULL},
    };
    for (u32 i = 0; i < COUNT(nodes); i++) {
        s32 error;
        struct inode *made = path_create(nodes[i].path, nodes[i].mode, nodes[i].device, &error);
        inode_drop(made);
    }
}

static struct entry **entry_place(struct inode *directory, const char *name)
{
    struct entry **place = &directory->first;
    while (*place && strcmp((*place)->name, name) != 0)
        place = &(*place)->next;
    return place;
}

struct inode *directory_find(struct inode *directory, const char *name)
{
    if (strcmp(name, ".") == 0)
        return directory;
    if (strcmp(name, "..") == 0)
        return directory->parent;
    struct entry *entry = *entry_place(directory, name);
    return entry ? entry->inode : NULL;
}

/* The name goes to the end, so that a listing that is under way finds it. */
s32 directory_add(struct inode *directory, const char *name, struct inode *inode)
{
    if (directory->links == 0)
        return -ENOENT;
    struct entry *entry = allocate(sizeof *entry + strlen(name) + 1);
    if (!entry)
        return -ENOMEM;
    memcpy(entry->name, name, strlen(name) + 1);
    entry->inode = inode;
    entry->cookie = directory->next_cookie++;
    *entry_place(directory, name) = entry;
    inode->links++;
    if (is_directory(inode)) {
        /* A parent is not empty, so that it stays: it need not be in use for this. */
        inode->parent = directory;
        inode->next_cookie = COOKIES_FIXED;
    }
    return 0;
}

s32 directory_remove(struct inode *directory, const char *name, bool directories)
{
    if (strcmp(name, ".") == 0)
        return directories ? -EINVAL : -EISDIR;
    if (strcmp(name, "..") == 0 || *name == 0)
        return directories ? -ENOTEMPTY : -EISDIR;
    struct entry **place = entry_place(directory, name);
    struct entry *entry = *place;
    if (!entry)
        return -ENOENT;
    struct inode *inode = entry->inode;
    if (is_directory(inode) != directories)
        return directories ? -ENOTDIR : -EISDIR;
    if (directories && inode->first)
        return -ENOTEMPTY;
    *place = entry->next;
    release(entry);
    inode->links--;
    inode_use(inode);
    if (directories)
        inode->parent = root; /* the way out for who still is in it */
    inode_drop(inode);
    return 0;
}

/* Copies the next name of a path, and moves on to what follows. */
static s32 next_name(const char **path, char *name)
{
    u32 length = 0;
    while (**path && **path != '/') {
        if (length == NAME_BYTES)
            return -ENAMETOOLONG;
        name[length++] = *(*path)++;
    }
    name[length] = 0;
    while (**path == '/')
        (*path)++;
    return 0;
}

static struct inode *start_of(const char **path)
{
    struct inode *start = **path == '/' || !current ? root : current->directory;
    while (**path == '/')
        (*path)++;
    return start;
}

/* Not in use for the caller. Nothing goes away meanwhile: the kernel does not sleep here. */
static struct inode *walk(struct inode *from, const char *path, s32 *error)
{
    static char name[NAME_BYTES + 1];
    while (*path) {
        if (!is_directory(from)) {
            *error = -ENOTDIR;
            return NULL;
        }
        if ((*error = next_name(&path, name)))
            return NULL;
        from = directory_find(from, name);
        if (!from) {
            *error = -ENOENT;
            return NULL;
        }
    }
    return from;
}

struct inode *path_find(const char *path, s32 *error)
{
    if (!*path) {
        *error = -ENOENT;
        return NULL;
    }
    bool wants_directory = path[strlen(path) - 1] == '/';
    struct inode *start = start_of(&path);
    struct inode *inode = walk(start, path, error);
    if (inode && wants_directory && !is_directory(inode)) {
        *error = -ENOTDIR;
        return NULL;
    }
    if (inode)
        inode_use(inode);
    return inode;
}

struct inode *path_parent(const char *path, const char **name, s32 *error)
{
    static char directories[PAGE], last[NAME_BYTES + 1];
    struct inode *start = start_of(&path);
    u32 end = strlen(path);
    while (end > 0 && path[end - 1] == '/')
        end--;
    u32 from = end;
    while (from > 0 && path[from - 1] != '/')
        from--;
    *error = end == 0 ? -ENOENT : end - from > NAME_BYTES || from >= PAGE ? -ENAMETOOLONG : 0;
    if (*error)
        return NULL;
    memcpy(last, path + from, end - from);
    last[end - from] = 0;
    *name = last;
    memcpy(directories, path, from);
    directories[from] = 0;
    struct inode *directory = walk(start, directories, error);
    if (directory && !is_directory(directory)) {
        *error = -ENOTDIR;
        return NULL;
    }
    if (directory)
        inode_use(directory);
    return directory;
}

struct inode *path_create(const char *path, u32 mode, enum device device, s32 *error)
{
    const char *name;
    struct inode *directory = path_parent(path, &name, error);
    if (!directory)
        return NULL;
    struct inode *inode = NULL;
    if (directory_find(directory, name)) {
        *error = -EEXIST;
    } else if (!(inode = inode_create(mode, device))) {
        *error = -ENOMEM;
    } else if ((*error = directory_add(directory, name, inode))) {
        inode_drop(inode);
        inode = NULL;
    }
    inode_drop(directory);
    return inode;
}

/* One record for getdents64: bytes, 0 if it does not fit, or -EFAULT. */
static s32 put_record(const struct inode *inode, const char *name, u32 next, u32 user, u32 bytes)
{
    static u8 buffer[DIRENT_NAME + NAME_BYTES + 1 + 8];
    u32 length = (DIRENT_NAME + strlen(name) + 1 + 7) & ~7u;
    if (length > bytes)
        return 0;
    memset(buffer, 0, length);
    struct dirent64 *record = (struct dirent64 *)buffer;
    record->ino = inode->number;
    record->next = next;
    record->bytes = (u16)length;
    record->type = (u8)DT(inode->mode & S_IFMT);
    memcpy(record->name, name, strlen(name));
    return copy_out(user, buffer, length) ? -EFAULT : (s32)length;
}

s32 directory_list(struct inode *directory, u32 *position, u32 user, u32 bytes)
{
    u32 done = 0;
    struct entry *entry = directory->first;
    for (;;) {
        while (entry && entry->cookie < *position)
            entry = entry->next;
        s32 put;
        u32 next;
        if (*position < COOKIES_FIXED) {
            const char *name = *position == 0 ? "." : "..";
            next = *position + 1;
            put = put_record(directory_find(directory, name), name, next, user + done, bytes - done);
        } else if (entry) {
            next = entry->cookie + 1;
            put = put_record(entry->inode, entry->name, next, user + done, bytes - done);
        } else {
            return (s32)done;
        }
        if (put <= 0)
            return done ? (s32)done : put ? put : -EINVAL;
        done += (u32)put;
        *position = next;
    }
}

static const char *name_in(const struct inode *directory, const struct inode *inode)
{
    const struct entry *entry = directory->first;
    while (entry && entry->inode != inode)
        entry = entry->next;
    return entry ? entry->name : NULL;
}

/* From the end of the buffer to its beginning; returns the length with the zero. */
s32 directory_path(struct inode *directory, char *buffer, u32 room)
{
    u32 from = room - 1;
    buffer[from] = 0;
    if (directory->links == 0)
        return -ENOENT;
    for (; directory != root; directory = directory->parent) {
        const char *name = name_in(directory->parent, directory);
        u32 length = strlen(name);
        if (from < length + 1)
            return -ENAMETOOLONG;
        from -= length;
        memcpy(buffer + from, name, length);
        buffer[--from] = '/';
    }
    if (!buffer[from])
        buffer[--from] = '/';
    u32 bytes = room - from;
    for (u32 i = 0; i < bytes; i++)
        buffer[i] = buffer[from + i];
    return (s32)bytes;
}
