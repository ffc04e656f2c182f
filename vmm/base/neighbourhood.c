/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/base/neighbourhood.h"

#include <inttypes.h>
#include <stdio.h>

#define PAGE_MASK UINT64_C(0xfff)

uint64_t neighbourhood_of(uint64_t address)
{
	return address & ~(uint64_t)(NEIGHBOURHOOD_SIZE - 1);
}

const char *neighbourhood_text(uint64_t address, char text[NEIGHBOURHOOD_TEXT_SIZE])
{
	snprintf(text, NEIGHBOURHOOD_TEXT_SIZE, "0x%" PRIx64 "+0x%" PRIx64, address & ~PAGE_MASK,
		 neighbourhood_of(address) & PAGE_MASK);
	return text;
}
