/*
 * Small things of the kernel: pages cut into pieces of one size. A page knows its free pieces, pages with free pieces
 * are in a list for their size, and a page without used ones goes back: no program can make the kernel keep memory.
 */
#include "kernel.h"

#define SMALLEST 32u
#define SIZES 7u /* to 2,048 bytes */

struct piece {
    struct piece *next;
};

/* At the beginning of the page. */
struct heap_page {
    struct heap_page *next, **place; /* `place` points here; NULL: in no list, since no piece is free */
    struct piece *free;
    u32 size, used;
};
_Static_assert(sizeof(struct heap_page) <= SMALLEST, "pieces begin behind the head");

static struct heap_page *pages[SIZES];

static void put_in_list(struct heap_page *page)
{
    struct heap_page **list = &pages[page->size];
    page->next = *list;
    page->place = list;
    if (page->next)
        page->next->place = &page->next;
    *list = page;
}

static void take_from_list(struct heap_page *page)
{
    *page->place = page->next;
    if (page->next)
        page->next->place = page->place;
    page->place = NULL;
}

static bool cut_page(u32 size)
{
    u32 frame = frame_alloc();
    if (!frame)
        return false;
    struct heap_page *page = at(frame);
    *page = (struct heap_page){.size = size};
    u32 bytes = SMALLEST << size;
    for (u32 offset = SMALLEST; offset + bytes <= PAGE; offset += bytes) {
        struct piece *piece = (struct piece *)((u8 *)page + offset);
        piece->next = page->free;
        page->free = piece;
    }
    put_in_list(page);
    return true;
}

void *allocate(size_t bytes)
{
    u32 size = 0;
    while (size < SIZES && (SMALLEST << size) < bytes)
        size++;
    if (size == SIZES)
        panic(NULL, "allocate: too much in one piece");
    if (!pages[size] && !cut_page(size))
        return NULL;
    struct heap_page *page = pages[size];
    struct piece *piece = page->free;
    page->free = piece->next;
    page->used++;
    if (!page->free)
        take_from_list(page);
    return memset(piece, 0, SMALLEST << size);
}

void release(void *pointer)
{
    struct heap_page *page = (struct heap_page *)PAGE_DOWN(pointer);
    struct piece *piece = pointer;
    piece->next = page->free;
    page->free = piece;
    page->used--;
    if (!page->place)
        put_in_list(page);
    if (page->used == 0) {
        take_from_list(page);
        frame_release(physical_of(page));
    }
}
