/* SPDX-License-Identifier: GPL-2.0-only */
#include "vmm/base/nearest.h"

#include <stdbool.h>
#include <string.h>

#define LENGTH_MAX 40

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* The distance of all prefixes of both, by the usual three rows ("optimal string alignment"). */
static unsigned distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	unsigned rows[3][LENGTH_MAX + 1];
	unsigned *before = rows[0], *last = rows[1], *row = rows[2];

	for (unsigned j = 0; j <= b_length; j++)
		last[j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		unsigned *oldest = before;

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b_length; j++) {
			const bool exchanged = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];

			row[j] = least(least(last[j], row[j - 1]) + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
			if (exchanged)
				row[j] = least(row[j], before[j - 2] + 1);
		}
		before = last;
		last = row;
		row = oldest;
	}
	return last[b_length];
}

void nearest_offer(struct nearest *nearest, const char *candidate)
{
	const size_t length = strlen(nearest->given), other = strlen(candidate);
	unsigned found;

	if (length < 2 || length > LENGTH_MAX || other > LENGTH_MAX)
		return;
	found = distance(nearest->given, length, candidate, other);
	if (found > least((unsigned)length / 3 + (length < 3), (unsigned)other) ||
	    (nearest->word && found >= nearest->distance))
		return;
	nearest->word = candidate;
	nearest->distance = found;
}
