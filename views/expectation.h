/* SPDX-License-Identifier: GPL-2.0-only */
/* What the reference model is told of the surroundings, and what it says of an operation. */
#ifndef VIEWS_EXPECTATION_H
#define VIEWS_EXPECTATION_H

#include <stdbool.h>
#include <stdint.h>

#include "guestfw/abi.h"
#include "views/effect.h"
#include "views/flags.h"
#include "views/levels.h"
#include "views/service.h"
#include "views/setup.h"

struct expect_environment {
	enum engine_id engine;
	enum host_backend backend;
	uint32_t traits; /* 1 << enum processor_trait */
	enum ss_embodiment embodiment;
	enum flags_on_ask on_ask;
	const struct view_policy *policy;
	gpa_t window; /* the pages of SS_WINDOW_* */
	gpa_t kernel; /* the guest's read-only part */
	/* As before the operation's setup, view 0 active; list points to EPTP_LIST_ENTRIES. */
	struct vmfunc_state vmfunc;
	bool inject; /* what a view forbids is #PF for the guest */
	bool alone;  /* the VM has one vCPU */
};

/* How many exits there may be at a level. */
enum expect_how {
	EXPECT_ANY, /* the model knows no rule: whatever is seen is right */
	EXPECT_EXACTLY,  /* in each repetition */
	EXPECT_AT_LEAST, /* in each repetition */
	EXPECT_TOTAL,    /* in all of them, which are not alike */
};

struct expect_count {
	enum expect_how how;
	unsigned count;
};

struct expectation {
	uint32_t repetitions; /* that it is about */
	uint32_t vector; /* exception that is raised, or SS_NO_VECTOR */
	uint64_t faults; /* how often, in all repetitions */
	uint64_t error_code; /* of each; 0 too if the exception has none */
	bool value_known;
	uint64_t value;
	bool view_known;
	uint32_t view; /* active afterwards */
	struct expect_count exits[LEVEL_COUNT];
};

#endif
