/* SPDX-License-Identifier: GPL-2.0-only */
/* What compilers call for copies and clears. */
#ifndef SIDESTEP_BARE_MEMORY_H
#define SIDESTEP_BARE_MEMORY_H

#include <stddef.h>

void *memcpy(void *to, const void *from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);

#endif
