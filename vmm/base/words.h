/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_BASE_WORDS_H
#define VMM_BASE_WORDS_H

#include <string.h>

/* Which of `count` words it is, -1 if none of them. */
static inline int words_find(const char *const *words, int count, const char *word)
{
	for (int i = 0; i < count; i++)
		if (strcmp(words[i], word) == 0)
			return i;
	return -1;
}

#endif
