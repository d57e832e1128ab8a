/* Who runs: a queue, each for a tick of 10 ms at most while others wait. Sleepers name an address they sleep on. */
#include "kernel.h"

static struct process *first_ready, *last_ready;
static u32 ticks;
static bool tick_is_over;

void make_ready(struct process *process)
{
    process->state = READY;
    process->channel = NULL;
    process->wake_at = 0;
    process->next_ready = NULL;
    if (first_ready)
        last_ready->next_ready = process;
    else
        first_ready = process;
    last_ready = process;
}

void schedule(void)
{
    /* Idle on the stack and in the address space of whoever stopped last. */
    while (!first_ready)
        wait_for_interrupt();
    struct process *next = first_ready, *previous = current;
    first_ready = next->next_ready;
    tick_is_over = false;
    if (next == previous)
        return;
    current = next;
    if (previous)
        context_switch(&previous->context, &next->context);
    else
        context_enter(&next->context);
}

void yield(void)
{
    if (!first_ready)
        return;
    make_ready(current);
    schedule();
}

s32 sleep_on(const void *channel)
{
    if (signal_waiting(current))
        return -ERESTART;
    current->state = SLEEPING;
    current->channel = channel;
    schedule();
    return signal_waiting(current) ? -ERESTART : 0;
}

void wake_up(const void *channel)
{
    for (struct process *process = processes; process; process = process->next)
        if (process->state == SLEEPING && process->channel == channel)
            make_ready(process);
}

/* Ticks are compared by their difference: they wrap after 497 days. */
s32 sleep_until(u32 tick)
{
    while ((s32)(tick - ticks) > 0) {
        current->wake_at = tick ? tick : 1;
        s32 error = sleep_on(&current->wake_at);
        current->wake_at = 0;
        if (error)
            return error;
    }
    return 0;
}

u32 ticks_now(void)
{
    return ticks;
}

void on_timer(void)
{
    ticks++;
    tick_is_over = true;
    for (struct process *process = processes; process; process = process->next)
        if (process->state == SLEEPING && process->wake_at && (s32)(process->wake_at - ticks) <= 0)
            make_ready(process);
}

void on_return_to_user(struct frame *frame)
{
    if (tick_is_over) {
        tick_is_over = false;
        yield();
    }
    signals_deliver(frame);
}
