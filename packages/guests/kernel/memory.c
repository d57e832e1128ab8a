/*
 * Address spaces: a list of areas says what may be where, the page tables what is there now. Pages come by faults
 * (fault.c); here they go, change their protection, or are shared with a child.
 *
 * A page is writable in the tables only if its area is and no one else shares its frame. That is all there is to
 * copy-on-write. A page that nobody may touch (PROT_NONE) stays in its entry without PTE_PRESENT.
 */
#include "kernel.h"

/* Of so many changed pages, each is flushed by itself; of more, all at once. */
#define FLUSHED_SINGLY 32u

#define ACCESSIBLE (PROT_READ | PROT_WRITE | PROT_EXEC)

static void flush_changed(u32 last, u32 changed)
{
    if (changed == 1)
        flush_page(last);
    else if (changed > 1)
        flush_all();
}

s32 memory_create(struct memory *memory)
{
    memset(memory, 0, sizeof *memory);
    memory->space = space_create();
    return memory->space ? 0 : -ENOMEM;
}

static void free_area(struct area *area)
{
    if (area->file)
        inode_drop(area->file);
    release(area);
}

void memory_destroy(struct memory *memory)
{
    /* Frames go first, then the tables: no store to an entry is needed. */
    while (memory->areas) {
        struct area *area = memory->areas;
        const pte_t *slot;
        for (u32 page = area->start; (slot = space_next(memory->space, &page, area->end)); page += PAGE)
            if (*slot)
                frame_release(pte_frame(*slot));
        memory->areas = area->next;
        free_area(area);
    }
    space_destroy(memory->space);
    memset(memory, 0, sizeof *memory);
}

/* A copy, not yet in the list; NULL: no memory, or too many. */
static struct area *new_area(struct memory *memory, const struct area *like)
{
    struct area *area = memory->area_count < MOST_AREAS ? allocate(sizeof *area) : NULL;
    if (!area)
        return NULL;
    memory->area_count++;
    *area = *like;
    if (area->file)
        inode_use(area->file);
    return area;
}

/* Drops what a failed copy left, whose pages are shared like those of a whole one. */
s32 memory_copy(struct memory *from, struct memory *to)
{
    s32 error = memory_create(to);
    if (error)
        return error;
    to->break_start = from->break_start;
    to->break_end = from->break_end;
    struct area **place = &to->areas;
    u32 changed = 0, last = 0;
    for (struct area *area = from->areas; area && !error; area = area->next) {
        if (!(*place = new_area(to, area))) {
            error = -ENOMEM;
            break;
        }
        (*place)->next = NULL;
        place = &(*place)->next;
        const pte_t *slot;
        for (u32 page = area->start; (slot = space_next(from->space, &page, area->end)); page += PAGE) {
            pte_t pte = *slot;
            if (!pte)
                continue;
            const pte_t *copy = space_slot(to->space, page, true);
            if (!copy) {
                error = -ENOMEM;
                break;
            }
            if (pte_flags(pte) & PTE_WRITE) {
                pte = pte_make(pte_frame(pte), pte_flags(pte) & ~PTE_WRITE);
                set_pte(slot, pte);
                last = page;
                changed++;
            }
            frame_share(pte_frame(pte));
            set_pte(copy, pte);
            to->pages++;
        }
    }
    flush_changed(last, changed);
    if (error)
        memory_destroy(to);
    return error;
}

/* The place in the list of the first area that ends behind the address. */
static struct area **place_of(struct memory *memory, u32 address)
{
    struct area **place = &memory->areas;
    while (*place && (*place)->end <= address)
        place = &(*place)->next;
    return place;
}

s32 memory_add(struct memory *memory, u32 start, u32 end, u32 protection, struct inode *file, u32 offset, u32 shown)
{
    if (start >= end)
        return 0;
    struct area **place = place_of(memory, start);
    if (*place && (*place)->start < end)
        return -EEXIST;
    /* The heap grows: an area that ends here and is alike becomes longer. */
    for (struct area *area = memory->areas; area && !file; area = area->next)
        if (area->end == start && !area->file && !area->grows && area->protection == protection) {
            area->end = end;
            return 0;
        }
    struct area area = {*place, start, end, protection, false, file, offset, shown};
    struct area *added = new_area(memory, &area);
    if (!added)
        return -ENOMEM;
    *place = added;
    return 0;
}

/* A page to begin with, and up to STACK_BYTES as they are asked for (fault.c). */
s32 memory_add_stack(struct memory *memory)
{
    s32 error = memory_add(memory, USER_END - PAGE, USER_END, PROT_READ | PROT_WRITE | PROT_EXEC, NULL, 0, 0);
    if (!error)
        (*place_of(memory, USER_END - PAGE))->grows = true;
    return error;
}

/* Makes an area begin at the address, if one contains it. */
static s32 split(struct memory *memory, u32 address)
{
    struct area *area = *place_of(memory, address);
    if (!area || area->start >= address)
        return 0;
    struct area *upper = new_area(memory, area);
    if (!upper)
        return -ENOMEM;
    u32 below = address - area->start;
    upper->start = address;
    upper->grows = false;
    upper->offset += below;
    upper->file_bytes -= MIN(upper->file_bytes, below);
    area->end = address;
    area->next = upper;
    return 0;
}

