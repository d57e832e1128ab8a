/*
 * The chips: two 8259A interrupt controllers, the 8254 timer at 100 Hz, a 16550 as console, and the ways to switch off
 * (Intel 231468, 231164; National PC16550D; ACPI 6.4, 4.8.3). All at the ports that PCs have had since the AT.
 */
#include "internal.h"

#define PIC_MASTER 0x20
#define PIC_SLAVE 0xa0
#define PIC_END 0x20
#define PIC_READ_SERVED 0x0b
#define IRQ_TIMER 0
#define IRQ_CASCADE 2
#define IRQ_SERIAL 4

#define PIT 0x40
#define PIT_HZ 1193182u

#define UART_DATA (UART + 0)
#define UART_INTERRUPTS (UART + 1)
#define UART_IDENTIFY (UART + 2)
#define UART_FIFO (UART + 2)
#define UART_LINE (UART + 3)
#define UART_MODEM (UART + 4)
#define UART_STATUS (UART + 5)
#define UART_RECEIVED 0x01
#define UART_EMPTY 0x20

/* Where QEMU's firmware and vmexit put ACPI's PM1a control register; S5 is sleep type 0 there. */
#define ACPI_CONTROL 0x604
#define ACPI_SLEEP_S5 0x2000
#define RESET_CONTROL 0xcf9

static void pics_start(void)
{
    static const u8 words[][2] = {{PIC_MASTER, VECTOR_IRQ}, {PIC_SLAVE, VECTOR_IRQ + 8}};
    for (u32 i = 0; i < 2; i++) {
        out8(words[i][0], 0x11); /* ICW1: edges, cascade, ICW4 */
        out8(words[i][0] + 1, words[i][1]);
        out8(words[i][0] + 1, i == 0 ? 1 << IRQ_CASCADE : IRQ_CASCADE);
        out8(words[i][0] + 1, 0x01); /* 8086 mode */
    }
    out8(PIC_MASTER + 1, (u8) ~(1 << IRQ_TIMER | 1 << IRQ_SERIAL));
    out8(PIC_SLAVE + 1, 0xff);
}

void devices_start(void)
{
    pics_start();
    u32 count = (PIT_HZ + TICKS_PER_SECOND / 2) / TICKS_PER_SECOND;
    out8(PIT + 3, 0x34); /* counter 0, both bytes, rate generator */
    out8(PIT, count & 0xff);
    out8(PIT, count >> 8);
    out8(UART_LINE, 0x80); /* the next two are the divisor: 115,200 baud */
    out8(UART_DATA, 1);
    out8(UART_INTERRUPTS, 0);
    out8(UART_LINE, 0x03); /* 8N1 */
    out8(UART_FIFO, 0x07);
    out8(UART_MODEM, 0x0b); /* DTR, RTS, and OUT2, which lets interrupts through */
    out8(UART_INTERRUPTS, 0x01); /* received data */
}

static void receive(void)
{
    in8(UART_IDENTIFY);
    while (in8(UART_STATUS) & UART_RECEIVED)
        on_input(in8(UART_DATA));
}

void on_irq(u32 irq)
{
    if (irq == 7) {
        out8(PIC_MASTER, PIC_READ_SERVED);
        if (!(in8(PIC_MASTER) & 0x80))
            return; /* spurious */
    }
    out8(PIC_MASTER, PIC_END);
    if (irq == IRQ_TIMER)
        on_timer();
    else if (irq == IRQ_SERIAL)
        receive();
}

void console_put(u8 byte)
{
    while (!(in8(UART_STATUS) & UART_EMPTY))
        ;
    out8(UART_DATA, byte);
}

/* STI lets nothing in before the instruction behind it has begun, so that no interrupt is lost between the two. */
void wait_for_interrupt(void)
{
    asm volatile("sti\n\thlt\n\tcli" ::: "memory");
}

static void __attribute__((noreturn)) stop(void)
{
    for (;;)
        asm volatile("cli\n\thlt");
}

void power_off(void)
{
    out16(ACPI_CONTROL, ACPI_SLEEP_S5);
    stop();
}

void power_reset(void)
{
    out8(RESET_CONTROL, 0x06);
    stop();
}

void power_fail(void)
{
    out8(EXIT_PORT, EXIT_PANIC);
    stop();
}
