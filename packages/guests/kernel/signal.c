/* Signals: sending them, and what programs want done with them. A signal is a bit; a second one of its kind is lost. */
#include "kernel.h"

#define UNBLOCKABLE (SIGNAL(SIGKILL) | SIGNAL(SIGSTOP))
/* Nothing is done about these by default. (There is no job control: nothing stops, and nothing continues.) */
#define HARMLESS                                                                                                       \
    (SIGNAL(SIGCHLD) | SIGNAL(SIGCONT) | SIGNAL(SIGSTOP) | SIGNAL(SIGTSTP) | SIGNAL(SIGTTIN) | SIGNAL(SIGTTOU) |       \
     SIGNAL(SIGURG) | SIGNAL(SIGWINCH))

static bool is_ignored(const struct process *process, u32 signal)
{
    u32 handler = process->actions[signal - 1].handler;
    if (handler == SIG_DFL)
        return (HARMLESS & SIGNAL(signal)) || process == init_process();
    return handler == SIG_IGN;
}

bool signal_waiting(const struct process *process)
{
    return process->pending & ~process->blocked;
}

static void post(struct process *to, u32 signal, struct signal_source source)
{
    if (!(to->pending & SIGNAL(signal)))
        to->sources[signal - 1] = source;
    to->pending |= SIGNAL(signal);
    if (to->state == SLEEPING && signal_waiting(to))
        make_ready(to);
}

void signal_send(struct process *to, u32 signal, struct signal_source source)
{
    if (to->state != ZOMBIE && !is_ignored(to, signal))
        post(to, signal, source);
}

void signal_force(u32 signal, struct signal_source source)
{
    struct sigaction *action = &current->actions[signal - 1];
    if (action->handler == SIG_IGN || (current->blocked & SIGNAL(signal)))
        action->handler = SIG_DFL;
    current->blocked &= ~SIGNAL(signal);
    current->pending &= ~SIGNAL(signal);
    post(current, signal, source);
}

/* There are no groups: what Linux does to one is done to all, but for the first process. */
s32 signal_kill(s32 pid, u32 signal)
{
    if (signal > SIGNALS)
        return -EINVAL;
    struct signal_source source = {.code = SI_USER, .value = current->pid};
    bool found = false;
    for (struct process *process = processes; process; process = process->next) {
        bool meant = pid > 0 ? process->pid == (u32)pid : process != init_process() && (pid == 0 || process != current);
        if (!meant)
            continue;
        found = true;
        if (signal)
            signal_send(process, signal, source);
    }
    return found ? 0 : -ESRCH;
}

s32 signal_action(u32 signal, u32 action, u32 old, u32 set_bytes)
{
    struct sigaction wanted;
    if (set_bytes != sizeof wanted.mask || signal == 0 || signal > SIGNALS)
        return -EINVAL;
    if (action) {
        if (copy_in(&wanted, action, sizeof wanted))
            return -EFAULT;
        if (UNBLOCKABLE & SIGNAL(signal))
            return -EINVAL;
    }
    if (old && copy_out(old, &current->actions[signal - 1], sizeof wanted))
        return -EFAULT;
    if (!action)
        return 0;
    wanted.mask &= ~UNBLOCKABLE;
    current->actions[signal - 1] = wanted;
    if (is_ignored(current, signal))
        current->pending &= ~SIGNAL(signal);
    return 0;
}

s32 signal_mask(u32 how, u32 set, u32 old, u32 set_bytes)
{
    u64 before = current->blocked, wanted;
    if (set_bytes != sizeof wanted)
        return -EINVAL;
    if (set) {
        if (copy_in(&wanted, set, sizeof wanted))
            return -EFAULT;
        if (how == SIG_BLOCK)
            wanted |= before;
        else if (how == SIG_UNBLOCK)
            wanted = before & ~wanted;
        else if (how != SIG_SETMASK)
            return -EINVAL;
        current->blocked = wanted & ~UNBLOCKABLE;
    }
    return old ? copy_out(old, &before, sizeof before) : 0;
}

/* A new program has no handlers, but ignores what was ignored. */
void signals_reset(struct process *process)
{
    for (u32 i = 0; i < SIGNALS; i++) {
        u32 handler = process->actions[i].handler == SIG_IGN ? SIG_IGN : SIG_DFL;
        process->actions[i] = (struct sigaction){.handler = handler};
    }
}

/* The process with the most pages but for the current one, or that if it is the last. */
static struct process *largest_other(void)
{
    struct process *largest = NULL;
    for (struct process *process = processes; process; process = process->next) {
        if (process == current || process->state == ZOMBIE)
            continue;
        if (!largest || process->memory.pages > largest->memory.pages)
            largest = process;
    }
    return largest ? largest : current;
}

/* The one who asked ends; for the first process, the largest other one does, and it waits. */
void out_of_memory(void)
{
    struct process *victim = current == init_process() ? largest_other() : current;
    print("out of memory: process %u ends\n", victim->pid);
    struct signal_source source = {.code = SI_KERNEL};
    if (victim == current) {
        signal_force(SIGKILL, source);
        return;
    }
    post(victim, SIGKILL, source);
    yield();
}
