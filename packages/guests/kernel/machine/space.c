/*
 * Address spaces. 32-bit paging: a directory of 1,024 entries, of which the upper 256 are the kernel's, copied from
 * `kernel_space`. PAE: four pointers; the kernel's directory is one page that all spaces share, and the three others
 * are made at once, since the CPU reads the pointers only when CR3 is loaded (SDM vol. 3A, 4.4.1).
 *
 * The kernel's half never changes after boot, so that no space need be told of anything.
 */
#include "machine.h"
#include "paging.h"

u32 kernel_space;

/* The space in CR3. */
static u32 loaded;

/* Of the lower 3 GB. */
#define USER_TABLES (KERNEL_BASE >> LARGE_SHIFT)

/* The directory entry for an address; `space` has all directories. */
static pte_t *directory_slot(u32 space, u32 address)
{
#ifdef PAE
    pte_t *pointers = at(space);
    pte_t *directory = at(pte_frame(pointers[address >> 30]));
    return &directory[address >> LARGE_SHIFT & (ENTRIES - 1)];
#else
    return (pte_t *)at(space) + (address >> LARGE_SHIFT);
#endif
}

u32 space_create(void)
{
    u32 space = frame_alloc_zeroed();
    if (!space)
        return 0;
    pte_t *root = at(space);
    const pte_t *kernel = at(kernel_space);
#ifdef PAE
    for (u32 i = 0; i < 3; i++) {
        u32 directory = frame_alloc_zeroed();
        if (!directory) {
            space_destroy(space);
            return 0;
        }
        root[i] = directory | ENTRY_PRESENT;
    }
    root[3] = kernel[3];
#else
    memcpy(root + USER_TABLES, kernel + USER_TABLES, (ENTRIES - USER_TABLES) * sizeof(pte_t));
#endif
    return space;
}

void space_destroy(u32 space)
{
#ifdef PAE
    const pte_t *pointers = at(space);
    for (u32 d = 0; d < 3 && pointers[d]; d++) {
        const pte_t *directory = at(pte_frame(pointers[d]));
        for (u32 i = 0; i < ENTRIES; i++)
            if (directory[i])
                frame_release(pte_frame(directory[i]));
        frame_release(pte_frame(pointers[d]));
    }
#else
    const pte_t *directory = at(space);
    for (u32 i = 0; i < USER_TABLES; i++)
        if (directory[i])
            frame_release(pte_frame(directory[i]));
#endif
    frame_release(space);
}

const pte_t *space_slot(u32 space, u32 address, bool create)
{
    pte_t *entry = directory_slot(space, address);
    if (!*entry) {
        u32 table = create ? frame_alloc_zeroed() : 0;
        if (!table)
            return NULL;
        set_pte(entry, table | ENTRY_PRESENT | ENTRY_WRITE | ENTRY_USER);
    }
    const pte_t *entries = at(pte_frame(*entry));
    return &entries[address / PAGE & (ENTRIES - 1)];
}

const pte_t *space_next(u32 space, u32 *address, u32 end)
{
    while (*address < end) {
        const pte_t *slot = space_slot(space, *address, false);
        if (slot)
            return slot;
        *address = (*address & ~(LARGE_PAGE - 1)) + LARGE_PAGE;
    }
    return NULL;
}

/*
 * One store in both formats: all frames lie below 4 GB and NX is not used, so that a PAE entry's upper half stays 0.
 * Never inlined, so that stores can be counted from outside (test/events.ts).
 */
void __attribute__((noinline)) set_pte(const pte_t *slot, pte_t value)
{
    *(volatile u32 *)slot = (u32)value;
}

void flush_page(u32 address)
{
    asm volatile("invlpg (%0)" ::"r"(address) : "memory");
}

void flush_all(void)
{
    asm volatile("mov %0, %%cr3" ::"r"(loaded) : "memory");
}

void space_load(u32 space)
{
    if (space == loaded)
        return;
    loaded = space;
    flush_all();
}

/* Boot left the kernel's space loaded, with RAM mapped at 0 as well, which goes now. */
void space_start(void)
{
    asm volatile("mov %%cr3, %0" : "=r"(kernel_space));
    loaded = kernel_space;
    pte_t *root = at(kernel_space);
#ifdef PAE
    for (u32 i = 0; i < 3; i++)
        root[i] = 0;
#else
    memset(root, 0, USER_TABLES * sizeof(pte_t));
#endif
    flush_all();
}
