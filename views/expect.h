/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The reference model: what an operation must yield and who must step in, computed from what the
 * operation is and what it runs on. Tests compare runs with it; nothing is typed into a test.
 */
#ifndef VIEWS_EXPECT_H
#define VIEWS_EXPECT_H

#include "views/expectation.h"

/* Predicts `count` repetitions of an operation whose fields have been validated. */
void expect_operation(const struct expect_environment *environment, const struct ss_operation *op,
		      uint32_t count, struct expectation *expectation);

/* Whether the exits observed over all repetitions agree. */
bool expect_agrees(const struct expect_count *expected, uint64_t observed, uint64_t repetitions);

#endif
