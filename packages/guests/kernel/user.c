/*
 * Memory of the current program, as system calls see it: addresses below the kernel's, and whatever else is wrong with
 * them a page fault in user_copy tells, which brings pages in as the program's own faults do.
 */
#include "kernel.h"

static bool is_user(u32 address, u32 bytes)
{
    return address <= USER_END && bytes <= USER_END - address;
}

u32 copy_in_some(void *to, u32 from, u32 bytes)
{
    return is_user(from, bytes) ? user_copy(to, (const void *)from, bytes) : bytes;
}

u32 copy_out_some(u32 to, const void *from, u32 bytes)
{
    return is_user(to, bytes) ? user_copy((void *)to, from, bytes) : bytes;
}

s32 copy_in(void *to, u32 from, u32 bytes)
{
    return copy_in_some(to, from, bytes) ? -EFAULT : 0;
}

s32 copy_out(u32 to, const void *from, u32 bytes)
{
    return copy_out_some(to, from, bytes) ? -EFAULT : 0;
}

/* Page by page, for the zero may be the last readable byte. */
s32 copy_in_string(char *to, u32 from, u32 room)
{
    u32 length = 0;
    while (length < room) {
        u32 part = MIN(MIN(room - length, PAGE - (from & PAGE_MASK)), 64);
        u32 got = part - copy_in_some(to + length, from, part);
        for (u32 i = 0; i < got; i++)
            if (!to[length + i])
                return (s32)(length + i);
        if (got < part)
            return -EFAULT;
        length += part;
        from += part;
    }
    return -ENAMETOOLONG;
}

bool on_user_copy_fault(u32 address, bool write)
{
    return current && address < USER_END && memory_fault(&current->memory, address, write) == FAULT_DONE;
}
