/* Descriptors and what they name: files, directories, devices, ends of pipes. */
#include "kernel.h"

struct file *file_of(u32 descriptor)
{
    return descriptor < MOST_FILES ? current->files[descriptor] : NULL;
}

static s32 free_descriptor(u32 lowest)
{
    for (u32 i = lowest; i < MOST_FILES; i++)
        if (!current->files[i])
            return (s32)i;
    return -EMFILE;
}

static void set_descriptor(u32 descriptor, struct file *file, bool close_on_exec)
{
    current->files[descriptor] = file;
    current->close_on_exec &= ~(1ull << descriptor);
    current->close_on_exec |= (u64)close_on_exec << descriptor;
}

static bool readable(const struct file *file)
{
    return (file->flags & O_ACCESS) != O_WRONLY;
}
static bool writable(const struct file *file)
{
    return (file->flags & O_ACCESS) != O_RDONLY;
}

/* Finds or makes what `path` names, by the flags. */
static struct inode *inode_for(const char *path, u32 flags, u32 mode, s32 *error)
{
    struct inode *inode = path_find(path, error);
    if (!inode && *error == -ENOENT && (flags & O_CREAT) && *path) {
        if (path[strlen(path) - 1] == '/') {
            *error = -EISDIR;
            return NULL;
        }
        return path_create(path, S_IFREG | (mode & 07777), DEVICE_NONE, error);
    }
    if (!inode)
        return NULL;
    bool directory = is_directory(inode);
    if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
        *error = -EEXIST;
    else if (directory && ((flags & O_ACCESS) != O_RDONLY || (flags & O_CREAT)))
        *error = -EISDIR;
    else if (!directory && (flags & O_DIRECTORY))
        *error = -ENOTDIR;
    else
        return inode;
    inode_drop(inode);
    return NULL;
}

s32 file_open(const char *path, u32 flags, u32 mode)
{
    s32 descriptor = free_descriptor(0);
    if (descriptor < 0)
        return descriptor;
    struct file *file = allocate(sizeof *file);
    if (!file)
        return -ENOMEM;
    s32 error;
    file->inode = inode_for(path, flags, mode, &error);
    if (!file->inode) {
        release(file);
        return error;
    }
    if ((flags & O_TRUNC) && (flags & O_ACCESS) != O_RDONLY && (file->inode->mode & S_IFMT) == S_IFREG)
        inode_truncate(file->inode);
    file->users = 1;
    file->flags = flags;
    set_descriptor((u32)descriptor, file, flags & O_CLOEXEC);
    return descriptor;
}

static void drop(struct file *file)
{
    if (--file->users > 0)
        return;
    if (file->pipe)
        pipe_close(file->pipe, writable(file));
    if (file->inode)
        inode_drop(file->inode);
    release(file);
}

s32 file_close(u32 descriptor)
{
    struct file *file = file_of(descriptor);
    if (!file)
        return -EBADF;
    set_descriptor(descriptor, NULL, false);
    drop(file);
    return 0;
}

s32 file_read(u32 descriptor, u32 user, u32 bytes)
{
    struct file *file = file_of(descriptor);
    if (!file || !readable(file))
        return -EBADF;
    bytes = MIN(bytes, 0x7ffff000u);
    if (file->pipe)
        return pipe_read(file->pipe, user, bytes);
    if (is_directory(file->inode))
        return -EISDIR;
    if (file->inode->device == DEVICE_NULL)
        return 0;
    if (file->inode->device == DEVICE_CONSOLE)
        return terminal_read(user, bytes);
    s32 done = inode_read(file->inode, file->position, user, bytes);
    if (done > 0)
        file->position += (u32)done;
    return done;
}

s32 file_write(u32 descriptor, u32 user, u32 bytes)
{
    struct file *file = file_of(descriptor);
    if (!file || !writable(file))
        return -EBADF;
    bytes = MIN(bytes, 0x7ffff000u);
    if (file->pipe)
        return pipe_write(file->pipe, user, bytes);
    if (file->inode->device == DEVICE_NULL)
        return (s32)bytes;
    if (file->inode->device == DEVICE_CONSOLE)
        return terminal_write(user, bytes);
    if (file->flags & O_APPEND)
        file->position = file->inode->size;
    s32 done = inode_write(file->inode, file->position, user, bytes);
    if (done > 0)
        file->position += (u32)done;
    return done;
}

/* Positions are below 2 GB. */
s32 file_seek(u32 descriptor, s64 offset, u32 whence)
{
    struct file *file = file_of(descriptor);
    if (!file)
        return -EBADF;
    if (file->pipe || file->inode->device == DEVICE_CONSOLE)
        return -ESPIPE;
    if (file->inode->device == DEVICE_NULL)
        return 0;
    if (whence == SEEK_CUR)
        offset += file->position;
    else if (whence == SEEK_END)
        offset += file->inode->size;
    else if (whence != SEEK_SET)
        return -EINVAL;
    if (offset < 0 || offset > 0x7fffffff)
        return -EINVAL;
    file->position = (u32)offset;
    return (s32)offset;
}

s32 file_duplicate(u32 descriptor, u32 lowest)
{
    struct file *file = file_of(descriptor);
    if (!file)
        return -EBADF;
    s32 copy = free_descriptor(lowest);
    if (copy < 0)
        return copy;
    file->users++;
    set_descriptor((u32)copy, file, false);
    return copy;
}

s32 file_duplicate_to(u32 descriptor, u32 wanted)
{
    struct file *file = file_of(descriptor);
    if (!file || wanted >= MOST_FILES)
        return -EBADF;
    if (descriptor == wanted)
        return (s32)wanted;
    file->users++;
    file_close(wanted);
    set_descriptor(wanted, file, false);
    return (s32)wanted;
}

s32 file_pipe(u32 user)
{
    s32 descriptors[2];
    descriptors[0] = free_descriptor(0);
    descriptors[1] = descriptors[0] < 0 ? descriptors[0] : free_descriptor((u32)descriptors[0] + 1);
    if (descriptors[1] < 0)
        return descriptors[1];
    struct file *reader = allocate(sizeof *reader), *writer = allocate(sizeof *writer);
    struct pipe *pipe = reader && writer ? pipe_create() : NULL;
    if (!pipe) {
        if (reader)
            release(reader);
        if (writer)
            release(writer);
        return -ENOMEM;
    }
    *reader = (struct file){.users = 1, .flags = O_RDONLY, .pipe = pipe};
    *writer = (struct file){.users = 1, .flags = O_WRONLY, .pipe = pipe};
    set_descriptor((u32)descriptors[0], reader, false);
    set_descriptor((u32)descriptors[1], writer, false);
    if (copy_out(user, descriptors, sizeof descriptors) == 0)
        return 0;
    file_close((u32)descriptors[0]);
    file_close((u32)descriptors[1]);
    return -EFAULT;
}

s32 file_stat(u32 descriptor, u32 user)
{
    struct file *file = file_of(descriptor);
    if (!file)
        return -EBADF;
    struct stat64 stat;
    if (file->pipe) {
        memset(&stat, 0, sizeof stat);
        stat.mode = S_IFIFO | 0600;
        stat.nlink = 1;
        stat.block_size = PAGE;
    } else {
        inode_stat(file->inode, &stat);
    }
    return copy_out(user, &stat, sizeof stat);
}

s32 file_list(u32 descriptor, u32 user, u32 bytes)
{
    struct file *file = file_of(descriptor);
    if (!file)
        return -EBADF;
    if (file->pipe || !is_directory(file->inode))
        return -ENOTDIR;
    return directory_list(file->inode, &file->position, user, bytes);
}
