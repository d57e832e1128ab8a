/*
 * Small things of the kernel: pages cut into pieces of one size, a list of free pieces for each size. A page begins with
 * its size, so that a piece needs none. Pages are not given back; they are few.
 */
#include "kernel.h"

#define SMALLEST 32u
#define SIZES 7u /* to 2,048 bytes */

struct piece {
    struct piece *next;
};

static struct piece *free_pieces[SIZES];

static bool cut_page(u32 size)
{
    u32 frame = frame_alloc();
    if (!frame)
        return false;
    u8 *page = at(frame);
    *(u32 *)page = size;
    u32 bytes = SMALLEST << size;
    /* The first piece holds the size; of the largest ones only half as many fit, and begin behind it. */
    u32 first = bytes <= 1024 ? bytes : SMALLEST;
    for (u32 offset = first; offset + bytes <= PAGE; offset += bytes) {
        struct piece *piece = (struct piece *)(page + offset);
        piece->next = free_pieces[size];
        free_pieces[size] = piece;
    }
    return true;
}

void *allocate(size_t bytes)
{
    u32 size = 0;
    while (size < SIZES && (SMALLEST << size) < bytes)
        size++;
    if (size == SIZES)
        panic(NULL, "allocate: too much in one piece");
    if (!free_pieces[size] && !cut_page(size))
        return NULL;
    struct piece *piece = free_pieces[size];
    free_pieces[size] = piece->next;
    return memset(piece, 0, SMALLEST << size);
}

void release(void *pointer)
{
    u32 size = *(u32 *)PAGE_DOWN(pointer);
    struct piece *piece = pointer;
    piece->next = free_pieces[size];
    free_pieces[size] = piece;
}
