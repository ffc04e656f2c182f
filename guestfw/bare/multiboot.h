/* SPDX-License-Identifier: GPL-2.0-only */
/* What a boot loader tells: the memory that is free, and the screen. */
#ifndef SIDESTEP_BARE_MULTIBOOT_H
#define SIDESTEP_BARE_MULTIBOOT_H

#include "screen.h"

#define MEMORY_RANGES_MAX 64

struct memory_range {
	uint64_t start, end;
};

struct multiboot {
	unsigned count; /* 0: it has told of no memory */
	struct memory_range ranges[MEMORY_RANGES_MAX];
	struct screen screen; /* if it says nothing, a screen of text where PCs have it */
};

/* From what Multiboot 1 or 2 has left in the registers EAX and EBX. All of it is copied: where it was told is free
 * memory afterwards. */
void multiboot_read(struct multiboot *ret_told, uint32_t magic, uint32_t info);

#endif
