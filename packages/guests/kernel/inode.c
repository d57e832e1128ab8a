/*
 * Files in RAM: pages by index, eight of them named in the inode, the others in tables of 1,024 (as page tables are). A
 * page that was never written is a hole and reads as zeros.
 */
#include "kernel.h"

#define TABLE_ENTRIES (PAGE / 4)
/* What fits in an s32. */
#define MOST_BYTES 0x7ffff000u

static u32 last_number;
static const u8 zeros[PAGE];

struct inode *inode_create(u32 mode, enum device device)
{
    struct inode *inode = allocate(sizeof *inode);
    if (!inode)
        return NULL;
    inode->number = ++last_number;
    inode->mode = mode;
    inode->device = device;
    inode->users = 1;
    return inode;
}

void inode_use(struct inode *inode)
{
    inode->users++;
}

void inode_drop(struct inode *inode)
{
    if (--inode->users > 0 || inode->links > 0)
        return;
    if ((inode->mode & S_IFMT) == S_IFREG)
        inode_truncate(inode);
    release(inode);
}

/* The place of a page's frame; NULL: none yet, or no memory. */
static u32 *page_slot(struct inode *inode, u32 page, bool create)
{
    if (page < DIRECT_PAGES)
        return &inode->direct[page];
    if (!inode->tables && (!create || !(inode->tables = frame_alloc_zeroed())))
        return NULL;
    page -= DIRECT_PAGES;
    u32 *table = (u32 *)at(inode->tables) + page / TABLE_ENTRIES;
    if (!*table && (!create || !(*table = frame_alloc_zeroed())))
        return NULL;
    return (u32 *)at(*table) + page % TABLE_ENTRIES;
}

/* The byte at an offset; zeros for a hole. */
static const u8 *bytes_at(struct inode *inode, u32 offset)
{
    u32 *slot = page_slot(inode, offset / PAGE, false);
    return (slot && *slot ? (const u8 *)at(*slot) : zeros) + (offset & PAGE_MASK);
}

/* The same to write to; NULL: no memory. */
static u8 *room_at(struct inode *inode, u32 offset)
{
    u32 *slot = page_slot(inode, offset / PAGE, true);
    if (!slot || (!*slot && !(*slot = frame_alloc_zeroed())))
        return NULL;
    return (u8 *)at(*slot) + (offset & PAGE_MASK);
}

static u32 within_page(u32 offset, u32 bytes)
{
    return MIN(bytes, PAGE - (offset & PAGE_MASK));
}

s32 inode_read(struct inode *inode, u32 offset, u32 user, u32 bytes)
{
    bytes = offset < inode->size ? MIN(bytes, inode->size - offset) : 0;
    u32 done = 0;
    while (done < bytes) {
        u32 part = within_page(offset + done, bytes - done);
        u32 left = copy_out_some(user + done, bytes_at(inode, offset + done), part);
        done += part - left;
        if (left)
            return done ? (s32)done : -EFAULT;
    }
    return (s32)done;
}

s32 inode_write(struct inode *inode, u32 offset, u32 user, u32 bytes)
{
    if (bytes && offset >= MOST_BYTES)
        return -EFBIG;
    bytes = MIN(bytes, MOST_BYTES - offset);
    u32 done = 0;
    s32 error = 0;
    while (done < bytes && !error) {
        u32 part = within_page(offset + done, bytes - done);
        u8 *room = room_at(inode, offset + done);
        u32 left = room ? copy_in_some(room, user + done, part) : part;
        if (left)
            error = room ? -EFAULT : -ENOMEM;
        done += part - left;
        inode->size = MAX(inode->size, done ? offset + done : 0);
    }
    return done ? (s32)done : error;
}

void inode_read_kernel(struct inode *inode, u32 offset, void *to, u32 bytes)
{
    while (bytes) {
        u32 part = within_page(offset, bytes);
        u32 there = offset < inode->size ? MIN(part, inode->size - offset) : 0;
        memcpy(to, bytes_at(inode, offset), there);
        memset((u8 *)to + there, 0, part - there);
        offset += part;
        to = (u8 *)to + part;
        bytes -= part;
    }
}

s32 inode_write_kernel(struct inode *inode, u32 offset, const void *from, u32 bytes)
{
    while (bytes) {
        u32 part = within_page(offset, bytes);
        u8 *room = room_at(inode, offset);
        if (!room)
            return -ENOMEM;
        memcpy(room, from, part);
        offset += part;
        from = (const u8 *)from + part;
        bytes -= part;
        inode->size = MAX(inode->size, offset);
    }
    return 0;
}

static void free_frames(u32 *frames, u32 count)
{
    for (u32 i = 0; i < count; i++) {
        if (frames[i])
            frame_release(frames[i]);
        frames[i] = 0;
    }
}

void inode_truncate(struct inode *inode)
{
    free_frames(inode->direct, DIRECT_PAGES);
    if (inode->tables) {
        u32 *tables = at(inode->tables);
        for (u32 i = 0; i < TABLE_ENTRIES; i++)
            if (tables[i])
                free_frames(at(tables[i]), TABLE_ENTRIES);
        free_frames(tables, TABLE_ENTRIES);
        free_frames(&inode->tables, 1);
    }
    inode->size = 0;
}

void inode_stat(struct inode *inode, struct stat64 *stat)
{
    memset(stat, 0, sizeof *stat);
    stat->dev = 1;
    stat->ino = stat->short_ino = inode->number;
    stat->mode = inode->mode;
    stat->nlink = inode->links + (is_directory(inode) && inode->links > 0);
    stat->rdev = inode->device;
    stat->size = is_directory(inode) ? 0 : inode->size;
    stat->block_size = PAGE;
    stat->blocks = (inode->size + 511) / 512;
}
