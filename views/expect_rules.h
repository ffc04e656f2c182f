/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of the reference model say their predictions with. */
#ifndef VIEWS_EXPECT_RULES_H
#define VIEWS_EXPECT_RULES_H

#include "views/expectation.h"

#define EXPECT_NONE ((struct expect_count){EXPECT_EXACTLY, 0})
#define EXPECT_ONE ((struct expect_count){EXPECT_EXACTLY, 1})
#define EXPECT_SOME ((struct expect_count){EXPECT_AT_LEAST, 1})
#define EXPECT_NO_RULE ((struct expect_count){EXPECT_ANY, 0})

static inline struct expect_count expect_exactly(unsigned count)
{
	return (struct expect_count){EXPECT_EXACTLY, count};
}

/* So many in all repetitions together. */
static inline struct expect_count expect_total(const struct expectation *expectation, uint64_t total)
{
	const uint32_t repetitions = expectation->repetitions;

	return total % repetitions == 0 ? expect_exactly((unsigned)(total / repetitions))
					: (struct expect_count){EXPECT_TOTAL, (unsigned)total};
}

/* Every repetition raises an exception. */
static inline void expect_vector(struct expectation *expectation, uint32_t vector)
{
	expectation->vector = vector;
	expectation->faults = expectation->repetitions;
}

static inline void expect_value(struct expectation *expectation, uint64_t value)
{
	expectation->value_known = true;
	expectation->value = value;
}

/*
 * Exits at L0 of an instruction that hardware with the given backend takes `vmx` or `svm` exits for.
 * The pvm backend interprets every instruction at CPL 0, so somebody always steps in.
 */
static inline struct expect_count expect_l0(const struct expect_environment *environment,
					    struct expect_count vmx, struct expect_count svm)
{
	switch (environment->backend) {
	case HOST_BACKEND_VMX:
		return vmx;
	case HOST_BACKEND_SVM:
		return svm;
	case HOST_BACKEND_PVM:
		return EXPECT_SOME;
	default:
		return EXPECT_NO_RULE;
	}
}

/* So many exits to the monitor, which cost further ones at L0; without any, `alone` at L0. */
static inline void expect_monitor(const struct expect_environment *environment, unsigned count,
				  unsigned alone, struct expectation *expectation)
{
	struct expect_count hardware = count ? EXPECT_SOME : expect_exactly(alone);

	expectation->exits[LEVEL_MONITOR] = expect_exactly(count);
	expectation->exits[LEVEL_L0] = expect_l0(environment, hardware, hardware);
}

#endif
