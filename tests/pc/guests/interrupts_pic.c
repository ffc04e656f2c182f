/* SPDX-License-Identifier: GPL-2.0-only */
/* Ticks of the PIT through the 8259, which the local APIC lets through as a BIOS would leave it. */
#include "pc.h"

static volatile uint32_t ticks;

INTERRUPT(tick)
{
	ticks++;
	pic_end(0);
}

int guest(const struct multiboot *told)
{
	(void)told;
	set_gate(PIC_BASE, tick);
	load_gates();
	pic_setup(1 << 0);
	check(inb(0x21) == 0xfe && inb(0xa1) == 0xff, "the masks of the 8259 can be read");
	pit_setup(100);
	while (ticks < 10)
		wait_for_interrupt();
	print("10 ticks\n");
	/* Masked, none arrives. */
	outb(0x21, 0xff);
	ticks = 0;
	for (uint64_t start = rdtsc(); rdtsc() - start < 100000000;)
		__asm__ volatile("sti; pause; cli" : : : "memory");
	check(ticks <= 1, "a masked line is quiet");
	return 0;
}
