/* SPDX-License-Identifier: GPL-2.0-only */
/* Halts all processors for good. */
#include "pc.h"

static uint32_t arrived;

void other(void)
{
	__atomic_add_fetch(&arrived, 1, __ATOMIC_RELEASE);
}

int guest(const struct multiboot *told)
{
	(void)told;
	start_others();
	while (__atomic_load_n(&arrived, __ATOMIC_ACQUIRE) != madt_processors() - 1)
		cpu_pause();
	print("halt\n");
	for (;;)
		__asm__ volatile("cli; hlt");
}
