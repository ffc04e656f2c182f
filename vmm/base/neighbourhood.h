/* SPDX-License-Identifier: GPL-2.0-only */
/* What stands for a function whose name nobody knows. */
#ifndef VMM_BASE_NEIGHBOURHOOD_H
#define VMM_BASE_NEIGHBOURHOOD_H

#include <stdint.h>

#define NEIGHBOURHOOD_SIZE 256u
#define NEIGHBOURHOOD_TEXT_SIZE 40

/* Where the block of code begins that holds an address. */
uint64_t neighbourhood_of(uint64_t address);

/* "0xffffffff81234000+0x500": its page, and where in that it begins. */
void neighbourhood_text(uint64_t start, char text[NEIGHBOURHOOD_TEXT_SIZE]);

#endif
