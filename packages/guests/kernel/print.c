/* Printing on the console, and panics. */
#include <stdarg.h>

#include "kernel.h"

static void put(char c)
{
    if (c == '\n')
        console_put('\r');
    console_put((u8)c);
}

static void put_number(u32 value, u32 base, u32 digits)
{
    char text[10];
    u32 length = 0;
    do {
        text[length++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value || length < digits);
    while (length)
        put(text[--length]);
}

void print(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    for (; *format; format++) {
        if (*format != '%') {
            put(*format);
            continue;
        }
        switch (*++format) {
        case 's':
            for (const char *s = va_arg(values, const char *); *s; s++)
                put(*s);
            break;
        case 'c':
            put((char)va_arg(values, int));
            break;
        case 'd': {
            s32 value = va_arg(values, s32);
            if (value < 0)
                put('-');
            put_number(value < 0 ? 0u - (u32)value : (u32)value, 10, 1);
            break;
        }
        case 'u':
            put_number(va_arg(values, u32), 10, 1);
            break;
        case 'x':
            put_number(va_arg(values, u32), 16, 8);
            break;
        default:
            put(*format);
        }
    }
    va_end(values);
}

void panic(const struct frame *frame, const char *why)
{
    print("\npanic: %s\n", why);
    if (current)
        print("process %u\n", current->pid);
    if (frame) {
        print("vector %u error %x eip %x:%x ", frame->vector, frame->error, frame->cs, frame->eip);
        print("eflags %x\n", frame->eflags);
        print("eax %x ebx %x ecx %x edx %x\n", frame->eax, frame->ebx, frame->ecx, frame->edx);
        print("esi %x edi %x ebp %x esp %x\n", frame->esi, frame->edi, frame->ebp, (u32)(frame + 1) - 8);
        print("ds %x es %x fs %x gs %x\n", frame->ds, frame->es, frame->fs, frame->gs);
    }
    power_fail();
}
