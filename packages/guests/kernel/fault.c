/* Page faults: pages that are not there yet, and pages that are shared and written to (SDM vol. 3A, 4.7). */
#include "kernel.h"

/* The area of an address. The stack's grows to it, if it is the next one above. */
static const struct area *area_of(const struct memory *memory, u32 address)
{
    struct area *area = memory->areas;
    while (area && area->end <= address)
        area = area->next;
    if (area && area->start > address && area->grows && address >= USER_END - STACK_BYTES)
        area->start = PAGE_DOWN(address);
    return area && area->start <= address ? area : NULL;
}

static u32 flags_of(const struct area *area)
{
    return PTE_PRESENT | PTE_USER | (area->protection & PROT_WRITE ? PTE_WRITE : 0);
}

/* One store; nothing to flush, since what is not present is in no TLB (SDM vol. 3A, 4.10.2.3). */
static enum fault fill(struct memory *memory, const struct area *area, const pte_t *slot, u32 page)
{
    u32 frame = frame_alloc_zeroed();
    if (!frame)
        return FAULT_NO_MEMORY;
    u32 into = page - area->start;
    if (area->file && into < area->file_bytes)
        inode_read_kernel(area->file, area->offset + into, at(frame), MIN(PAGE, area->file_bytes - into));
    set_pte(slot, pte_make(frame, flags_of(area)));
    memory->pages++;
    return FAULT_DONE;
}

/* One store and one INVLPG. The last sharer keeps the frame. */
static enum fault unshare(const struct area *area, const pte_t *slot, u32 page)
{
    u32 old = pte_frame(*slot), frame = old;
    if (frame_sharers(old) > 1) {
        frame = frame_alloc();
        if (!frame)
            return FAULT_NO_MEMORY;
        memcpy(at(frame), at(old), PAGE);
        frame_release(old);
    }
    set_pte(slot, pte_make(frame, flags_of(area)));
    flush_page(page);
    return FAULT_DONE;
}

enum fault memory_fault(struct memory *memory, u32 address, bool write)
{
    const struct area *area = area_of(memory, address);
    if (!area)
        return FAULT_NO_AREA;
    if (!area->protection || (write && !(area->protection & PROT_WRITE)))
        return FAULT_FORBIDDEN;
    u32 page = PAGE_DOWN(address);
    const pte_t *slot = space_slot(memory->space, page, true);
    if (!slot)
        return FAULT_NO_MEMORY;
    if (!*slot)
        return fill(memory, area, slot, page);
    if (write && !(pte_flags(*slot) & PTE_WRITE))
        return unshare(area, slot, page);
    /* The tables allow it: the TLB did not know yet. */
    flush_page(page);
    return FAULT_DONE;
}