static s32 split_both(struct memory *memory, u32 start, u32 end)
{
    s32 error = split(memory, start);
    return error ? error : split(memory, end);
}

s32 memory_remove(struct memory *memory, u32 start, u32 end)
{
    s32 error = split_both(memory, start, end);
    if (error)
        return error;
    struct area **place = place_of(memory, start);
    u32 changed = 0, last = 0;
    while (*place && (*place)->start < end) {
        struct area *area = *place;
        const pte_t *slot;
        for (u32 page = area->start; (slot = space_next(memory->space, &page, area->end)); page += PAGE) {
            if (!*slot)
                continue;
            u32 frame = pte_frame(*slot);
            set_pte(slot, 0);
            frame_release(frame);
            memory->pages--;
            last = page;
            changed++;
        }
        *place = area->next;
        memory->area_count--;
        free_area(area);
    }
    flush_changed(last, changed);
    return 0;
}

/* An entry when its area is protected so. Permission to write comes by a fault, since the frame may be shared. */
static pte_t protected(pte_t pte, u32 protection)
{
    u32 flags = pte_flags(pte) | PTE_PRESENT;
    if (!(protection & ACCESSIBLE))
        flags &= ~PTE_PRESENT;
    if (!(protection & PROT_WRITE))
        flags &= ~PTE_WRITE;
    return pte_make(pte_frame(pte), flags);
}

s32 memory_protect(struct memory *memory, u32 start, u32 end, u32 protection)
{
    u32 covered = start;
    for (struct area *area = *place_of(memory, start); area && area->start <= covered; area = area->next)
        covered = area->end;
    if (covered < end)
        return -ENOMEM;
    s32 error = split_both(memory, start, end);
    if (error)
        return error;
    u32 changed = 0, last = 0;
    for (struct area *area = *place_of(memory, start); area && area->start < end; area = area->next) {
        area->protection = protection;
        const pte_t *slot;
        for (u32 page = area->start; (slot = space_next(memory->space, &page, area->end)); page += PAGE) {
            pte_t pte = *slot ? protected(*slot, protection) : 0;
            if (pte == *slot)
                continue;
            set_pte(slot, pte);
            last = page;
            changed++;
        }
    }
    flush_changed(last, changed);
    return 0;
}

/* The break afterwards, as brk gives it: unchanged if it cannot move. */
u32 memory_break(struct memory *memory, u32 wanted)
{
    if (wanted < memory->break_start || wanted > MAP_TOP)
        return memory->break_end;
    u32 old = PAGE_UP(memory->break_end), new = PAGE_UP(wanted);
    s32 error = 0;
    if (new > old)
        error = memory_add(memory, old, new, PROT_READ | PROT_WRITE, NULL, 0, 0);
    else if (new < old)
        error = memory_remove(memory, new, old);
    if (!error)
        memory->break_end = wanted;
    return memory->break_end;
}

/* The highest free range below MAP_TOP; 0: none. */
static u32 find_room(struct memory *memory, u32 bytes)
{
    u32 best = 0, from = PAGE_UP(memory->break_end);
    for (struct area *area = memory->areas; from < MAP_TOP; area = area->next) {
        u32 to = area ? MIN(area->start, MAP_TOP) : MAP_TOP;
        if (to > from && to - from >= bytes)
            best = to - bytes;
        if (!area)
            break;
        from = MAX(from, area->end);
    }
    return best;
}

/* Anonymous memory, or a private view of a file. */
s32 memory_map(struct memory *memory, u32 address, u32 bytes, u32 protection, u32 flags, u32 descriptor, u32 page)
{
    if (bytes == 0 || (protection & ~ACCESSIBLE))
        return -EINVAL;
    if (bytes > USER_END)
        return -ENOMEM;
    bytes = PAGE_UP(bytes);
    struct inode *file = NULL;
    if (!(flags & MAP_ANONYMOUS)) {
        struct file *opened = file_of(descriptor);
        if (!opened)
            return -EBADF;
        file = opened->inode;
        if (!file || (file->mode & S_IFMT) != S_IFREG || (flags & MAP_SHARED) || page >= 0x80000)
            return -ENODEV;
    } else if (flags & MAP_SHARED) {
        return -ENODEV;
    }
    if (flags & MAP_FIXED) {
        if ((address & PAGE_MASK) || address < MAP_BOTTOM || address > USER_END - bytes)
            return -EINVAL;
        s32 error = memory_remove(memory, address, address + bytes);
        if (error)
            return error;
    } else {
        address = find_room(memory, bytes);
        if (!address)
            return -ENOMEM;
    }
    u32 offset = page * PAGE;
    u32 shown = file && file->size > offset ? file->size - offset : 0;
    s32 error = memory_add(memory, address, address + bytes, protection, file, offset, shown);
    return error ? error : (s32)address;
}
