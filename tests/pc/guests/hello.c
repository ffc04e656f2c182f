/* SPDX-License-Identifier: GPL-2.0-only */
/* Loaded and entered as its ELF file says: a word on the serial line, and the end. */
#include "pc.h"

static uint32_t data = 0x600df00d;
static uint32_t nothing[4096];

int guest(const struct multiboot *told)
{
	(void)told;
	check(*(volatile uint32_t *)&data == 0x600df00d, "data was loaded");
	for (size_t i = 0; i < sizeof(nothing) / sizeof(*nothing); i++)
		check(((volatile uint32_t *)nothing)[i] == 0, "what is not in the file is 0");
	if (has_word(told, "seven"))
		return 7;
	print("hello\n");
	return 0;
}
