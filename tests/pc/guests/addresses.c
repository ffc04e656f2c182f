/* SPDX-License-Identifier: GPL-2.0-only */
/* Not an ELF file: its Multiboot header says where it belongs, which is not at 1 MiB. */
#include "pc.h"

static uint32_t data = 0x600df00d;
static uint32_t nothing[4096];

int guest(const struct multiboot *told)
{
	(void)told;
	check((uintptr_t)guest >= 0x200000 && (uintptr_t)image_start == 0x200000, "linked at 2 MiB");
	check(*(volatile uint32_t *)image_start == 0x600df00d, "what is before the header was loaded");
	check(*(volatile uint32_t *)&data == 0x600df00d, "data was loaded");
	for (size_t i = 0; i < sizeof(nothing) / sizeof(*nothing); i++)
		check(((volatile uint32_t *)nothing)[i] == 0, "what is not in the file is 0");
	print("hello from 0x");
	print_hex((uintptr_t)image_start);
	print("\n");
	return 0;
}
