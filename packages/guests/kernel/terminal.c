/* The console as a terminal: lines that can be edited with backspace, ^D for the end, and an echo. */
#include "kernel.h"

#define RING 1024u
#define END 4 /* ^D */
#define DELETE 127
#define BACKSPACE 8

static u8 ring[RING];
/* Counters that only rise: read so far, lines that are whole, typed. */
static u32 head, whole, tail;

static void echo(u8 byte)
{
    if (byte == '\n')
        console_put('\r');
    console_put(byte);
}

void on_input(u8 byte)
{
    if (byte == '\r')
        byte = '\n';
    if (byte == DELETE || byte == BACKSPACE) {
        if (tail == whole)
            return;
        tail--;
        echo(BACKSPACE);
        echo(' ');
        echo(BACKSPACE);
        return;
    }
    bool ends = byte == '\n' || byte == END;
    /* The last place is for an end of line. */
    if (tail - head >= (ends ? RING : RING - 1))
        return;
    ring[tail++ % RING] = byte;
    if (byte != END)
        echo(byte);
    if (!ends)
        return;
    whole = tail;
    wake_up(ring);
}

/* One line at most. */
s32 terminal_read(u32 user, u32 bytes)
{
    while (head == whole) {
        s32 error = sleep_on(ring);
        if (error && head == whole)
            return error;
    }
    u32 done = 0;
    while (done < bytes && head != whole) {
        u8 byte = ring[head % RING];
        if (byte != END && copy_out(user + done, &byte, 1))
            return done ? (s32)done : -EFAULT;
        head++;
        if (byte == END)
            break;
        done++;
        if (byte == '\n')
            break;
    }
    return (s32)done;
}

s32 terminal_write(u32 user, u32 bytes)
{
    u32 done = 0;
    while (done < bytes) {
        u8 part[64];
        u32 wanted = MIN(bytes - done, sizeof part);
        u32 got = wanted - copy_in_some(part, user + done, wanted);
        for (u32 i = 0; i < got; i++)
            echo(part[i]);
        done += got;
        if (got < wanted)
            return done ? (s32)done : -EFAULT;
    }
    return (s32)done;
}
