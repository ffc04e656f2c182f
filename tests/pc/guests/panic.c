/* SPDX-License-Identifier: GPL-2.0-only */
/* Tells of a panic as Linux does by pvpanic. */
#include "pc.h"

#define PORT 0x505
#define PANICKED 1

int guest(const struct multiboot *told)
{
	(void)told;
	check(inb(PORT) & PANICKED, "there is somebody to tell");
	print("panic\n");
	outb(PORT, PANICKED);
	for (;;)
		__asm__ volatile("cli; hlt");
}
