/* Physical memory by pages: a list of free frames, and for each frame how many page tables (or others) share it. */
#include "kernel.h"

static u16 *sharers;
static u32 memory_end;
static u32 first_free_frame; /* each free frame begins with the next one's address */
static u32 free_count;

static void put_free(u32 frame)
{
    *(u32 *)at(frame) = first_free_frame;
    first_free_frame = frame;
    free_count++;
}

/* The table of sharers is the first thing that memory is used for. */
void frames_start(const struct boot_info *boot)
{
    memory_end = boot->memory_end;
    u32 bytes = memory_end / PAGE * sizeof *sharers;
    sharers = at(boot->first_free);
    memset(sharers, 0, bytes);
    u32 first = PAGE_UP(boot->first_free + bytes);
    for (u32 frame = memory_end - PAGE; frame >= first; frame -= PAGE)
        put_free(frame);
}

u32 frame_alloc(void)
{
    u32 frame = first_free_frame;
    if (!frame)
        return 0;
    first_free_frame = *(u32 *)at(frame);
    free_count--;
    sharers[frame / PAGE] = 1;
    return frame;
}

u32 frame_alloc_zeroed(void)
{
    u32 frame = frame_alloc();
    if (frame)
        memset(at(frame), 0, PAGE);
    return frame;
}

void frame_share(u32 frame)
{
    sharers[frame / PAGE]++;
}

void frame_release(u32 frame)
{
    if (sharers[frame / PAGE] == 0)
        panic(NULL, "a free frame is freed");
    if (--sharers[frame / PAGE] == 0)
        put_free(frame);
}

u32 frame_sharers(u32 frame)
{
    return sharers[frame / PAGE];
}

void frames_give(u32 start, u32 end)
{
    for (u32 frame = PAGE_UP(start); frame + PAGE <= end; frame += PAGE)
        put_free(frame);
}

u32 frames_free(void)
{
    return free_count;
}
