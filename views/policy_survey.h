/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VIEWS_POLICY_SURVEY_H
#define VIEWS_POLICY_SURVEY_H

#include "views/policy.h"

/* Bytes of the view's addresses. */
struct view_survey {
	uint64_t readable, writable, executable;
	uint64_t shared; /* bytes of memory that it writes and another view sees
			  */
};

/* A set of views. */
struct view_set {
	uint64_t bits[VIEW_MAX / 64];
};

/* Guest memory that some view can write and another can see, whatever the
 * addresses. */
struct shared_memory {
	gpa_t gpa;
	uint64_t size;
	uint32_t region; /* what is named there; POLICY_NO_INDEX: nothing */
	struct view_set writers;
	struct view_set readers; /* that cannot write it, but read or execute */
	struct view_set executors; /* of either, those that can execute it */
};

struct policy_survey {
	struct view_survey *views;    /* one for each of the policy's */
	struct shared_memory *shared; /* ascending */
	size_t shared_count;
};

static inline bool view_set_has(const struct view_set *set, uint32_t view)
{
	return set->bits[view / 64] >> view % 64 & 1;
}

/*
 * What views see and share. The policy is valid for this memory. Returns 0 or
 * -ENOMEM; policy_survey_finish() is due in both cases.
 */
int policy_survey(struct policy_survey *survey,
		  const struct view_policy *policy,
		  const struct guest_memory *memory);
void policy_survey_finish(struct policy_survey *survey);

#endif
