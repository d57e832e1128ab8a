/*
 * Programs: static ELF files for i386 (System V ABI, "Program Loading" and "Process Initialization"). The old address
 * space goes only when the new one is whole but for the words on its stack.
 */
#include "kernel.h"

#define MOST_BYTES 65536u
#define MOST_WORDS 1024u
#define MOST_SEGMENTS 16u
#define PLATFORM "i686"

/* The words of arguments and environment, one behind the other. Nothing sleeps while they are here. */
static struct {
    char text[MOST_BYTES];
    u32 bytes;
    u32 arguments, environment; /* how many words */
} words;

/* Adds the words that an array of pointers in user memory names, which a zero ends. */
static s32 add_words(u32 array, u32 *count)
{
    *count = 0;
    for (; array; array += 4) {
        u32 pointer;
        s32 error = copy_in(&pointer, array, sizeof pointer);
        if (error)
            return error;
        if (!pointer)
            return 0;
        s32 length = copy_in_string(words.text + words.bytes, pointer, MOST_BYTES - words.bytes);
        if (length < 0)
            return length == -ENAMETOOLONG ? -E2BIG : length;
        words.bytes += (u32)length + 1;
        if (++*count == MOST_WORDS)
            return -E2BIG;
    }
    return 0;
}

struct program {
    u32 entry;
    u32 headers, header_count; /* where the program finds its own headers; 0: nowhere */
    u32 end;
};

/* Adds the areas of one segment: what the file has, and zeros. */
static s32 add_segment(struct memory *memory, struct inode *file, const struct elf_program_header *segment)
{
    u32 start = PAGE_DOWN(segment->address), within = segment->address & PAGE_MASK;
    if (segment->memory_bytes == 0)
        return 0;
    if (segment->file_bytes > segment->memory_bytes || within != (segment->offset & PAGE_MASK) || start < MAP_BOTTOM)
        return -ENOEXEC;
    if (segment->address >= MAP_TOP || segment->memory_bytes > MAP_TOP - segment->address)
        return -ENOEXEC;
    u32 protection = (segment->flags & ELF_R ? PROT_READ : 0) | (segment->flags & ELF_W ? PROT_WRITE : 0);
    protection |= segment->flags & ELF_X ? PROT_EXEC : 0;
    u32 shown = segment->file_bytes ? within + segment->file_bytes : 0;
    u32 middle = start + PAGE_UP(shown), end = PAGE_UP(segment->address + segment->memory_bytes);
    s32 error = memory_add(memory, start, middle, protection, file, segment->offset - within, shown);
    if (!error)
        error = memory_add(memory, middle, end, protection, NULL, 0, 0);
    return error == -EEXIST ? -ENOEXEC : error;
}

static s32 load(struct memory *memory, struct inode *file, struct program *program)
{
    struct elf_header header;
    inode_read_kernel(file, 0, &header, sizeof header);
    if (memcmp(header.ident, "\177ELF\1\1", 6) != 0 || header.type != ELF_EXECUTABLE || header.machine != ELF_I386)
        return -ENOEXEC;
    if (header.program_header_bytes != sizeof(struct elf_program_header) || header.program_header_count > MOST_SEGMENTS)
        return -ENOEXEC;
    program->entry = header.entry;
    program->header_count = header.program_header_count;
    program->headers = program->end = 0;
    for (u32 i = 0; i < header.program_header_count; i++) {
        struct elf_program_header segment;
        inode_read_kernel(file, header.program_headers + i * sizeof segment, &segment, sizeof segment);
        if (segment.type != ELF_LOAD)
            continue;
        s32 error = add_segment(memory, file, &segment);
        if (error)
            return error;
        program->end = MAX(program->end, PAGE_UP(segment.address + segment.memory_bytes));
        u32 headers = header.program_headers - segment.offset;
        if (headers < segment.file_bytes)
            program->headers = segment.address + headers;
    }
    if (!program->end)
        return -ENOEXEC;
    memory->break_start = memory->break_end = program->end;
    return memory_add_stack(memory);
}

static s32 push(u32 *esp, const void *bytes, u32 count)
{
    *esp -= count;
    return copy_out(*esp, bytes, count);
}

/* Pointers to words that begin at `text`, with a zero behind them; returns where the next word begins. */
static u32 point_at(u32 *vector, u32 *used, u32 text, u32 count)
{
    const char *word = words.text + (text - (USER_END - words.bytes));
    for (u32 i = 0; i < count; i++) {
        vector[(*used)++] = text;
        u32 length = strlen(word) + 1;
        text += length;
        word += length;
    }
    vector[(*used)++] = 0;
    return text;
}

