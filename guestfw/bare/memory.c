/* SPDX-License-Identifier: GPL-2.0-only */
#include "memory.h"

#include <stdint.h>

void *memcpy(void *to, const void *from, size_t size)
{
	void *const start = to;

	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
	return start;
}

void *memset(void *to, int value, size_t size)
{
	void *const start = to;

	__asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(value) : "memory");
	return start;
}

void *memmove(void *to, const void *from, size_t size)
{
	if ((uintptr_t)to <= (uintptr_t)from)
		return memcpy(to, from, size);
	for (uint8_t *d = to; size-- > 0;)
		d[size] = ((const uint8_t *)from)[size];
	return to;
}
