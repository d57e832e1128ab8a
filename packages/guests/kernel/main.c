/* Where the kernel begins, and what becomes of programs' faults. */
#include "kernel.h"

#ifdef PAE
#define BUILD "PAE paging"
#else
#define BUILD "32-bit paging"
#endif

void kernel_main(const struct boot_info *boot)
{
    frames_start(boot);
    files_start();
    if (!boot->module_start)
        panic(NULL, "no module: the first one is the archive of files");
    archive_unpack(at(boot->module_start), boot->module_end - boot->module_start);
    frames_give(boot->module_start, boot->module_end);
    print("teaching kernel, %s, %u KB free\n", BUILD, frames_free() * (PAGE / 1024));
    process_start_init(boot->command_line);
}

/* Exceptions and the signals that Linux makes of them (SDM vol. 3A, table 6-1); page faults are apart. */
static const struct {
    u8 signal, code;
} signals[] = {
    [0] = {SIGFPE, FPE_INTDIV},  /* #DE */
    [1] = {SIGTRAP, TRAP_TRACE}, /* #DB */
    [3] = {SIGTRAP, SI_KERNEL},  /* #BP */
    [4] = {SIGSEGV, SI_KERNEL},  /* #OF */
    [5] = {SIGSEGV, SI_KERNEL},  /* #BR */
    [6] = {SIGILL, ILL_ILLOPN},  /* #UD */
    [10] = {SIGSEGV, SI_KERNEL}, /* #TS */
    [11] = {SIGBUS, SI_KERNEL},  /* #NP */
    [12] = {SIGBUS, SI_KERNEL},  /* #SS */
    [13] = {SIGSEGV, SI_KERNEL}, /* #GP */
    [16] = {SIGFPE, FPE_FLTINV}, /* #MF */
    [17] = {SIGBUS, BUS_ADRALN}, /* #AC */
    [19] = {SIGFPE, FPE_FLTINV}, /* #XM */
};

static void page_fault(const struct frame *frame, u32 address)
{
    struct signal_source source = {.value = address};
    switch (memory_fault(&current->memory, address, frame->error & FAULT_WRITE)) {
    case FAULT_DONE:
        return;
    case FAULT_NO_MEMORY:
        out_of_memory();
        return;
    case FAULT_NO_AREA:
        source.code = SEGV_MAPERR;
        break;
    case FAULT_FORBIDDEN:
        source.code = SEGV_ACCERR;
    }
    signal_force(SIGSEGV, source);
}

void on_fault(struct frame *frame, u32 address)
{
    current->trap = frame->vector;
    current->error = frame->error;
    if (frame->vector == VECTOR_PAGE_FAULT) {
        current->address = address;
        page_fault(frame, address);
        return;
    }
    if (frame->vector >= COUNT(signals) || !signals[frame->vector].signal)
        panic(frame, "an exception that programs cannot cause");
    struct signal_source source = {.code = signals[frame->vector].code};
    if (source.code != SI_KERNEL)
        source.value = frame->eip;
    signal_force(signals[frame->vector].signal, source);
}

/* As for a fault of the program itself, but that nothing can be resumed. */
void on_bad_return(void)
{
    process_exit(SIGSEGV);
}