/* From the top: words, path, what auxiliary entries point to; then argc, argv, envp, auxv, ESP a multiple of 16. */
static s32 build_stack(const struct program *program, const char *path, u32 *stack_pointer)
{
    static u32 vector[2 * MOST_WORDS + 64];
    /* Programs want 16 random bytes. Here every run is like every other. */
    static const u8 random[16] = {0x5a, 0x17, 0xc3, 0x8e, 0x29, 0xf4, 0x60, 0xbb,
                                  0x0d, 0x91, 0x7e, 0x42, 0xd8, 0x36, 0xaf, 0xe5};
    u32 esp = USER_END;
    s32 error = push(&esp, words.text, words.bytes);
    u32 text = esp;
    error |= push(&esp, path, strlen(path) + 1);
    u32 path_at = esp;
    error |= push(&esp, PLATFORM, sizeof PLATFORM);
    u32 platform_at = esp;
    error |= push(&esp, random, sizeof random);
    u32 used = 0;
    vector[used++] = words.arguments;
    text = point_at(vector, &used, text, words.arguments);
    point_at(vector, &used, text, words.environment);
    const u32 auxiliary[][2] = {
        {AT_PHDR, program->headers},
        {AT_PHENT, sizeof(struct elf_program_header)},
        {AT_PHNUM, program->header_count},
        {AT_PAGESZ, PAGE},
        {AT_BASE, 0},
        {AT_FLAGS, 0},
        {AT_ENTRY, program->entry},
        {AT_UID, 0},
        {AT_EUID, 0},
        {AT_GID, 0},
        {AT_EGID, 0},
        {AT_CLKTCK, TICKS_PER_SECOND},
        {AT_SECURE, 0},
        {AT_PLATFORM, platform_at},
        {AT_RANDOM, esp},
        {AT_EXECFN, path_at},
        {AT_NULL, 0},
    };
    memcpy(vector + used, auxiliary, sizeof auxiliary);
    used += sizeof auxiliary / 4;
    esp = (esp - used * 4) & ~15u;
    error |= copy_out(esp, vector, used * 4);
    *stack_pointer = esp;
    return error;
}

/* Loads a file into the current process, which then begins anew. What is in `words` becomes its stack. */
static s32 start_program(struct inode *file, const char *path)
{
    if ((file->mode & S_IFMT) != S_IFREG)
        return -EACCES;
    struct memory memory;
    struct program program;
    s32 error = memory_create(&memory);
    if (error)
        return error;
    error = load(&memory, file, &program);
    if (error) {
        memory_destroy(&memory);
        return error;
    }
    struct memory old = current->memory;
    current->memory = memory;
    context_set_space(&current->context, memory.space);
    if (old.space)
        memory_destroy(&old);
    fpu_forget(&current->context);
    for (u32 i = 0; i < TLS_COUNT; i++)
        context_set_tls(&current->context, i, 0, 0, false, false);
    signals_reset(current);
    for (u32 i = 0; i < MOST_FILES; i++)
        if (current->close_on_exec >> i & 1)
            file_close(i);
    u32 esp;
    if (build_stack(&program, path, &esp)) {
        signal_force(SIGKILL, (struct signal_source){.code = SI_KERNEL});
        return 0;
    }
    frame_start(frame_of(current), program.entry, esp);
    return 0;
}

s32 execute(u32 path, u32 arguments, u32 environment)
{
    static char name[PAGE];
    words.bytes = 0;
    s32 error = copy_in_string(name, path, sizeof name);
    if (error >= 0)
        error = add_words(arguments, &words.arguments);
    if (!error)
        error = add_words(environment, &words.environment);
    if (error)
        return error;
    struct inode *file = path_find(name, &error);
    if (!file)
        return error;
    error = start_program(file, name);
    inode_drop(file);
    return error;
}

s32 execute_first(const char *path, const char *arguments, u32 bytes, u32 count)
{
    static const char environment[] = "HOME=/\0PATH=/bin\0TERM=linux";
    memcpy(words.text, arguments, bytes);
    memcpy(words.text + bytes, environment, sizeof environment);
    words.bytes = bytes + sizeof environment;
    words.arguments = count;
    words.environment = 3;
    s32 error;
    struct inode *file = path_find(path, &error);
    if (!file)
        return error;
    error = start_program(file, path);
    inode_drop(file);
    return error;
}
