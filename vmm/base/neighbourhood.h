/* SPDX-License-Identifier: GPL-2.0-only */
/* Where code is whose function is not known: addresses close to each other are mostly of the same one. */
#ifndef VMM_BASE_NEIGHBOURHOOD_H
#define VMM_BASE_NEIGHBOURHOOD_H

#include <stdint.h>

/* In bytes, a power of 2: what compilers make of most functions of a kernel is shorter. */
#define NEIGHBOURHOOD_SIZE 256u

/* The start of the neighbourhood that holds an address. */
uint64_t neighbourhood_of(uint64_t address);

/* Its name, "0xffffffff81234000+0x500": the page, and where in it the neighbourhood starts. */
#define NEIGHBOURHOOD_TEXT_SIZE 32
const char *neighbourhood_text(uint64_t address, char text[NEIGHBOURHOOD_TEXT_SIZE]);

#endif
