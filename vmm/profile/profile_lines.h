/* SPDX-License-Identifier: GPL-2.0-only */
/* What counts of a profile say about each operation, level and reason. */
#ifndef VMM_PROFILE_PROFILE_LINES_H
#define VMM_PROFILE_PROFILE_LINES_H

#include "vmm/profile/profile.h"

/* Of a line whose exits nobody has told the reasons of. */
#define PROFILE_ISA_UNKNOWN 0xff

struct profile_line {
	struct profile_key key;
	double exits;
	bool estimated; /* counted as a whole, divided by what was recorded for a part of the time */
	const struct profile_row *row; /* of the counts; NULL: nothing was recorded */
};

struct profile_lines {
	struct profile_line *lines; /* the most exits first */
	size_t count, capacity;
	double total[LEVEL_COUNT];
	bool l0_known; /* how many exits there were at L0, not only how those that were recorded divide */
};

/* How exits at L0 are known. */
enum profile_l0 {
	PROFILE_L0_ALL,    /* every one was recorded */
	PROFILE_L0_PART,   /* the kernel's counters say how many there were, inside the batches of each
			    * operation and in total; those that were recorded, how they divide */
	PROFILE_L0_SINGLE, /* the same where all have one reason: KVM interprets */
};

/* The lines refer to the counts. Returns 0 or -ENOMEM; profile_lines_destroy() is due. */
int profile_lines_create(struct profile_lines *lines, const struct profile_counts *counts,
			 enum profile_l0 how);
void profile_lines_destroy(struct profile_lines *lines);

/* The line with a key, or NULL. */
const struct profile_line *profile_lines_find(const struct profile_lines *lines,
					      const struct profile_key *key);

#endif
