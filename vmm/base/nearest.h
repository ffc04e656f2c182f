/* SPDX-License-Identifier: GPL-2.0-only */
/* "Did you mean": of the words that there are, the one that a mistyped word is nearest to. */
#ifndef VMM_BASE_NEAREST_H
#define VMM_BASE_NEAREST_H

/* Starts with `given` alone set. Neither that nor the word found is owned. */
struct nearest {
	const char *given;
	const char *word; /* NULL: none is near enough */
	unsigned distance;
};

/*
 * Considers one of the words. The distance is the number of letters that are missing, too many, others, or exchanged with
 * the next one; near enough is a third of what was given, and one letter of any word with more than one.
 */
void nearest_offer(struct nearest *nearest, const char *candidate);

#endif
