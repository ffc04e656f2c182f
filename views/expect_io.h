/* SPDX-License-Identifier: GPL-2.0-only */
/* The reference model for interrupts, pinned buffers and the disk: a part of expect.c. */
#ifndef VIEWS_EXPECT_IO_H
#define VIEWS_EXPECT_IO_H

#include "views/expectation.h"

/* Predicts an operation of kind INTERRUPT, PIN or DISK into an expectation of no exits and no
 * exception. */
void expect_interrupt(const struct expect_environment *environment, const struct ss_operation *op,
		      struct expectation *expectation);
void expect_pin(const struct expect_environment *environment, const struct ss_operation *op,
		struct expectation *expectation);
void expect_disk(const struct expect_environment *environment, const struct ss_operation *op,
		 struct expectation *expectation);

#endif
