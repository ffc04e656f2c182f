/* SPDX-License-Identifier: GPL-2.0-only */
/* The test device of kvm-unit-tests: a latch, memory behind a device, interrupt lines, pages taken away. */
#include "pc.h"

#define LATCH 0xe0
#define FLUSH 0xe4
#define LINES 0x2000
#define LINE 5
#define MEMORY 0xff000000u
#define MEMORY_SIZE 0x10000u

static volatile uint32_t raised;
static uint8_t page[4096] __attribute__((aligned(4096)));

INTERRUPT(raise)
{
	raised++;
	pic_end(LINE);
}

static void latch(void)
{
	outl(LATCH, 0x12345678);
	check(inl(LATCH) == 0x12345678, "the latch has 4 bytes");
	outb(LATCH, 0x9a);
	check(inb(LATCH) == 0x9a, "the latch has a byte");
	outw(LATCH, 0xbcde);
	check(inw(LATCH) == 0xbcde, "the latch has 2 bytes");
}

static void memory(void)
{
	volatile uint8_t *bytes = (volatile uint8_t *)MEMORY;
	volatile uint32_t *words = (volatile uint32_t *)MEMORY;

	for (uint32_t i = 0; i < MEMORY_SIZE; i += 1020)
		words[i / 4] = ~i;
	for (uint32_t i = 0; i < MEMORY_SIZE; i += 1020)
		check(words[i / 4] == ~i, "the device's memory keeps 4 bytes");
	bytes[MEMORY_SIZE - 1] = 0x5a;
	check(bytes[MEMORY_SIZE - 1] == 0x5a, "the device's memory keeps a byte");
	*(volatile uint16_t *)(bytes + 0x1000) = 0x1234;
	check(bytes[0x1000] == 0x34 && bytes[0x1001] == 0x12, "the device's memory keeps 2 bytes");
}

static void lines(void)
{
	set_gate(PIC_BASE + LINE, raise);
	load_gates();
	pic_setup(1 << LINE);
	for (uint32_t i = 1; i <= 3; i++) {
		outb(LINES + LINE, 1);
		while (raised < i)
			wait_for_interrupt();
		outb(LINES + LINE, 0);
		check(raised == i, "an edge is an interrupt");
	}
}

static void flush(void)
{
	for (uint32_t i = 0; i < sizeof(page); i++)
		page[i] = (uint8_t)(i * 7);
	outl(FLUSH, (uint32_t)(uintptr_t)page);
	for (uint32_t i = 0; i < sizeof(page); i++)
		check(((volatile uint8_t *)page)[i] == (uint8_t)(i * 7), "a page that was taken away comes back as it was");
}

int guest(const struct multiboot *told)
{
	(void)told;
	latch();
	memory();
	flush();
	lines();
	print("latch, memory, pages and lines\n");
	return 0;
}
