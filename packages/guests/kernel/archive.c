/* The first module: a cpio archive of the kind "newc" (as Linux's initramfs, "initramfs buffer format"). */
#include "kernel.h"

#define HEADER_BYTES 110u
#define MOST_LINKED 64u

/* Eight hexadecimal digits each behind the magic; those that matter. */
enum field { FIELD_INODE, FIELD_MODE, FIELD_LINKS = 4, FIELD_BYTES = 6, FIELD_MAJOR = 9, FIELD_MINOR, FIELD_NAME };

static u32 field(const u8 *header, enum field which)
{
    u32 value = 0;
    for (u32 i = 0; i < 8; i++) {
        u8 digit = header[6 + which * 8 + i];
        value = value << 4 | (u32)(digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
    }
    return value;
}

/* Files of several names: the archive has their bytes with one of them. */
static struct {
    u32 number;
    struct inode *inode;
} linked[MOST_LINKED];
static u32 linked_count;

static struct inode *other_name(u32 number)
{
    for (u32 i = 0; i < linked_count; i++)
        if (linked[i].number == number)
            return linked[i].inode;
    return NULL;
}

static s32 add_name(const char *path, struct inode *inode)
{
    const char *name;
    s32 error;
    struct inode *directory = path_parent(path, &name, &error);
    if (!directory)
        return error;
    error = directory_find(directory, name) ? -EEXIST : directory_add(directory, name, inode);
    inode_drop(directory);
    return error;
}

static s32 unpack_file(const u8 *header, const char *name, const u8 *bytes)
{
    u32 size = field(header, FIELD_BYTES);
    bool links = field(header, FIELD_LINKS) > 1;
    struct inode *inode = links ? other_name(field(header, FIELD_INODE)) : NULL;
    s32 error;
    if (inode) {
        if ((error = add_name(name, inode)))
            return error;
        inode_use(inode);
    } else if (!(inode = path_create(name, field(header, FIELD_MODE), DEVICE_NONE, &error))) {
        return error;
    } else if (links && linked_count < MOST_LINKED) {
        linked[linked_count].number = field(header, FIELD_INODE);
        linked[linked_count++].inode = inode;
    }
    error = inode_write_kernel(inode, 0, bytes, size);
    inode_drop(inode);
    return error;
}

static s32 unpack_entry(const u8 *header, const char *name, const u8 *bytes)
{
    u32 mode = field(header, FIELD_MODE);
    u32 device = field(header, FIELD_MAJOR) << 8 | field(header, FIELD_MINOR);
    s32 error = 0;
    struct inode *made;
    switch (mode & S_IFMT) {
    case S_IFREG:
        return unpack_file(header, name, bytes);
    case S_IFDIR:
        made = path_create(name, mode, DEVICE_NONE, &error);
        break;
    case S_IFCHR:
        if (device != DEVICE_CONSOLE && device != DEVICE_NULL)
            return -ENODEV;
        made = path_create(name, mode, device, &error);
        break;
    default:
        return -ENODEV;
    }
    if (made)
        inode_drop(made);
    return error == -EEXIST ? 0 : error;
}

void archive_unpack(const u8 *archive, u32 bytes)
{
    const u8 *end = archive + bytes;
    while ((u32)(end - archive) > HEADER_BYTES && memcmp(archive, "070701", 6) == 0) {
        const char *name = (const char *)archive + HEADER_BYTES;
        u32 to_contents = (HEADER_BYTES + field(archive, FIELD_NAME) + 3) & ~3u;
        u32 size = field(archive, FIELD_BYTES);
        u32 room = (u32)(end - archive);
        if (strcmp(name, "TRAILER!!!") == 0)
            return;
        if (to_contents > room || size > room - to_contents)
            break;
        s32 error = unpack_entry(archive, name, archive + to_contents);
        if (error)
            print("archive: %s: error %d\n", name, -error);
        archive += MIN(room, (to_contents + size + 3) & ~3u);
    }
    print("archive: no end\n");
}
