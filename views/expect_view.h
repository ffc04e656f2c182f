/* SPDX-License-Identifier: GPL-2.0-only */
/* The reference model of views and of the services that VMFUNC invokes. */
#ifndef VIEWS_EXPECT_VIEW_H
#define VIEWS_EXPECT_VIEW_H

#include "views/expectation.h"

void expect_vmfunc(const struct expect_environment *environment, const struct ss_operation *op,
		   struct expectation *expectation);

/* Hypercalls that the relay knows. */
void expect_hypercall_service(const struct expect_environment *environment,
			      const struct ss_operation *op, struct expectation *expectation);

/* The service that sets rights, and an access after it. */
void expect_map(const struct expect_environment *environment, const struct ss_operation *op,
		struct expectation *expectation);

void expect_view_access(const struct expect_environment *environment,
			const struct ss_operation *op, struct expectation *expectation);

#endif
