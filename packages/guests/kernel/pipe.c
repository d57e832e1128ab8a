/* Pipes: a page as a ring. Readers wait for bytes, writers for room; up to a page is written in one piece. */
#include "kernel.h"

struct pipe {
    u8 *ring;
    u32 head, count; /* the first byte, and how many */
    u32 readers, writers;
};

struct pipe *pipe_create(void)
{
    u32 frame = frame_alloc();
    struct pipe *pipe = frame ? allocate(sizeof *pipe) : NULL;
    if (!pipe) {
        if (frame)
            frame_release(frame);
        return NULL;
    }
    pipe->ring = at(frame);
    pipe->readers = pipe->writers = 1;
    return pipe;
}

void pipe_close(struct pipe *pipe, bool writer)
{
    if (writer)
        pipe->writers--;
    else
        pipe->readers--;
    wake_up(pipe);
    if (pipe->readers || pipe->writers)
        return;
    frame_release(physical_of(pipe->ring));
    release(pipe);
}

s32 pipe_read(struct pipe *pipe, u32 user, u32 bytes)
{
    if (bytes == 0)
        return 0;
    while (pipe->count == 0) {
        if (pipe->writers == 0)
            return 0;
        s32 error = sleep_on(pipe);
        if (error && pipe->count == 0)
            return error;
    }
    u32 done = 0, left = 0;
    while (done < bytes && pipe->count > 0 && !left) {
        u32 part = MIN(MIN(bytes - done, pipe->count), PAGE - pipe->head);
        left = copy_out_some(user + done, pipe->ring + pipe->head, part);
        part -= left;
        pipe->head = (pipe->head + part) % PAGE;
        pipe->count -= part;
        done += part;
    }
    if (done)
        wake_up(pipe);
    return done ? (s32)done : -EFAULT;
}

s32 pipe_write(struct pipe *pipe, u32 user, u32 bytes)
{
    u32 done = 0;
    while (done < bytes) {
        u32 wanted = bytes <= PAGE ? bytes - done : 1;
        while (pipe->readers && PAGE - pipe->count < wanted) {
            s32 error = sleep_on(pipe);
            if (error && pipe->readers && PAGE - pipe->count < wanted)
                return done ? (s32)done : error;
        }
        if (!pipe->readers) {
            signal_send(current, SIGPIPE, (struct signal_source){.code = SI_KERNEL});
            return done ? (s32)done : -EPIPE;
        }
        u32 tail = (pipe->head + pipe->count) % PAGE;
        u32 part = MIN(MIN(bytes - done, PAGE - pipe->count), PAGE - tail);
        u32 left = copy_in_some(pipe->ring + tail, user + done, part);
        pipe->count += part - left;
        done += part - left;
        wake_up(pipe);
        if (left)
            return done ? (s32)done : -EFAULT;
    }
    return (s32)done;
}
