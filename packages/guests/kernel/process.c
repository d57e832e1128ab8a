/* Processes: the first one, fork, the end, and the wait for it. */
#include "kernel.h"

#define MOST_PROCESSES 256u
#define MOST_PID 32767u
#define INIT "/init"

struct process *current;
struct process *processes;

static struct process *init;
static u32 count, last_pid;

struct process *init_process(void)
{
    return init;
}

struct process *process_find(u32 pid)
{
    struct process *process = processes;
    while (process && process->pid != pid)
        process = process->next;
    return process;
}

static u32 free_pid(void)
{
    do
        last_pid = last_pid % MOST_PID + 1;
    while (process_find(last_pid));
    return last_pid;
}

_Static_assert(sizeof(struct process) <= PAGE, "a process is a page");

/* Two pages; NULL: no memory. */
static struct process *process_create(void)
{
    u32 frame = frame_alloc_zeroed(), stack = frame ? frame_alloc() : 0;
    if (!stack) {
        if (frame)
            frame_release(frame);
        return NULL;
    }
    struct process *process = at(frame);
    process->stack = at(stack);
    process->pid = free_pid();
    process->next = processes;
    processes = process;
    count++;
    return process;
}

/* It must not be running. */
static void process_free(struct process *process)
{
    struct process **place = &processes;
    while (*place != process)
        place = &(*place)->next;
    *place = process->next;
    count--;
    frame_release(physical_of(process->stack));
    frame_release(physical_of(process));
}

/* The words behind ` -- ` of the kernel's command line, each ended by a zero. */
static u32 init_arguments(const char *line, char *into, u32 *bytes)
{
    u32 length = sizeof INIT, words = 1;
    memcpy(into, INIT, length);
    while (*line && !(memcmp(line, "--", 2) == 0 && (line[2] == ' ' || !line[2])))
        line++;
    for (line += *line ? 2 : 0; *line; words++) {
        while (*line == ' ')
            line++;
        if (!*line)
            break;
        while (*line && *line != ' ')
            into[length++] = *line++;
        into[length++] = 0;
    }
    *bytes = length;
    return words;
}

void process_start_init(const char *command_line)
{
    static char arguments[sizeof INIT + sizeof(((struct boot_info *)0)->command_line) + 1];
    u32 bytes;
    u32 words = init_arguments(command_line, arguments, &bytes);
    init = process_create();
    if (!init)
        panic(NULL, "no memory for the first process");
    init->directory = root;
    inode_use(root);
    struct frame *frame = context_prepare(&init->context, init->stack);
    frame_start(frame, 0, 0);
    init->context.space = kernel_space;
    current = init;
    s32 error = execute_first(INIT, arguments, bytes, words);
    if (error) {
        print("%s: error %d\n", INIT, -error);
        panic(NULL, "there is no first program");
    }
    for (u32 i = 0; i < 3; i++)
        if (file_open("/dev/console", O_RDWR, 0) < 0)
            panic(NULL, "no console for the first program");
    current = NULL;
    make_ready(init);
    schedule();
    __builtin_unreachable();
}

s32 process_fork(void)
{
    if (count >= MOST_PROCESSES)
        return -EAGAIN;
    struct process *child = process_create();
    if (!child)
        return -ENOMEM;
    s32 error = memory_copy(&current->memory, &child->memory);
    if (error) {
        process_free(child);
        return error;
    }
    struct frame *frame = context_prepare(&child->context, child->stack);
    *frame = *frame_of(current);
    frame->eax = 0;
    child->context.space = child->memory.space;
    memcpy(child->context.tls, current->context.tls, sizeof child->context.tls);
    fpu_fork(&current->context, &child->context);
    child->parent = current;
    child->directory = current->directory;
    inode_use(child->directory);
    memcpy(child->files, current->files, sizeof child->files);
    for (u32 i = 0; i < MOST_FILES; i++)
        if (child->files[i])
            child->files[i]->users++;
    child->close_on_exec = current->close_on_exec;
    child->blocked = current->blocked;
    memcpy(child->actions, current->actions, sizeof child->actions);
    make_ready(child);
    return (s32)child->pid;
}

static void end_of_init(s32 status)
{
    if (status & 0x7f)
        print("%s was killed by signal %d\n", INIT, status & 0x7f);
    else if (status)
        print("%s exited with status %d\n", INIT, status >> 8);
    power_off();
}

void process_exit(s32 status)
{
    if (current == init)
        end_of_init(status);
    for (u32 i = 0; i < MOST_FILES; i++)
        if (current->files[i])
            file_close(i);
    inode_drop(current->directory);
    fpu_forget(&current->context);
    context_set_space(&current->context, kernel_space);
    memory_destroy(&current->memory);
    bool orphans = false;
    for (struct process *process = processes; process; process = process->next)
        if (process->parent == current) {
            process->parent = init;
            orphans |= process->state == ZOMBIE;
        }
    if (orphans)
        wake_up(init);
    current->state = ZOMBIE;
    current->exit_status = status;
    struct signal_source source = {.code = status & 0x7f ? CLD_KILLED : CLD_EXITED, .value = current->pid};
    source.status = (u32)(status & 0x7f ? status & 0x7f : status >> 8);
    signal_send(current->parent, SIGCHLD, source);
    wake_up(current->parent);
    schedule();
    __builtin_unreachable();
}

/* A child that ended, or NULL; *any: there is one that may end. */
static struct process *ended_child(s32 pid, bool *any)
{
    *any = false;
    struct process *found = NULL;
    for (struct process *process = processes; process; process = process->next) {
        if (process->parent != current || (pid > 0 && process->pid != (u32)pid))
            continue;
        *any = true;
        if (process->state == ZOMBIE)
            found = process; /* the list begins with the youngest: the oldest is taken */
    }
    return found;
}

s32 process_wait(s32 pid, u32 status, u32 options, u32 usage)
{
    static const u8 no_usage[72];
    bool any;
    struct process *child;
    while (!(child = ended_child(pid, &any))) {
        if (!any)
            return -ECHILD;
        if (options & WNOHANG)
            return 0;
        /* Ended children wake their parent by its address. */
        s32 error = sleep_on(current);
        if (error && !ended_child(pid, &any))
            return error;
    }
    if (status && copy_out(status, &child->exit_status, sizeof child->exit_status))
        return -EFAULT;
    if (usage && copy_out(usage, no_usage, sizeof no_usage))
        return -EFAULT;
    u32 ended = child->pid;
    process_free(child);
    return (s32)ended;
}
